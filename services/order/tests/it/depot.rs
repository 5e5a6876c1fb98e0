//! A shop whose stores fulfil orders beside headquarters.

use std::ops::Deref;

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::{checkouts::Buyer, stock::receive};

/// The buyer of a shop with stores.
pub(crate) struct Depot {
    buyer: Buyer,
    pub(crate) stores: Vec<String>,
}

impl Deref for Depot {
    type Target = Buyer;
    fn deref(&self) -> &Buyer {
        &self.buyer
    }
}

pub(crate) fn line(line_no: i32, quantity: i64) -> FulfilmentLine {
    FulfilmentLine { line_no, quantity }
}

/// How parts stand: the part, its state, its store, its lines.
pub(crate) type Stand = (i32, AssignmentState, String, Vec<(i32, i64)>);

pub(crate) fn stand(assignments: &[Assignment]) -> Vec<Stand> {
    let one = |of: &Assignment| {
        let lines = of.lines.iter().map(|line| (line.line_no, line.quantity)).collect();
        (of.part, of.state(), of.store_id.clone(), lines)
    };
    assignments.iter().map(one).collect()
}

impl Depot {
    /// Stores of these names, each with ten of everything and all ways to the buyer.
    pub(crate) async fn new(names: &[&str]) -> Self {
        let buyer = Buyer::with_sandbox().await;
        let mut stores = Vec::new();
        for (name, n) in names.iter().zip(1..) {
            stores.push(buyer.world.member.open(merchant(1), name, n));
        }
        let location = |name: &&str| Location {
            code: (*name).into(),
            name: (*name).into(),
            kind: LocationKind::Store.into(),
            store_code: (*name).into(),
            ..Location::default()
        };
        let depot = Self { buyer, stores };
        if names.is_empty() {
            return depot;
        }
        let locations = names.iter().map(location).collect();
        let request = UpsertLocationsRequest { locations };
        depot.world.locations(1).upsert_locations(request).await.unwrap();
        for name in names {
            for sku in ["dress-m", "scarf"] {
                receive(&depot.world, &format!("{name} {sku}"), sku, name, 10).await;
            }
        }
        depot.sites(&names.iter().map(|name| site(name)).collect::<Vec<_>>()).await.unwrap();
        depot
    }

    pub(crate) async fn sites(
        &self,
        sites: &[FulfilmentSite],
    ) -> Result<Vec<FulfilmentSite>, Fault> {
        let request = UpsertFulfilmentSitesRequest { sites: sites.to_vec() };
        let reply = self.world.fulfilment(1).upsert_fulfilment_sites(request).await;
        Ok(reply.map_err(fault)?.into_inner().sites)
    }

    pub(crate) async fn policy(&self, policy: FulfilmentPolicy) -> FulfilmentPolicy {
        let request = SetFulfilmentPolicyRequest { policy: Some(policy) };
        let reply = self.world.fulfilment(1).set_fulfilment_policy(request).await.unwrap();
        reply.into_inner().policy.unwrap()
    }

    /// A cart that is brought or fetched, at a store or none.
    pub(crate) fn cart_by(
        &self,
        key: &str,
        method: DeliveryMethod,
        store_code: &str,
    ) -> PlaceOrderRequest {
        PlaceOrderRequest {
            delivery_method: method.into(),
            store_code: store_code.into(),
            ..self.cart(key)
        }
    }

    pub(crate) async fn parts(&self, order_id: &str) -> Vec<Assignment> {
        let request = ListAssignmentsRequest { order_id: order_id.into(), ..Default::default() };
        let reply = self.world.fulfilment(1).list_assignments(request).await.unwrap();
        reply.into_inner().assignments
    }

    pub(crate) async fn accept(
        &self,
        key: &str,
        order_id: &str,
        (part, location): (i32, &str),
        lines: &[FulfilmentLine],
    ) -> Result<AcceptAssignmentResponse, Fault> {
        let request = AcceptAssignmentRequest {
            request_id: key.into(),
            order_id: order_id.into(),
            part,
            location_code: location.into(),
            lines: lines.to_vec(),
        };
        let reply = self.world.fulfilment(1).accept_assignment(request).await.map_err(fault)?;
        Ok(reply.into_inner())
    }

    pub(crate) async fn reject(
        &self,
        key: &str,
        order_id: &str,
        location: &str,
    ) -> Result<Assignment, Fault> {
        let request = RejectAssignmentRequest {
            request_id: key.into(),
            order_id: order_id.into(),
            part: 0,
            location_code: location.into(),
            reason: "broken".into(),
        };
        let reply = self.world.fulfilment(1).reject_assignment(request).await.map_err(fault)?;
        Ok(reply.into_inner().assignment.unwrap())
    }

    pub(crate) async fn ship(
        &self,
        tracking_no: &str,
        order_id: &str,
        part: i32,
        lines: &[FulfilmentLine],
    ) -> Result<ShipParcelResponse, Fault> {
        let request = ShipParcelRequest {
            request_id: format!("ship {tracking_no}"),
            order_id: order_id.into(),
            part,
            carrier: "sf".into(),
            tracking_no: tracking_no.into(),
            lines: lines.to_vec(),
            draw_sequences: Vec::new(),
        };
        self.ship_as(request).await
    }

    pub(crate) async fn ship_as(
        &self,
        request: ShipParcelRequest,
    ) -> Result<ShipParcelResponse, Fault> {
        let reply = self.world.fulfilment(1).ship_parcel(request).await.map_err(fault)?;
        Ok(reply.into_inner())
    }

    pub(crate) async fn sign(&self, parcel: &Parcel) -> SignParcelResponse {
        let request = SignParcelRequest { parcel_id: parcel.id.clone(), sign_time: None };
        self.world.fulfilment(1).sign_parcel(request).await.unwrap().into_inner()
    }

    pub(crate) async fn parcels(&self, order_id: &str) -> Vec<Parcel> {
        let request = ListParcelsRequest { order_id: order_id.into(), ..Default::default() };
        let reply = self.world.fulfilment(1).list_parcels(request).await.unwrap();
        reply.into_inner().parcels
    }

    pub(crate) async fn confirm(&self, order_id: &str) -> Result<Order, Fault> {
        let request = ConfirmReceiptRequest { order_id: order_id.into() };
        let reply = self.world.fulfilment(1).confirm_receipt(request).await.map_err(fault)?;
        Ok(reply.into_inner().order.unwrap())
    }

    pub(crate) async fn state(&self, order_id: &str) -> OrderState {
        self.world.get(1, order_id).await.unwrap().state()
    }

    pub(crate) async fn held(&self, order_id: &str) -> Guarantee {
        let request = GetGuaranteeRequest { order_id: order_id.into() };
        let reply = self.world.guarantees(1).get_guarantee(request).await.unwrap();
        reply.into_inner().guarantee.unwrap()
    }
}

/// A store that serves in every way.
pub(crate) fn site(location: &str) -> FulfilmentSite {
    FulfilmentSite {
        location_code: location.into(),
        methods: vec![
            FulfilmentMethod::PickUp.into(),
            FulfilmentMethod::Local.into(),
            FulfilmentMethod::Parcel.into(),
        ],
        ..FulfilmentSite::default()
    }
}
