//! Pick-up codes over the methods: the order waits for its buyer, is handed over, and comes back when that was a mistake.

use chrono::TimeDelta;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{
    IssuePickupCodeRequest, IssuePickupCodeResponse, PickupCode as Shown, ReversePickupRequest,
    ReversePickupResponse, VerifyPickupCodeRequest, VerifyPickupCodeResponse,
};
use siyu_runtime::random_bytes;

use super::{By, Pickup, State, Verdict, code::PickupCode, store};
use crate::{
    App,
    checkout::store::Delivery,
    fulfilment::{
        StoreId,
        assignment::{self, Assignment, Event, act, follow, part},
        parcel::rpc::{delivery, other_way},
        policy,
        site::store_at,
    },
    guarantee,
    order::{
        advance::{self, wrong_state},
        domain::{Order, OrderId, State as OrderState},
        lifecycle::Event as OrderEvent,
        rpc::{show as show_order, show_line},
        store as orders,
    },
    stock::{self, Demand, Part, Request, Restock},
};

const VERIFY: &str = "siyu.order.v1.FulfilmentService/VerifyPickupCode";
const REVERSE: &str = "siyu.order.v1.FulfilmentService/ReversePickup";

pub(crate) async fn issue(
    app: &App,
    ctx: Ctx,
    request: IssuePickupCodeRequest,
) -> Result<IssuePickupCodeResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    if delivery(&mut tx, id).await? != Delivery::PickUp {
        return Err(other_way("the order is brought to the buyer"));
    }
    let (part, store) = taken_by_store(&mut tx, id).await?;
    let is_waiting = order.state == OrderState::ReadyForPickup;
    if order.state != OrderState::Accepted && !is_waiting {
        return Err(wrong_state(&order, OrderEvent::Readied));
    }
    let by = By { actor: &ctx.subject, reason: "", now: ctx.now };
    let until = ctx.now + good_for(&mut tx).await?;
    let pickup = super::issue(app, &mut tx, random_bytes, (id, store), until, by).await?;
    if !is_waiting {
        follow::step(app, &mut tx, &order, OrderEvent::Readied, by).await?;
    }
    tracing::debug!(order = %id, part = part.part, "an order waits for its buyer");
    tx.commit().await?;
    Ok(IssuePickupCodeResponse { pickup: Some(show(&pickup)) })
}

pub(crate) async fn verify(
    app: &App,
    ctx: Ctx,
    request: VerifyPickupCodeRequest,
) -> Result<VerifyPickupCodeResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (store, _) = store_at(&mut tx, &request.location_code).await?;
    // The store before the order: whoever waits for the store holds nothing else.
    let is_stopped = super::is_stopped(&mut tx, store, ctx.now).await?;
    store::mark(&mut tx).await?;
    if let Some(reply) = replay::find(&mut tx, VERIFY, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let by = By { actor: &ctx.subject, reason: "", now: ctx.now };
    let (order, verdict) = if is_stopped {
        (None, Verdict::Stopped)
    } else {
        let order = lock_shown(&mut tx, store, &request.code).await?;
        (order, super::judge(app, &mut tx, store, &request.code, by).await?)
    };
    if let (Verdict::Good(_), Some(order)) = (&verdict, order) {
        let order = fetch(app, &mut tx, &order, by).await?;
        let lines = orders::lines(&mut tx, order.id).await?;
        let mut shown = show_order(&order);
        shown.lines = lines.into_iter().map(|line| show_line(line, &order)).collect();
        let reply = VerifyPickupCodeResponse { order: Some(shown) };
        replay::keep(&mut tx, VERIFY, &request.request_id, &reply).await?;
        tx.commit().await?;
        return Ok(reply);
    }
    if verdict == Verdict::Wrong {
        // What was claimed for the request is free again: it may be repeated with the right code.
        store::undo(&mut tx).await?;
        super::count_wrong(&mut tx, store, ctx.now).await?;
        tx.commit().await?;
    }
    let pickup = verdict.good()?;
    Err(Fault::internal(format!("a code of order {} without the order", pickup.order_id)))
}

/// Locks the order whose code is shown, if the store has such a code: the order before its code.
async fn lock_shown(tx: &mut Tx, store: StoreId, shown: &str) -> Result<Option<Order>, Fault> {
    let Some(code) = PickupCode::parse(shown) else { return Ok(None) };
    let Some(found) = store::find_code(tx, store, &code).await? else { return Ok(None) };
    Ok(Some(advance::lock(tx, found.order_id, "").await?.0))
}

/// Hands over everything that waits for the buyer.
async fn fetch(app: &App, tx: &mut Tx, order: &Order, by: By<'_>) -> Result<Order, Fault> {
    let (part, _) = taken_by_store(tx, order.id).await?;
    let lines = part::store::lines(tx, (order.id, part.part)).await?;
    part::hand_over(app, tx, (order.id, &part.location), &lines, by).await?;
    act::change(tx, (order.id, part.part), Event::Finish, by).await?;
    follow::step(app, tx, order, OrderEvent::PickedUp, by).await
}

pub(crate) async fn reverse(
    app: &App,
    ctx: Ctx,
    request: ReversePickupRequest,
) -> Result<ReversePickupResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REVERSE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    let codes = store::of_order(&mut tx, id).await?;
    let used = codes.iter().find(|code| code.state == State::Used);
    let Some(used) = used else {
        let message = "the code was not used";
        return Err(Fault::new(Code::FailedPrecondition, "PICKUP_NOT_USED", message));
    };
    let by = By { actor: &ctx.subject, reason: &request.reason, now: ctx.now };
    follow::step(app, &mut tx, &order, OrderEvent::PickupReversed, by).await?;
    guarantee::act::reopened(&mut tx, id).await?;
    take_back(app, &mut tx, id, by).await?;
    let until = ctx.now + good_for(&mut tx).await?;
    let at = (id, used.store_id);
    let pickup = super::reverse(app, &mut tx, random_bytes, at, until, by).await?;
    let reply = ReversePickupResponse { pickup: Some(show(&pickup)) };
    replay::keep(&mut tx, REVERSE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Puts what was handed over back and reserves it again.
async fn take_back(app: &App, tx: &mut Tx, id: OrderId, by: By<'_>) -> Result<(), Fault> {
    let (mut parts, mut demands) = (Vec::new(), Vec::new());
    for had in stock::store::of_order(tx, id).await? {
        let quantity = had.committed - had.returned;
        if quantity > 0 {
            let (line_no, key) = (had.key.line_no, had.key.key);
            let (sku, location) = (key.sku.clone(), Some(key.location.clone()));
            parts.push(Part { line_no, sku, location, quantity });
            demands.push(Demand { line_no, key, channel: had.key.channel, quantity });
        }
    }
    if parts.is_empty() {
        return Ok(());
    }
    let ids = &*app.ids;
    let back = stock::give_back(tx, id, &parts, &Restock::Origin, by.now, ids).await?;
    back.map_err(|short| stock::refusal(&short))?;
    let request = Request { order_id: id, demands, expires_at: None };
    let held = stock::reserve(tx, &request, by.now, ids).await?;
    held.map_err(|short| stock::refusal(&short))
}

/// The part of an order that a store has taken on, and the store: an order that is fetched has one.
async fn taken_by_store(tx: &mut Tx, id: OrderId) -> Result<(Assignment, StoreId), Fault> {
    let parts = assignment::store::list(tx, id).await?;
    let mut taken = parts.into_iter().filter(Assignment::is_taken);
    let found = taken.find_map(|part| part.store_id.map(|store| (part, store)));
    let message = "no store has taken the order on";
    found.ok_or_else(|| Fault::new(Code::FailedPrecondition, "PART_NOT_TAKEN", message))
}

/// How long a code is good.
async fn good_for(tx: &mut Tx) -> Result<TimeDelta, Fault> {
    Ok(TimeDelta::days(policy::read(tx).await?.pickup_days.into()))
}

fn show(pickup: &Pickup) -> Shown {
    Shown {
        order_id: pickup.order_id.to_string(),
        store_id: pickup.store_id.to_string(),
        code: pickup.code.expose().to_owned(),
        expire_time: Some(parse::timestamp(pickup.expires_at)),
        use_time: pickup.used_at.map(parse::timestamp),
    }
}
