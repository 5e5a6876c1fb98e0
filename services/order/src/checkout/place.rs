//! Places an order: price it, store it, lock and plan what it needs in one transaction; then hold what the member service
//! keeps.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message;
use sha2::{Digest, Sha256};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::{Tx, idempotency};
use siyu_proto::order::v1::{CheckoutPolicy, PlaceOrderRequest, PriceSnapshot};

use super::{
    draft::{Buyer, Draft},
    finish::{finish, refused},
    policy,
    settle::settle,
    store,
};
use crate::{
    App, attribution,
    buyer::{self, leads},
    claim, coupon,
    directory::Around,
    fx, limits,
    market::{deal::Deal, entry},
    order::{
        advance::Cause,
        domain::{Order, OrderId},
        lifecycle::Event,
        store as orders,
    },
    price::Quote,
    promotion::domain::Place,
    quote::snapshot::{self, Asked},
    stock,
    tender::{
        self,
        domain::{Kind, Tender},
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
    let Around { known, person, sale } =
        app.directory.around(ctx, &request.store_code, &request.channel, Some(asked)).await?;
    let person_id = person.ok_or_else(|| Fault::not_found("person"))?;
    let buyer = Buyer { person_id, known: &known, sale: &sale };
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

/// How far the first transaction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    /// Nothing is left to be held.
    Settled,
    /// There are tenders to look after.
    Open,
}

/// Stores an order. A call with the same request id may have stored it a moment before: whatever this one then misses, a
/// coupon or a place, is what that one has taken.
async fn store_order(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    buyer: Buyer<'_>,
) -> Result<(OrderId, Placed), Fault> {
    let fingerprint = Sha256::digest(request.encode_to_vec()).to_vec();
    match try_store(app, ctx, request, buyer, &fingerprint).await {
        Ok(placed) => Ok(placed),
        Err(fault) => again(app, ctx, request, &fingerprint).await?.ok_or(fault),
    }
}

/// The transaction: everything or nothing.
async fn try_store(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    buyer: Buyer<'_>,
    fingerprint: &[u8],
) -> Result<(OrderId, Placed), Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    // A merge of persons waits, so that the order is the survivor's or goes over with the others.
    buyer::store::hold(&mut tx).await?;
    let buyer = Buyer { person_id: leads(&mut tx, buyer.person_id).await?, ..buyer };
    let before = store::before(&mut tx, &request.request_id).await?;
    if let (Some(id), Some(known)) = (before.order_id, before.fingerprint) {
        return same(request, id, &known, fingerprint);
    }
    let mut policy = policy::effective(before.policy.as_deref())?;
    let deal = entry::enter(app, &mut tx, ctx, request, buyer.person_id).await?;
    if let Some(deal) = &deal {
        policy.pay_minutes = deal.pay_minutes(policy.pay_minutes);
    }
    let (snapshot, quote) = price(&mut tx, request, buyer, &policy, deal.as_ref(), ctx.now).await?;
    let id = Id::from_uuid(app.ids.uuid());
    let draft =
        Draft { id, request, buyer, policy: policy.clone(), quote: &quote, snapshot: &snapshot };
    let tenders = draft.tenders(ctx)?;
    let own = deal.as_ref().map(|deal| deal.entry.stock_channel.as_str());
    let channel = own.filter(|channel| !channel.is_empty()).unwrap_or(&request.channel);
    let demand = draft.demand(ctx, channel)?;
    let checkout = draft.checkout(ctx, fingerprint.to_vec(), &tenders)?;
    let (order, lines) = draft.order(ctx)?;
    orders::insert(&mut tx, &order, &lines, &ctx.subject).await?;
    if !store::insert(&mut tx, &checkout).await? {
        return Err(Fault::internal("an order was placed with the request id and is not there"));
    }
    let kept =
        Kept { deal: deal.as_ref(), checkout: &checkout, tenders: &tenders, demand: &demand };
    keep(app, &mut tx, ctx, &draft, &kept).await?;
    let placed = if tenders.is_empty() { Placed::Settled } else { Placed::Open };
    if placed == Placed::Settled {
        ask_for_cash(app, &mut tx, ctx, &order, &checkout).await?;
    }
    tx.commit().await?;
    Ok((id, placed))
}

/// The order that a call with the same request id has placed meanwhile, if there is one.
async fn again(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    fingerprint: &[u8],
) -> Result<Option<(OrderId, Placed)>, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let before = store::before(&mut tx, &request.request_id).await?;
    let Some((id, known)) = before.order_id.zip(before.fingerprint) else { return Ok(None) };
    same(request, id, &known, fingerprint).map(Some)
}

/// What the cart costs now, with everything that it follows from; refuses a price that the buyer did not see.
async fn price(
    tx: &mut Tx,
    request: &PlaceOrderRequest,
    buyer: Buyer<'_>,
    policy: &CheckoutPolicy,
    deal: Option<&Deal>,
    now: DateTime<Utc>,
) -> Result<(PriceSnapshot, Quote), Fault> {
    let asked = Asked {
        person: Some(buyer.person_id),
        sale: buyer.sale,
        lines: &request.lines,
        shipping_minor: request.shipping_minor,
        shipping_free_from_minor: request.shipping_free_from_minor,
        coupons_chosen: request.coupons_chosen,
        coupon_ids: &request.coupon_ids,
        points_max: request.points_max,
        policy: policy.clone(),
        place: Place { store_code: &request.store_code, channel: &request.channel },
    };
    let mut snapshot = snapshot::take(tx, &asked, now).await?;
    if let Some(deal) = deal {
        deal.offer(&mut snapshot);
    }
    let priced = snapshot::price(&snapshot)?;
    snapshot::fill(&mut snapshot, &priced);
    let payable = priced.quote.payable;
    if request.expected_payable_minor.is_some_and(|expected| expected != payable) {
        let message = format!("the price is {payable} minor units now");
        let fault = Fault::new(Code::FailedPrecondition, "PRICE_CHANGED", message);
        return Err(fault.with("payable_minor", payable));
    }
    Ok((snapshot, priced.quote))
}

/// Lets an order without tenders be paid in cash, or makes it paid where nothing is left to pay (rule 18).
async fn ask_for_cash(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    checkout: &store::Checkout,
) -> Result<(), Fault> {
    if checkout.cash_minor == 0 {
        let cause = Cause { key: "pay", actor: &ctx.subject, reason: "", now: ctx.now };
        settle(app, tx, order.id, Event::Paid, cause).await?;
        return Ok(());
    }
    let cash = (order.currency.0, checkout.cash_minor);
    claim::open(app, tx, order.id, cash, checkout.pay_deadline, ctx.now).await?;
    Ok(())
}

/// What an order takes besides its row.
struct Kept<'a> {
    deal: Option<&'a Deal>,
    checkout: &'a store::Checkout,
    tenders: &'a [Tender],
    demand: &'a stock::Request,
}

/// Keeps and takes what belongs to an order, once it is there: coupons before stock, so that two orders never wait for each
/// other.
async fn keep(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    draft: &Draft<'_>,
    kept: &Kept<'_>,
) -> Result<(), Fault> {
    attribute(tx, ctx, draft).await?;
    let currencies = (draft.currency(), draft.request.presentment_currency_code.as_str());
    fx::present(tx, ctx, (draft.id, kept.checkout, draft.quote), currencies).await?;
    if let Some(deal) = kept.deal {
        entry::bind(app, tx, draft.id, deal, ctx).await?;
    }
    lock_coupons(tx, draft.snapshot, draft.id).await?;
    if !kept.demand.demands.is_empty() {
        let reserved = stock::reserve(tx, kept.demand, ctx.now, &*app.ids).await?;
        reserved.map_err(|short| stock::refusal(&short))?;
    }
    Ok(tender::store::insert(tx, kept.tenders, ctx.now + limits::TENDER_HEAD_START).await?)
}

/// Copies the click that the order came from.
async fn attribute(tx: &mut Tx, ctx: &Ctx, draft: &Draft<'_>) -> Result<(), Fault> {
    let from = ctx.now - TimeDelta::hours(draft.policy.live_window_hours.into());
    let skus: BTreeSet<&str> = draft.request.lines.iter().map(|l| l.sku.as_str()).collect();
    let skus: Vec<&str> = skus.into_iter().collect();
    let person = draft.buyer.person_id;
    Ok(attribution::store::attribute(tx, draft.id, person, &skus, (from, ctx.now)).await?)
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
