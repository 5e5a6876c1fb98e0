//! Where checkout asks: what an order gets by its activity, and what follows when it is paid or ends.

use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, Id, kind::Person};
use siyu_pg::Tx;
use siyu_proto::{
    Path, Shape,
    order::v1::{PlaceOrderRequest, place_order_request::Activity},
};

use super::{
    activity::Kind,
    deal::{Deal, More},
    store,
};
use crate::{
    App, bargain, blind_box, flash_sale, group,
    order::{advance::Cause, domain::OrderId, lifecycle::Event},
};

/// What an order gets by the activity that it asks for. What it takes of it is taken from here on; who asks for the same
/// waits until the transaction ends.
pub(crate) async fn enter(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
    person: Id<Person>,
) -> Result<Option<Deal>, Fault> {
    let lines = &request.lines;
    if let Some(activity) = &request.activity {
        check(activity)?;
    }
    let deal = match &request.activity {
        None => return Ok(None),
        Some(Activity::GroupBuy(seat)) => group::enter(tx, ctx, seat, lines, person).await?,
        Some(Activity::Bargain(deal)) => bargain::enter(tx, ctx, deal, lines, person).await?,
        Some(Activity::FlashSale(sale)) => flash_sale::enter(tx, ctx, sale, lines, person).await?,
        Some(Activity::BlindBox(entry)) => {
            blind_box::enter(app, tx, ctx, entry, lines, person).await?
        }
    };
    Ok(Some(deal))
}

/// What the contract bounds: members of a oneof are checked by the method.
pub(crate) fn check(activity: &Activity) -> Result<(), Fault> {
    let (root, mut wrong) = (Path::Root, Vec::new());
    match activity {
        Activity::GroupBuy(seat) => seat.violations(&root.child("group_buy"), &mut wrong),
        Activity::Bargain(deal) => deal.violations(&root.child("bargain"), &mut wrong),
        Activity::FlashSale(sale) => sale.violations(&root.child("flash_sale"), &mut wrong),
        Activity::BlindBox(entry) => entry.violations(&root.child("blind_box"), &mut wrong),
    }
    if wrong.is_empty() { Ok(()) } else { Err(Fault::invalid(wrong)) }
}

/// Keeps what an order has taken, once the order is there.
pub(crate) async fn bind(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    deal: &Deal,
    ctx: &Ctx,
) -> Result<(), Fault> {
    store::insert_entry(tx, id, &deal.entry).await?;
    match &deal.more {
        More::Nothing => Ok(()),
        More::Group(seat) => group::bind(app, tx, id, seat, &deal.entry, ctx.now).await,
        More::Bargain(bargain) => bargain::bind(tx, id, *bargain).await,
        More::BlindBox(entry) => blind_box::bind(tx, id, entry, &deal.entry).await,
    }
}

/// The kind of activity that an order takes part in.
pub(crate) async fn kind(tx: &mut Tx, id: OrderId) -> Result<Option<Kind>, Fault> {
    Ok(store::entry(tx, id).await?.map(|entry| entry.kind))
}

/// What happens to an order when all that is payable has come in: one with a seat in a group waits for the others.
pub(crate) const fn paid_event(kind: Option<Kind>) -> Event {
    match kind {
        Some(Kind::GroupBuy) => Event::GroupJoined,
        Some(Kind::Bargain | Kind::FlashSale | Kind::BlindBox) | None => Event::Paid,
    }
}

/// What follows when an order has become paid; its row is locked.
pub(crate) async fn paid(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    kind: Option<Kind>,
    cause: Cause<'_>,
) -> Result<(), Fault> {
    match kind {
        Some(Kind::GroupBuy) => group::paid(app, tx, id, cause.now).await,
        Some(Kind::BlindBox) => blind_box::draw(tx, id, cause.now).await,
        Some(Kind::Bargain | Kind::FlashSale) | None => Ok(()),
    }
}

/// What follows when an order has ended before it was paid; its row is locked.
pub(crate) async fn ended(tx: &mut Tx, id: OrderId) -> Result<(), Fault> {
    let Some(entry) = store::entry(tx, id).await? else { return Ok(()) };
    match entry.kind {
        Kind::GroupBuy => group::ended(tx, id).await?,
        Kind::Bargain => bargain::ended(tx, id).await?,
        Kind::BlindBox => blind_box::ended(tx, id).await?,
        Kind::FlashSale => {}
    }
    Ok(store::give_back(tx, id).await?)
}

/// Whether an order that ended may become paid by a payment that came late: not one of an activity, whose place is free
/// again. The money goes back then.
pub async fn may_revive(tx: &mut Tx, id: OrderId) -> Result<bool, Fault> {
    Ok(store::entry(tx, id).await?.is_none())
}

/// What follows when an order was refunded as a whole; its row is locked. The seat of a group that waits still is free for
/// another; whatever has formed, was drawn or was bargained stays.
pub async fn refunded(tx: &mut Tx, id: OrderId) -> Result<(), Fault> {
    group::refunded(tx, id).await
}

/// The channel that the stock of an order comes from; empty: the usual one.
pub async fn stock_channel(tx: &mut Tx, id: OrderId) -> Result<String, Fault> {
    Ok(store::entry(tx, id).await?.map(|entry| entry.stock_channel).unwrap_or_default())
}

/// Counts what an order takes for its buyer, within the limit of the activity; 0: no bound.
pub(crate) async fn take(
    tx: &mut Tx,
    (kind, code): (Kind, &str),
    person: Id<Person>,
    more: i64,
    limit: i64,
) -> Result<(), Fault> {
    let limit = if limit == 0 { i64::MAX / 2 } else { limit };
    if store::take(tx, (kind, code), person, more, limit).await? {
        return Ok(());
    }
    let message = "the person would have more of the activity than one may have";
    Err(Fault::new(Code::FailedPrecondition, "ACTIVITY_LIMIT_REACHED", message))
}
