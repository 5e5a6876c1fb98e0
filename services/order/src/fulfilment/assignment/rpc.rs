//! What stores and headquarters say to what they are asked.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault};
use siyu_pg::{Tx, page, replay};
use siyu_proto::order::v1::{
    self as proto, AcceptAssignmentRequest, AcceptAssignmentResponse, AssignOrderRequest,
    AssignOrderResponse, FulfilmentLine, ListAssignmentsRequest, ListAssignmentsResponse,
    RejectAssignmentRequest, RejectAssignmentResponse,
};
use uuid::Uuid;

use super::{
    Assignment, Event, State, act, follow,
    part::{self, Lines},
    show,
    store::{self, Filter},
};
use crate::{
    App,
    checkout::store::Delivery,
    fulfilment::{
        parcel::{self, rpc::delivery},
        pickup::By,
        routing::{self, Around, Desk, Shops},
        site::{Place, place, store_at},
    },
    limits,
    order::{
        advance::{self, wrong_state},
        domain::{Order, OrderId, State as OrderState},
        lifecycle::Event as OrderEvent,
        rpc::show as show_order,
    },
};

const ACCEPT: &str = "siyu.order.v1.FulfilmentService/AcceptAssignment";
const REJECT: &str = "siyu.order.v1.FulfilmentService/RejectAssignment";
const ASSIGN: &str = "siyu.order.v1.FulfilmentService/AssignOrder";

pub(crate) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListAssignmentsRequest,
) -> Result<ListAssignmentsResponse, Fault> {
    let state = proto::AssignmentState::try_from(request.state)
        .map_err(|_| Fault::field("state", "is not a known value"))?;
    let order_id = parse::optional_id("order_id", &request.order_id)?;
    let bound_to = format!("{} {} {order_id:?}", request.location_code, request.state);
    let page = page::Request::<(Uuid, i32)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        bound_to.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let store_id = match request.location_code.as_str() {
        "" => None,
        code => Some(store_at(&mut tx, code).await?.0),
    };
    let filter = Filter { store_id, state: State::of_proto(state), order_id };
    let rows = store::page(&mut tx, &filter, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| (row.order_id.uuid(), row.part));
    Ok(ListAssignmentsResponse {
        assignments: show::all(&mut tx, &page.items).await?,
        next_page_token: page.next_token,
    })
}

pub(crate) async fn accept(
    app: &App,
    ctx: Ctx,
    request: AcceptAssignmentRequest,
) -> Result<AcceptAssignmentResponse, Fault> {
    let id = parse::id("order_id", &request.order_id)?;
    // Only what is left over is routed.
    let shops =
        if request.lines.is_empty() { Shops::default() } else { routing::look(app, &ctx).await? };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ACCEPT, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let order = lock_open(&mut tx, id).await?;
    let who = place(&mut tx, &request.location_code).await?;
    let by = By { actor: &ctx.subject, reason: "", now: ctx.now };
    let before = act::find(&mut tx, id, request.part.max(1)).await?;
    let event = who.store_id.map_or(Event::Keep, Event::Accept);
    let after = act::change(&mut tx, (id, before.part), event, by).await?;
    if after != before {
        let taken = Taken { part: &before, who: &who, asked: &request.lines, shops };
        take(app, &mut tx, &order, taken, by).await?;
    }
    let order = follow::parts(app, &mut tx, order, by).await?;
    let reply = AcceptAssignmentResponse {
        assignments: show::standing(&mut tx, id).await?,
        order: Some(show_order(&order)),
    };
    replay::keep(&mut tx, ACCEPT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// What somebody takes on.
struct Taken<'a> {
    part: &'a Assignment,
    who: &'a Place,
    asked: &'a [FulfilmentLine],
    shops: Shops,
}

/// Reserves what is taken on where it is taken from; what is not taken on is routed as a part of its own.
async fn take(
    app: &App,
    tx: &mut Tx,
    order: &Order,
    Taken { part, who, asked, shops }: Taken<'_>,
    by: By<'_>,
) -> Result<(), Fault> {
    let all = part::store::lines(tx, (order.id, part.part)).await?;
    let taken = chosen(&all, asked)?;
    let rest = part::less(&all, &taken);
    if !rest.is_empty() && delivery(tx, order.id).await? == Delivery::PickUp {
        // Its buyer has one store and one code.
        let message = "an order that its buyer fetches is taken on as a whole or not at all";
        return Err(Fault::new(Code::FailedPrecondition, "PICKUP_NOT_DIVIDED", message));
    }
    for &(line_no, pieces) in &rest {
        part::store::lower(tx, (order.id, part.part), line_no, pieces).await?;
    }
    part::relocate(app, tx, part, &taken, &who.code, by).await?;
    if rest.is_empty() {
        return Ok(());
    }
    // The one that has no more of it is not asked again.
    let around = Around { shops, except: who.store_id, ..Around::default() };
    let parts = store::list(tx, order.id).await?;
    let mut desk = Desk::read(tx, order, &parts).await?;
    routing::open(tx, order, &mut desk, (&part.location, &rest), &around, by).await?;
    Ok(())
}

/// The lines that are named; all of them when none is.
fn chosen(all: &[(i32, i64)], asked: &[FulfilmentLine]) -> Result<Lines, Fault> {
    if asked.is_empty() {
        return Ok(all.to_vec());
    }
    let asked: Lines = asked.iter().map(|line| (line.line_no, line.quantity)).collect();
    parcel::check(&all.iter().copied().collect(), &std::collections::BTreeMap::new(), &asked)?;
    Ok(asked)
}

pub(crate) async fn reject(
    app: &App,
    ctx: Ctx,
    request: RejectAssignmentRequest,
) -> Result<RejectAssignmentResponse, Fault> {
    let id = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REJECT, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let order = lock_open(&mut tx, id).await?;
    let (store, _) = store_at(&mut tx, &request.location_code).await?;
    let by = By { actor: &ctx.subject, reason: &request.reason, now: ctx.now };
    let at = (id, request.part.max(1));
    let after = act::change(&mut tx, at, Event::Refuse(store), by).await?;
    follow::parts(app, &mut tx, order, by).await?;
    let reply = RejectAssignmentResponse { assignment: Some(show::one(&mut tx, &after).await?) };
    replay::keep(&mut tx, REJECT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

pub(crate) async fn assign(
    app: &App,
    ctx: Ctx,
    request: AssignOrderRequest,
) -> Result<AssignOrderResponse, Fault> {
    let id = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ASSIGN, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let order = lock_open(&mut tx, id).await?;
    let (store, _) = store_at(&mut tx, &request.location_code).await?;
    let by = By { actor: &ctx.subject, reason: &request.reason, now: ctx.now };
    let at = (id, request.part.max(1));
    let after = act::change(&mut tx, at, Event::Assign(store), by).await?;
    follow::parts(app, &mut tx, order, by).await?;
    let reply = AssignOrderResponse { assignment: Some(show::one(&mut tx, &after).await?) };
    replay::keep(&mut tx, ASSIGN, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Locks an order whose parts may still change hands: nothing of it has been sent.
async fn lock_open(tx: &mut Tx, id: OrderId) -> Result<Order, Fault> {
    let (order, _) = advance::lock(tx, id, "").await?;
    if matches!(order.state, OrderState::Paid | OrderState::Accepted) {
        return Ok(order);
    }
    Err(wrong_state(&order, OrderEvent::Accepted))
}

/// The part of an order that somebody has taken on.
///
/// # Errors
/// `NOT_FOUND`; `PART_NOT_TAKEN`.
pub(crate) async fn taken(tx: &mut Tx, id: OrderId, part: i32) -> Result<Assignment, Fault> {
    let part = act::find(tx, id, part).await?;
    if part.is_taken() {
        return Ok(part);
    }
    let message = "nobody has taken the part on";
    Err(Fault::new(Code::FailedPrecondition, "PART_NOT_TAKEN", message))
}
