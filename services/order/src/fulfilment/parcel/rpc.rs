//! Parcels over the methods.

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault};
use siyu_pg::{Tx, page, replay};
use siyu_proto::order::v1::{
    self as proto, FulfilmentLine, ListParcelsRequest, ListParcelsResponse, ParcelDraw,
    ShipParcelRequest, ShipParcelResponse, SignParcelRequest, SignParcelResponse,
};
use uuid::Uuid;

use super::{
    NewParcel, Parcel, Reached,
    content::{self, Contents},
    store,
};
use crate::{
    App,
    checkout::store::{self as checkouts, Delivery},
    fulfilment::{
        ParcelId,
        assignment::{Event, act, follow, part, rpc::taken},
        pickup::By,
    },
    limits,
    order::{
        advance::{self, wrong_state},
        domain::{Order, OrderId, State},
        lifecycle::Event as OrderEvent,
        rpc::show as show_order,
    },
};

const SHIP: &str = "siyu.order.v1.FulfilmentService/ShipParcel";

pub(crate) async fn ship(
    app: &App,
    ctx: Ctx,
    request: ShipParcelRequest,
) -> Result<ShipParcelResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SHIP, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    let leaves = leaves(&mut tx, id).await?;
    let is_under_way = matches!(order.state, State::Shipped | State::Delivering);
    if order.state == State::Paid {
        // Says which part nobody has taken on, if it is this one.
        taken(&mut tx, id, request.part.max(1)).await?;
    }
    if order.state != State::Accepted && !is_under_way {
        return Err(wrong_state(&order, leaves));
    }
    let by = By { actor: &ctx.subject, reason: "", now: ctx.now };
    let parcel = send(app, &mut tx, &request, id, by).await?;
    let order =
        if is_under_way { order } else { follow::step(app, &mut tx, &order, leaves, by).await? };
    let order = follow::parcels(app, &mut tx, order, by).await?;
    let reply = ShipParcelResponse {
        parcel: show(&mut tx, std::slice::from_ref(&parcel)).await?.pop(),
        order: Some(show_order(&order)),
    };
    replay::keep(&mut tx, SHIP, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Stores a parcel with its content, and hands the content over.
async fn send(
    app: &App,
    tx: &mut Tx,
    request: &ShipParcelRequest,
    id: OrderId,
    by: By<'_>,
) -> Result<Parcel, Fault> {
    let part = taken(tx, id, request.part.max(1)).await?;
    let (lines, of_part) = content::pieces(tx, &part, &request.lines).await?;
    let draws = content::draws(tx, id, &lines, &request.draw_sequences).await?;
    let new = NewParcel {
        order_id: id,
        part: part.part,
        store_id: part.store_id,
        carrier: request.carrier.clone(),
        tracking_no: request.tracking_no.clone(),
        lines: lines.clone(),
    };
    let (parcel, _) = super::ship(app, tx, new, by.now).await?;
    store::insert_draws(tx, (id, parcel.id), &draws).await?;
    part::hand_over(app, tx, (id, &part.location), &lines, by).await?;
    if of_part == Reached::All {
        act::change(tx, (id, part.part), Event::Finish, by).await?;
    }
    Ok(parcel)
}

/// What happens to an order when the first of it leaves.
async fn leaves(tx: &mut Tx, id: OrderId) -> Result<OrderEvent, Fault> {
    match delivery(tx, id).await? {
        Delivery::Parcel => Ok(OrderEvent::Shipped),
        Delivery::Local => Ok(OrderEvent::Dispatched),
        Delivery::PickUp => Err(other_way("the buyer fetches the order")),
    }
}

/// How an order comes to its buyer.
pub(in crate::fulfilment) async fn delivery(tx: &mut Tx, id: OrderId) -> Result<Delivery, Fault> {
    let checkout = checkouts::find(tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
    Ok(checkout.delivery_method)
}

/// The refusal of what belongs to another way to the buyer.
pub(in crate::fulfilment) fn other_way(message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, "DELIVERY_METHOD_WRONG", message)
}

pub(crate) async fn sign(
    app: &App,
    ctx: Ctx,
    request: SignParcelRequest,
) -> Result<SignParcelResponse, Fault> {
    let id: ParcelId = parse::id("parcel_id", &request.parcel_id)?;
    let at = parse::optional_instant("sign_time", request.sign_time)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let not_found = || Fault::not_found("parcel");
    let found = store::find(&mut tx, id).await?.ok_or_else(not_found)?;
    let at = arrived(&found, at, ctx.now)?;
    let (order, _) = advance::lock(&mut tx, found.order_id, "").await?;
    let (parcel, _) = super::sign(&mut tx, id, at).await?;
    let by = By { actor: &ctx.subject, reason: "", now: ctx.now };
    let order = follow::parcels(app, &mut tx, order, by).await?;
    let parcel = show(&mut tx, std::slice::from_ref(&parcel)).await?.pop();
    tx.commit().await?;
    Ok(SignParcelResponse { parcel, order: Some(show_order(&order)) })
}

/// When a parcel arrived; a time that cannot be is refused.
fn arrived(
    parcel: &Parcel,
    at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Fault> {
    match at {
        Some(at) if at < parcel.shipped_at => {
            Err(Fault::field("sign_time", "is before the parcel was sent"))
        }
        Some(at) if at > now => Err(Fault::field("sign_time", "is in the future")),
        Some(at) => Ok(at),
        None => Ok(now),
    }
}

pub(crate) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListParcelsRequest,
) -> Result<ListParcelsResponse, Fault> {
    let order: Option<OrderId> = parse::optional_id("order_id", &request.order_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PARCEL_PAGE,
        request.order_id.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::page(&mut tx, order, page.after, page.fetch()).await?;
    let page = page.page(rows, |parcel| parcel.id.uuid());
    Ok(ListParcelsResponse {
        parcels: show(&mut tx, &page.items).await?,
        next_page_token: page.next_token,
    })
}

/// Signs what is on its way of an order: the buyer says that it came.
///
/// # Errors
/// `PIECES_MISSING` when something of the order was not sent.
pub(in crate::fulfilment) async fn sign_rest(
    app: &App,
    tx: &mut Tx,
    order: Order,
    by: By<'_>,
) -> Result<Order, Fault> {
    if super::sent_all(tx, order.id).await? == Reached::Part {
        let message = "something of the order was not sent yet";
        return Err(Fault::new(Code::FailedPrecondition, "PIECES_MISSING", message));
    }
    for parcel in store::list(tx, order.id).await? {
        store::sign(tx, parcel.id, by.now).await?;
    }
    follow::parcels(app, tx, order, by).await
}

/// Parcels with what is in them.
async fn show(tx: &mut Tx, parcels: &[Parcel]) -> Result<Vec<proto::Parcel>, Fault> {
    let ids: Vec<ParcelId> = parcels.iter().map(|parcel| parcel.id).collect();
    let contents = Contents::of(tx, &ids).await?;
    Ok(parcels.iter().map(|parcel| shown(parcel, &contents)).collect())
}

fn shown(parcel: &Parcel, contents: &Contents) -> proto::Parcel {
    let line = |&(line_no, quantity): &(i32, i64)| FulfilmentLine { line_no, quantity };
    let draw = |drawn: &content::Drawn| ParcelDraw {
        sequence: drawn.seq,
        prize: drawn.prize.clone(),
        sku: drawn.sku.clone(),
    };
    proto::Parcel {
        id: parcel.id.to_string(),
        order_id: parcel.order_id.to_string(),
        part: parcel.part,
        store_id: parcel.store_id.map(|id| id.to_string()).unwrap_or_default(),
        carrier: parcel.carrier.clone(),
        tracking_no: parcel.tracking_no.clone(),
        lines: contents.lines(parcel.id).iter().map(line).collect(),
        draws: contents.draws(parcel.id).iter().map(draw).collect(),
        ship_time: Some(parse::timestamp(parcel.shipped_at)),
        sign_time: parcel.signed_at.map(parse::timestamp),
    }
}
