//! Places an order: price it, store it, lock and plan what it needs in one transaction; then hold what the member service
//! keeps.

use chrono::{DateTime, Utc};
use prost::Message;
use sha2::{Digest, Sha256};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::{Tx, idempotency};
use siyu_proto::order::v1::{CheckoutPolicy, PlaceOrderRequest, PriceSnapshot};

use super::{
    ahead::{self, Ahead},
    draft::{Buyer, Draft},
    finish::{finish, refused},
    keep::{Kept, keep},
    policy,
    settle::settle,
    store,
};
use crate::{
    App, buyer,
    claim::{self, charge::Cash},
    directory::Around,
    fx,
    market::{deal::Deal, entry},
    order::{
        advance::Cause,
        domain::{Line, Order, OrderId},
        lifecycle::Event,
        store as orders,
    },
    price::Quote,
    promotion::domain::Place,
    quote::snapshot::{self, Asked},
    tender::domain::{Kind, Tender},
};

/// An order that was placed.
pub(super) enum Placed {
    /// By this call, as it was stored.
    Now(Box<Fresh>),
    /// As it stands in the database.
    Known(OrderId),
}

/// An order as it was stored.
pub(super) struct Fresh {
    pub(super) order: Order,
    pub(super) lines: Vec<Line>,
    pub(super) checkout: store::Checkout,
    pub(super) snapshot: PriceSnapshot,
}

/// Places an order, or finds the one that the request id has placed.
pub(super) async fn place(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
) -> Result<Placed, Fault> {
    let merchant = ctx.merchant()?;
    let asked = parse::id("person_id", &request.person_id)?;
    let wanted = ahead::look(app, ctx, request).await?;
    let Around { known, person, sale } =
        app.directory.around(ctx, &request.store_code, &request.channel, Some(asked)).await?;
    let person_id = person.ok_or_else(|| Fault::not_found("person"))?;
    let buyer = Buyer { person_id, known: &known, sale: &sale };
    let ahead = match wanted {
        Some(wanted) => Some(ahead::reserve(app, ctx, wanted).await?),
        None => None,
    };
    let stored = store_order(app, ctx, request, buyer, ahead.as_ref()).await;
    if let Some(ahead) = ahead
        && !matches!(stored, Ok(Stored::Fresh(_) | Stored::New(..)))
    {
        ahead.give_back(app, merchant).await;
    }
    let id = match stored? {
        Stored::Fresh(fresh) => return Ok(Placed::Now(fresh)),
        Stored::New(id, Left::Nothing) => return Ok(Placed::Known(id)),
        Stored::New(id, Left::Tenders) | Stored::Before(id) => id,
    };
    let tenders = finish(app, merchant, id, app.member.as_service_within(ctx)).await?;
    match refused(&tenders) {
        Some(tender) => Err(refusal(tender)),
        None => Ok(Placed::Known(id)),
    }
}

/// What the first transaction did.
enum Stored {
    /// It stored the order, to which nothing else has happened.
    Fresh(Box<Fresh>),
    /// It stored the order, and more has happened to it, or will.
    New(OrderId, Left),
    /// A call with the same request id had stored it before.
    Before(OrderId),
}

/// The keys of the rows of an order, in whichever order the database writes them.
const ROWS: [&str; 3] = ["orders_pkey", "order_lines_pkey", "order_events_pkey"];

/// What is left to do.
enum Left {
    /// Nothing.
    Nothing,
    /// There are tenders to look after.
    Tenders,
}

/// Stores an order. A call with the same request id may have stored it a moment before: whatever this one then misses, a
/// coupon or a place, is what that one has taken.
async fn store_order(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    buyer: Buyer<'_>,
    ahead: Option<&Ahead>,
) -> Result<Stored, Fault> {
    let fingerprint = Sha256::digest(request.encode_to_vec()).to_vec();
    match try_store(app, ctx, request, buyer, ahead, &fingerprint).await {
        Ok(stored) => Ok(stored),
        Err(fault) => again(app, ctx, request, &fingerprint).await?.ok_or(fault),
    }
}

/// The transaction: everything or nothing.
async fn try_store(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    buyer: Buyer<'_>,
    ahead: Option<&Ahead>,
    fingerprint: &[u8],
) -> Result<Stored, Fault> {
    // A merge of persons waits, so that the order is the survivor's or goes over with the others.
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    let before = store::before(&mut tx, &request.request_id, buyer.person_id).await?;
    if let (Some(id), Some(known)) = (before.order_id, before.fingerprint) {
        return same(request, id, &known, fingerprint);
    }
    let buyer = Buyer { person_id: before.leads_to.unwrap_or(buyer.person_id), ..buyer };
    // Whoever was erased since the member service was asked: where they are is not kept.
    let is_erased = request.destination.is_some()
        && !buyer::store::erased(&mut tx, &[buyer.person_id]).await?.is_empty();
    let without = is_erased.then(|| PlaceOrderRequest { destination: None, ..request.clone() });
    let request = without.as_ref().unwrap_or(request);
    let mut policy = policy::effective(before.policy.as_deref())?;
    let deal = entry::enter(app, &mut tx, ctx, request, buyer.person_id).await?;
    if let Some(deal) = &deal {
        policy.pay_minutes = deal.pay_minutes(policy.pay_minutes);
    }
    let (snapshot, quote) = price(&mut tx, request, buyer, &policy, deal.as_ref(), ctx.now).await?;
    let id = ahead.map_or_else(|| Id::from_uuid(app.ids.uuid()), Ahead::order_id);
    let draft =
        Draft { id, request, buyer, policy: policy.clone(), quote: &quote, snapshot: &snapshot };
    let tenders = draft.tenders(ctx)?;
    let own = deal.as_ref().map(|deal| deal.entry.stock_channel.as_str());
    let channel = own.filter(|channel| !channel.is_empty()).unwrap_or(&request.channel);
    let demand = draft.demand(ctx, channel)?;
    let checkout = draft.checkout(ctx, fingerprint.to_vec(), &tenders)?;
    let (order, lines) = draft.order(ctx);
    if !insert(&mut tx, ctx, (&order, &lines), &checkout).await? {
        return Err(Fault::internal("an order was placed with the request id and is not there"));
    }
    let (deal, checkout_ref) = (deal.as_ref(), &checkout);
    let kept = Kept { deal, checkout: checkout_ref, tenders: &tenders, demand: &demand, ahead };
    keep(app, &mut tx, ctx, &draft, &kept).await?;
    if !tenders.is_empty() {
        tx.commit().await?;
        return Ok(Stored::New(id, Left::Tenders));
    }
    let presentment = request.presentment_currency_code.as_str();
    ask_for_cash(app, &mut tx, ctx, (&order, &checkout), presentment).await?;
    tx.commit().await?;
    if checkout.cash_minor == 0 || !presentment.is_empty() {
        return Ok(Stored::New(id, Left::Nothing));
    }
    Ok(Stored::Fresh(Box::new(Fresh { order, lines, checkout, snapshot })))
}

/// Stores an order with its checkout, unless another call with the same request id was faster; then it waits for that one's end
/// and says no.
async fn insert(
    tx: &mut Tx,
    ctx: &Ctx,
    (order, lines): (&Order, &[Line]),
    checkout: &store::Checkout,
) -> Result<bool, Fault> {
    match orders::insert(tx, order, lines, &ctx.subject).await {
        Ok(()) => Ok(store::insert(tx, checkout).await?),
        // The id of an order that was reserved ahead follows from the request: the rows of the faster call are there.
        Err(siyu_pg::Error::Constraint { name, .. }) if ROWS.contains(&name.as_str()) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The order that a call with the same request id has placed meanwhile, if there is one.
async fn again(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    fingerprint: &[u8],
) -> Result<Option<Stored>, Fault> {
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let before = store::placed(&mut tx, &request.request_id).await?;
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
    (order, checkout): (&Order, &store::Checkout),
    presentment: &str,
) -> Result<(), Fault> {
    if checkout.cash_minor == 0 {
        let cause = Cause { key: "pay", actor: &ctx.subject, reason: "", now: ctx.now };
        settle(app, tx, order.id, Event::Paid, cause).await?;
        return Ok(());
    }
    let charge = match presentment {
        "" => None,
        _ => fx::charge(tx, order.id).await?,
    };
    let cash = Cash { currency: order.currency.0, minor: checkout.cash_minor, charge };
    claim::open(app, tx, order.id, cash, checkout.pay_deadline, ctx.now).await?;
    Ok(())
}

/// A repeat finds the order of the first call, if it asks for the same.
fn same(
    request: &PlaceOrderRequest,
    id: OrderId,
    known: &[u8],
    fingerprint: &[u8],
) -> Result<Stored, Fault> {
    if known == fingerprint {
        return Ok(Stored::Before(id));
    }
    Err(idempotency::reused(&request.request_id))
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
