//! Places an order: price it, store it, lock and plan what it needs in one transaction; then hold what the member service
//! keeps.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use prost::Message;
use sha2::{Digest, Sha256};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Currency, Fault, Id, Violation, kind};
use siyu_pg::{Tx, idempotency};
use siyu_proto::{
    member::v1::{HoldValueRequest, ValueCharge},
    order::v1::{self as proto, CheckoutPolicy, PlaceOrderRequest, PriceSnapshot, PriceStep},
};

use super::{
    finish::{finish, refused},
    policy,
    settle::settle,
    store::{self, Checkout, Delivery},
};
use crate::{
    App, coupon,
    directory::Known,
    limits,
    order::{
        advance::Cause,
        domain::{CurrencyColumn, Domain, Line, OWN_PLATFORM, Order, OrderId, State},
        store as orders,
    },
    price::Quote,
    quote::snapshot::{self, Asked},
    tender::{
        self,
        domain::{Kind, State as TenderState, Tender},
    },
};

/// Places an order, or finds the one that the request id has placed. Gives its id.
pub(super) async fn place(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
) -> Result<OrderId, Fault> {
    let merchant = ctx.merchant()?;
    let asked = parse::id("person_id", &request.person_id)?;
    let codes: BTreeSet<&str> =
        [request.store_code.as_str()].into_iter().filter(|code| !code.is_empty()).collect();
    let known = app.directory.known(ctx, &codes).await?;
    let person_id = app.directory.person(ctx, asked).await?;
    let buyer = Buyer { person_id, known: &known };
    let (id, is_new) = store_order(app, ctx, request, buyer).await?;
    if is_new == Placed::Settled {
        return Ok(id);
    }
    let tenders = finish(app, merchant, id, app.member.as_service_within(ctx)).await?;
    match refused(&tenders) {
        Some(tender) => Err(refusal(tender)),
        None => Ok(id),
    }
}

/// Who buys, and what is known of the merchant.
#[derive(Clone, Copy)]
struct Buyer<'a> {
    person_id: Id<kind::Person>,
    known: &'a Known,
}

/// How far the first transaction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    /// Nothing is left to be held.
    Settled,
    /// There are tenders to look after.
    Open,
}

/// The transaction: everything or nothing.
async fn store_order(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    buyer: Buyer<'_>,
) -> Result<(OrderId, Placed), Fault> {
    let fingerprint = Sha256::digest(request.encode_to_vec()).to_vec();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let before = store::before(&mut tx, &request.request_id).await?;
    if let (Some(id), Some(known)) = (before.order_id, before.fingerprint) {
        return same(request, id, &known, &fingerprint);
    }
    let policy = policy::effective(before.policy.as_deref())?;
    let asked = Asked {
        person: Some(buyer.person_id),
        lines: &request.lines,
        shipping_minor: request.shipping_minor,
        shipping_free_from_minor: request.shipping_free_from_minor,
        coupons_chosen: request.coupons_chosen,
        coupon_ids: &request.coupon_ids,
        points_max: request.points_max,
        policy,
    };
    let mut snapshot = snapshot::take(&mut tx, &asked, ctx.now).await?;
    let (cart, quote) = snapshot::price(&snapshot)?;
    snapshot::fill(&mut snapshot, &cart, &quote);
    if request.expected_payable_minor.is_some_and(|expected| expected != quote.payable) {
        let message = format!("the price is {} minor units now", quote.payable);
        let fault = Fault::new(Code::FailedPrecondition, "PRICE_CHANGED", message);
        return Err(fault.with("payable_minor", quote.payable));
    }
    let id = Id::from_uuid(app.ids.uuid());
    let draft = Draft { id, request, buyer, policy, quote: &quote, snapshot: &snapshot };
    let tenders = draft.tenders(ctx)?;
    let checkout = draft.checkout(ctx, fingerprint.clone(), &tenders)?;
    let (order, lines) = draft.order(ctx)?;
    orders::insert(&mut tx, &order, &lines, &ctx.subject).await?;
    if !store::insert(&mut tx, &checkout).await? {
        drop(tx);
        let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
        let before = store::before(&mut tx, &request.request_id).await?;
        let (Some(id), Some(known)) = (before.order_id, before.fingerprint) else {
            return Err(Fault::internal("an order was placed and is not there"));
        };
        return same(request, id, &known, &fingerprint);
    }
    lock_coupons(&mut tx, &snapshot, id).await?;
    tender::store::insert(&mut tx, &tenders, ctx.now + limits::TENDER_HEAD_START).await?;
    let mut placed = Placed::Open;
    if tenders.is_empty() {
        placed = Placed::Settled;
        if checkout.cash_minor == 0 {
            let cause = Cause { key: "pay", actor: &ctx.subject, reason: "", now: ctx.now };
            settle(app, &mut tx, id, cause).await?;
        }
    }
    tx.commit().await?;
    Ok((id, placed))
}

/// A repeat finds the order of the first call, if it asks for the same.
fn same(
    request: &PlaceOrderRequest,
    id: OrderId,
    known: &[u8],
    fingerprint: &[u8],
) -> Result<(OrderId, Placed), Fault> {
    if known == fingerprint {
        return Ok((id, Placed::Open));
    }
    Err(idempotency::reused(&request.request_id))
}

async fn lock_coupons(tx: &mut Tx, snapshot: &PriceSnapshot, id: OrderId) -> Result<(), Fault> {
    let used = snapshot.used_coupon_ids.iter();
    let mut ids = used
        .map(|id| parse::id("coupon_ids", id).map_err(Fault::internal))
        .collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    if ids.is_empty() || coupon::store::lock(tx, &ids, id).await? == ids.len() as u64 {
        return Ok(());
    }
    let message = "another order uses one of the coupons at this moment";
    Err(Fault::new(Code::FailedPrecondition, "COUPON_TAKEN", message))
}

/// What the member service said when it did not hold a tender.
fn refusal(tender: &Tender) -> Fault {
    let what = match tender.kind {
        Kind::Value => "stored value",
        Kind::Points => "points",
    };
    let message = format!("the {what} could not be held: {}", tender.failure);
    Fault::new(Code::FailedPrecondition, "TENDER_REFUSED", message)
        .with("tender", what)
        .with("cause", &tender.failure)
}

/// What an order is made of.
struct Draft<'a> {
    id: OrderId,
    request: &'a PlaceOrderRequest,
    buyer: Buyer<'a>,
    policy: CheckoutPolicy,
    quote: &'a Quote,
    snapshot: &'a PriceSnapshot,
}

impl Draft<'_> {
    fn pay_window(&self) -> TimeDelta {
        TimeDelta::minutes(self.policy.pay_minutes.into())
    }

    fn currency(&self) -> Currency {
        self.buyer.known.currency
    }

    /// What is to be held; refuses more than there is to pay.
    fn tenders(&self, ctx: &Ctx) -> Result<Vec<Tender>, Fault> {
        let hold_until = ctx.now + self.pay_window() + limits::HOLD_GRACE;
        let tender = |kind, amount_minor, points, charges| Tender {
            order_id: self.id,
            kind,
            state: TenderState::Planned,
            amount_minor,
            points,
            charges,
            person_id: self.buyer.person_id,
            hold_id: None,
            capture_id: None,
            failure: String::new(),
            hold_until,
            attempts: 0,
        };
        let mut tenders = Vec::new();
        let charges = &self.request.value_tenders;
        let value = charges.iter().try_fold(0_i64, |sum, t| sum.checked_add(t.amount_minor));
        match value {
            Some(0) => {}
            Some(value) if value <= self.quote.payable => {
                let minutes = (self.pay_window() + limits::HOLD_GRACE).num_minutes();
                let hold = self.hold(minutes).encode_to_vec();
                tenders.push(tender(Kind::Value, value, 0, hold));
            }
            _ => {
                let message = format!("{} minor units are to be paid", self.quote.payable);
                let code = Code::FailedPrecondition;
                return Err(Fault::new(code, "TENDERS_EXCEED_PAYABLE", message)
                    .with("payable_minor", self.quote.payable));
            }
        }
        let step = i32::from(PriceStep::Points);
        let rows = self.snapshot.rows.iter().filter(|row| row.step == step);
        let off = rows.map(|row| row.amount_minor).sum();
        if self.quote.points > 0 {
            tenders.push(tender(Kind::Points, off, self.quote.points, Vec::new()));
        }
        Ok(tenders)
    }

    fn hold(&self, minutes: i64) -> HoldValueRequest {
        let charge = |tender: &proto::ValueTender| ValueCharge {
            card_id: tender.card_id.clone(),
            amount_minor: tender.amount_minor,
        };
        HoldValueRequest {
            charges: self.request.value_tenders.iter().map(charge).collect(),
            person_id: self.buyer.person_id.to_string(),
            order_reference: self.id.to_string(),
            store_id: self.store_id().map(|id| id.to_string()).unwrap_or_default(),
            hold_minutes: i32::try_from(minutes).expect("the policy is bounded"),
            ..Default::default()
        }
    }

    fn store_id(&self) -> Option<Id<kind::Store>> {
        self.buyer.known.stores.get(&self.request.store_code).copied()
    }

    fn checkout(
        &self,
        ctx: &Ctx,
        fingerprint: Vec<u8>,
        tenders: &[Tender],
    ) -> Result<Checkout, Fault> {
        let value = tenders.iter().filter(|tender| tender.kind == Kind::Value);
        let cash_minor = self.quote.payable - value.map(|tender| tender.amount_minor).sum::<i64>();
        let method = proto::DeliveryMethod::try_from(self.request.delivery_method)
            .map_err(|_| Fault::field("delivery_method", "is not a known value"))?;
        Ok(Checkout {
            order_id: self.id,
            request_id: self.request.request_id.clone(),
            fingerprint,
            snapshot: self.snapshot.encode_to_vec(),
            list_minor: self.quote.list,
            payable_minor: self.quote.payable,
            shipping_minor: self.quote.shipping,
            cash_minor,
            delivery_method: Delivery::of_proto(method),
            open: true,
            pay_deadline: ctx.now + self.pay_window(),
            confirm_days: self.policy.confirm_days,
            after_sale_days: self.policy.after_sale_days,
        })
    }

    fn order(&self, ctx: &Ctx) -> Result<(Order, Vec<Line>), Fault> {
        let code = &self.request.store_code;
        let store_id = self.store_id();
        if !code.is_empty() && store_id.is_none() {
            let description = format!("\"{code}\" is not the code of a store");
            return Err(Fault::invalid(vec![Violation {
                field: "store_code".into(),
                description,
            }]));
        }
        let line = |(line, priced): (&proto::SnapshotLine, &proto::PricedLine)| Line {
            line_no: line.line_no,
            sku: line.sku.clone(),
            category: line.categories.first().cloned().unwrap_or_default(),
            quantity: line.quantity,
            paid_minor: priced.payable_minor,
            version: ctx.now,
        };
        let lines: Vec<Line> =
            self.snapshot.lines.iter().zip(&self.snapshot.priced).map(line).collect();
        let order = Order {
            id: self.id,
            platform: OWN_PLATFORM.to_owned(),
            shop_id: code.clone(),
            platform_order_no: self.id.to_string(),
            person_id: self.buyer.person_id,
            state: State::Created,
            domain: Domain::Private,
            channel: self.request.channel.clone(),
            store_id,
            paid_at: None,
            paid_version: None,
            currency: CurrencyColumn(self.currency()),
            paid_minor: lines.iter().map(|line| line.paid_minor).sum(),
            subsidy_minor: 0,
            quantity: lines.iter().map(|line| line.quantity).sum(),
            revision: 1,
            version: ctx.now,
            told: false,
            created_at: ctx.now,
        };
        Ok((order, lines))
    }
}

impl Delivery {
    const fn of_proto(method: proto::DeliveryMethod) -> Self {
        match method {
            proto::DeliveryMethod::Unspecified | proto::DeliveryMethod::Parcel => Self::Parcel,
            proto::DeliveryMethod::PickUp => Self::PickUp,
            proto::DeliveryMethod::Local => Self::Local,
        }
    }
}
