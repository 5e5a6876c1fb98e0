//! Stored value and points of the made-up member service: balances, and holds that a request id makes once.

use std::collections::{BTreeMap, HashMap};

use siyu_grpc::serve;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1::{
    points_service_server::PointsService, stored_value_service_server::StoredValueService, *,
};
use siyu_testkit::id;
use tonic::{Request, Status};
use uuid::Uuid;

use super::{Member, Reply};

#[derive(Debug, Default)]
pub(super) struct Wallet {
    /// What cards and persons have and is not held.
    free: HashMap<String, i64>,
    holds: BTreeMap<Uuid, Hold>,
    /// What of each was given back.
    backs: HashMap<Uuid, i64>,
    /// Which hold a request made, and which step ended it.
    requests: HashMap<String, (Uuid, String)>,
}

#[derive(Debug, Clone)]
struct Hold {
    from: Vec<(String, i64)>,
    state: HoldState,
}

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldState {
    Open,
    Taken,
    Freed,
}

fn refused(reason: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, "as the test wishes")
}

impl Wallet {
    fn hold(
        &mut self,
        request_id: &str,
        body: String,
        from: Vec<(String, i64)>,
    ) -> Result<Uuid, Fault> {
        if let Some((hold, known)) = self.requests.get(request_id) {
            return if *known == body { Ok(*hold) } else { Err(refused("REQUEST_ID_REUSED")) };
        }
        if from.iter().any(|(owner, amount)| self.free.get(owner).copied().unwrap_or(0) < *amount) {
            return Err(refused("INSUFFICIENT_BALANCE"));
        }
        for (owner, amount) in &from {
            *self.free.get_mut(owner).unwrap() -= amount;
        }
        let hold = id::<kind::Transfer>(u32::try_from(self.holds.len()).unwrap() + 1).uuid();
        self.holds.insert(hold, Hold { from, state: HoldState::Open });
        self.requests.insert(request_id.to_owned(), (hold, body));
        Ok(hold)
    }

    fn end(&mut self, request_id: &str, hold: Uuid, to: HoldState) -> Result<(), Fault> {
        if self.requests.contains_key(request_id) {
            return Ok(());
        }
        let held = self.holds.get_mut(&hold).ok_or_else(|| Fault::not_found("hold"))?;
        match held.state {
            HoldState::Open => held.state = to,
            HoldState::Taken => return Err(refused("HOLD_POSTED")),
            HoldState::Freed => return Err(refused("HOLD_VOIDED")),
        }
        if to == HoldState::Freed {
            for (owner, amount) in held.from.clone() {
                *self.free.get_mut(&owner).unwrap() += amount;
            }
        }
        self.requests.insert(request_id.to_owned(), (hold, String::new()));
        Ok(())
    }
}

impl Wallet {
    /// Gives back some of what was taken, to the first owner: tests refund one card.
    fn back(&mut self, request_id: &str, hold: Uuid, amount: i64) -> Result<(), Fault> {
        if self.requests.contains_key(request_id) {
            return Ok(());
        }
        let taken = self.holds.get(&hold).ok_or_else(|| Fault::not_found("payment"))?;
        let back = self.backs.entry(hold).or_default();
        let all: i64 = taken.from.iter().map(|(_, amount)| amount).sum();
        if taken.state != HoldState::Taken || *back + amount > all {
            return Err(refused("EXCEEDS_ORIGINAL"));
        }
        *back += amount;
        *self.free.get_mut(&taken.from[0].0).unwrap() += amount;
        self.requests.insert(request_id.to_owned(), (hold, String::new()));
        Ok(())
    }
}

impl Member {
    /// Puts money on a card, or gives a person points.
    pub(crate) fn give(&self, owner: &str, amount: i64) {
        *self.0.wallet.lock().unwrap().free.entry(owner.to_owned()).or_default() += amount;
    }

    /// What a card or a person has that is not held.
    pub(crate) fn free(&self, owner: &str) -> i64 {
        self.0.wallet.lock().unwrap().free.get(owner).copied().unwrap_or(0)
    }

    /// What became of every hold, in the order in which they were made.
    pub(crate) fn holds(&self) -> Vec<HoldState> {
        self.0.wallet.lock().unwrap().holds.values().map(|hold| hold.state).collect()
    }
}

fn payment(hold: Uuid) -> ValuePayment {
    let id = Id::<kind::ValuePayment>::from_uuid(hold).to_string();
    ValuePayment { id, ..ValuePayment::default() }
}

fn posting(hold: Uuid) -> PointsPosting {
    let transfer_id = Id::<kind::Transfer>::from_uuid(hold).to_string();
    PointsPosting { transfer_id, ..PointsPosting::default() }
}

fn uuid_of<K: siyu_kernel::Kind>(text: &str) -> Uuid {
    text.parse::<Id<K>>().unwrap().uuid()
}

#[tonic::async_trait]
impl StoredValueService for Member {
    async fn hold_value(&self, request: Request<HoldValueRequest>) -> Reply<HoldValueResponse> {
        serve(request, async |ctx, request: HoldValueRequest| {
            self.enter(&ctx)?;
            let from =
                request.charges.iter().map(|c| (c.card_id.clone(), c.amount_minor)).collect();
            let body = format!("{request:?}");
            let hold = self.0.wallet.lock().unwrap().hold(&request.request_id, body, from)?;
            self.leave()?;
            Ok::<_, Fault>(HoldValueResponse { payment: Some(payment(hold)) })
        })
        .await
    }

    async fn capture_hold(
        &self,
        request: Request<CaptureHoldRequest>,
    ) -> Reply<CaptureHoldResponse> {
        serve(request, async |ctx, request: CaptureHoldRequest| {
            self.enter(&ctx)?;
            let hold = uuid_of::<kind::ValuePayment>(&request.payment_id);
            self.0.wallet.lock().unwrap().end(&request.request_id, hold, HoldState::Taken)?;
            self.leave()?;
            Ok::<_, Fault>(CaptureHoldResponse { payment: Some(payment(hold)) })
        })
        .await
    }

    async fn void_hold(&self, request: Request<VoidHoldRequest>) -> Reply<VoidHoldResponse> {
        serve(request, async |ctx, request: VoidHoldRequest| {
            self.enter(&ctx)?;
            let hold = uuid_of::<kind::ValuePayment>(&request.payment_id);
            self.0.wallet.lock().unwrap().end(&request.request_id, hold, HoldState::Freed)?;
            self.leave()?;
            Ok::<_, Fault>(VoidHoldResponse { payment: Some(payment(hold)) })
        })
        .await
    }

    async fn pay_value(&self, _: Request<PayValueRequest>) -> Reply<PayValueResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn refund_value(
        &self,
        request: Request<RefundValueRequest>,
    ) -> Reply<RefundValueResponse> {
        serve(request, async |ctx, request: RefundValueRequest| {
            self.enter(&ctx)?;
            self.refused()?;
            let hold = uuid_of::<kind::ValuePayment>(&request.payment_id);
            let mut wallet = self.0.wallet.lock().unwrap();
            wallet.back(&request.request_id, hold, request.amount_minor)?;
            drop(wallet);
            self.leave()?;
            Ok::<_, Fault>(RefundValueResponse {
                payment: Some(payment(hold)),
                returns: Vec::new(),
            })
        })
        .await
    }

    async fn get_value_payment(
        &self,
        _: Request<GetValuePaymentRequest>,
    ) -> Reply<GetValuePaymentResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_value_payments(
        &self,
        _: Request<ListValuePaymentsRequest>,
    ) -> Reply<ListValuePaymentsResponse> {
        Err(Status::unimplemented("not asked"))
    }
}

#[tonic::async_trait]
impl PointsService for Member {
    async fn freeze_points(
        &self,
        request: Request<FreezePointsRequest>,
    ) -> Reply<FreezePointsResponse> {
        serve(request, async |ctx, request: FreezePointsRequest| {
            self.enter(&ctx)?;
            let body = format!("{request:?}");
            let from = vec![(request.person_id.clone(), request.points)];
            let hold = self.0.wallet.lock().unwrap().hold(&request.request_id, body, from)?;
            self.leave()?;
            Ok::<_, Fault>(FreezePointsResponse { posting: Some(posting(hold)) })
        })
        .await
    }

    async fn consume_frozen_points(
        &self,
        request: Request<ConsumeFrozenPointsRequest>,
    ) -> Reply<ConsumeFrozenPointsResponse> {
        serve(request, async |ctx, request: ConsumeFrozenPointsRequest| {
            self.enter(&ctx)?;
            let hold = uuid_of::<kind::Transfer>(&request.freeze_id);
            self.0.wallet.lock().unwrap().end(&request.request_id, hold, HoldState::Taken)?;
            self.leave()?;
            Ok::<_, Fault>(ConsumeFrozenPointsResponse { posting: Some(posting(hold)) })
        })
        .await
    }

    async fn unfreeze_points(
        &self,
        request: Request<UnfreezePointsRequest>,
    ) -> Reply<UnfreezePointsResponse> {
        serve(request, async |ctx, request: UnfreezePointsRequest| {
            self.enter(&ctx)?;
            let hold = uuid_of::<kind::Transfer>(&request.freeze_id);
            self.0.wallet.lock().unwrap().end(&request.request_id, hold, HoldState::Freed)?;
            self.leave()?;
            Ok::<_, Fault>(UnfreezePointsResponse { posting: Some(posting(hold)) })
        })
        .await
    }

    async fn grant_points(&self, _: Request<GrantPointsRequest>) -> Reply<GrantPointsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn spend_points(&self, _: Request<SpendPointsRequest>) -> Reply<SpendPointsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn revert_points(
        &self,
        request: Request<RevertPointsRequest>,
    ) -> Reply<RevertPointsResponse> {
        serve(request, async |ctx, request: RevertPointsRequest| {
            self.enter(&ctx)?;
            self.refused()?;
            let hold = uuid_of::<kind::Transfer>(&request.transfer_id);
            let mut wallet = self.0.wallet.lock().unwrap();
            wallet.back(&request.request_id, hold, request.points)?;
            drop(wallet);
            self.leave()?;
            Ok::<_, Fault>(RevertPointsResponse { posting: Some(posting(hold)) })
        })
        .await
    }

    async fn adjust_points(&self, _: Request<AdjustPointsRequest>) -> Reply<AdjustPointsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn get_points(&self, _: Request<GetPointsRequest>) -> Reply<GetPointsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_point_lots(
        &self,
        _: Request<ListPointLotsRequest>,
    ) -> Reply<ListPointLotsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_point_moves(
        &self,
        _: Request<ListPointMovesRequest>,
    ) -> Reply<ListPointMovesResponse> {
        Err(Status::unimplemented("not asked"))
    }
}
