//! What is shown of stock.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, CheckStockRequest, CheckStockResponse, GetStockRequest, GetStockResponse,
    ListMovementsRequest, ListMovementsResponse, ListReservationsRequest, ListReservationsResponse,
    ListStockRequest, ListStockResponse, ReservationState, StockBucket, StockFinding,
};
use uuid::Uuid;

use super::{
    demand::Reservation,
    domain::{Cause, Key, Stock},
    store::{self, Balance, Cursor, MovementFilter, MovementRow, ReservationFilter, StockFilter},
};
use crate::{App, limits};

pub(super) async fn get(
    app: &App,
    ctx: Ctx,
    request: GetStockRequest,
) -> Result<GetStockResponse, Fault> {
    let key = Key { sku: request.sku, location: request.location };
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let place = store::look(&mut tx, &[&key].into()).await?.remove(&key);
    let stock = place.and_then(|place| place.stock).ok_or_else(|| Fault::not_found("stock"))?;
    Ok(GetStockResponse { stock: Some(show(&key, &stock)) })
}

pub(super) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListStockRequest,
) -> Result<ListStockResponse, Fault> {
    let filter = StockFilter {
        sku: some(&request.sku),
        location: some(&request.location),
        below_safety: request.below_safety,
    };
    let page = page::Request::<(String, String)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{filter:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, &filter, page.after.as_ref(), page.fetch()).await?;
    let page = page.page(rows, |row| (row.key.sku.clone(), row.key.location.clone()));
    Ok(ListStockResponse {
        stocks: page.items.iter().map(|row| show(&row.key, &row.stock)).collect(),
        next_page_token: page.next_token,
    })
}

pub(super) async fn movements(
    app: &App,
    ctx: Ctx,
    request: ListMovementsRequest,
) -> Result<ListMovementsResponse, Fault> {
    let cause = proto::StockCause::try_from(request.cause)
        .map_err(|_| Fault::field("cause", "is not a known value"))?;
    let filter = MovementFilter {
        sku: some(&request.sku),
        location: some(&request.location),
        order_id: parse::optional_id("order_id", &request.order_id)?,
        cause: Cause::of_proto(cause).map(Cause::as_str),
        document_no: some(&request.document_no),
    };
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{filter:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_movements(&mut tx, &filter, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| row.id.uuid());
    Ok(ListMovementsResponse {
        movements: page.items.into_iter().map(show_movement).collect(),
        next_page_token: page.next_token,
    })
}

pub(super) async fn reservations(
    app: &App,
    ctx: Ctx,
    request: ListReservationsRequest,
) -> Result<ListReservationsResponse, Fault> {
    let filter = ReservationFilter {
        order_id: parse::optional_id("order_id", &request.order_id)?,
        sku: some(&request.sku),
        location: some(&request.location),
        with_ended: request.show_ended,
    };
    let page = page::Request::<Cursor>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{filter:?}").as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let after = page.after.as_ref();
    let rows = store::list_reservations(&mut tx, &filter, after, page.fetch()).await?;
    let page = page.page(rows, cursor);
    Ok(ListReservationsResponse {
        reservations: page.items.into_iter().map(show_reservation).collect(),
        next_page_token: page.next_token,
    })
}

pub(super) async fn check(
    app: &App,
    ctx: Ctx,
    request: CheckStockRequest,
) -> Result<CheckStockResponse, Fault> {
    let after = (request.after_sku.as_str(), request.after_location.as_str());
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::balances(&mut tx, after, limits::STOCKS_CHECKED).await?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|found| found < limits::STOCKS_CHECKED);
    let last = rows.last().filter(|_| !is_last);
    Ok(CheckStockResponse {
        checked: i64::try_from(rows.len()).expect("a page is short"),
        last_sku: last.map(|row| row.sku.clone()).unwrap_or_default(),
        last_location: last.map(|row| row.location.clone()).unwrap_or_default(),
        findings: rows.into_iter().filter(|row| !row.is_sound()).map(show_finding).collect(),
    })
}

impl Balance {
    fn is_sound(&self) -> bool {
        self.on_hand == self.moved
            && self.reserved == self.moved_reserved
            && self.reserved == self.held
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn cursor(reservation: &Reservation) -> Cursor {
    let own = &reservation.key;
    let (sku, location) = (own.key.sku.clone(), own.key.location.clone());
    (own.order_id.uuid(), own.line_no, sku, location, own.channel.clone())
}

/// A stock as callers see it.
pub(super) fn show(key: &Key, stock: &Stock) -> proto::Stock {
    let bucket =
        |(channel, &quantity): (&String, &i64)| StockBucket { channel: channel.clone(), quantity };
    proto::Stock {
        sku: key.sku.clone(),
        location: key.location.clone(),
        on_hand: stock.on_hand,
        reserved: stock.reserved,
        safety: stock.safety,
        available: stock.available(),
        unassigned: stock.unassigned(),
        buckets: stock.buckets.iter().map(bucket).collect(),
        update_time: Some(parse::timestamp(stock.updated_at)),
    }
}

fn show_movement(row: MovementRow) -> proto::StockMovement {
    proto::StockMovement {
        id: row.id.to_string(),
        sku: row.sku,
        location: row.location,
        cause: proto::StockCause::from(row.cause).into(),
        on_hand_delta: row.on_hand_delta,
        reserved_delta: row.reserved_delta,
        on_hand: row.on_hand,
        reserved: row.reserved,
        order_id: row.order_id.map(|id| id.to_string()).unwrap_or_default(),
        line_no: row.line_no.unwrap_or_default(),
        document_no: row.document_no,
        row_no: row.row_no.unwrap_or_default(),
        note: row.note,
        create_time: Some(parse::timestamp(row.created_at)),
    }
}

fn show_reservation(reservation: Reservation) -> proto::StockReservation {
    let state = if reservation.held > 0 {
        ReservationState::Held
    } else if reservation.committed > 0 {
        ReservationState::Committed
    } else {
        ReservationState::Released
    };
    proto::StockReservation {
        order_id: reservation.key.order_id.to_string(),
        line_no: reservation.key.line_no,
        sku: reservation.key.key.sku,
        location: reservation.key.key.location,
        channel: reservation.key.channel,
        state: state.into(),
        quantity: reservation.quantity,
        held: reservation.held,
        committed: reservation.committed,
        returned: reservation.returned,
        expire_time: reservation.expires_at.map(parse::timestamp),
        create_time: Some(parse::timestamp(reservation.created_at)),
    }
}

fn show_finding(row: Balance) -> StockFinding {
    StockFinding {
        sku: row.sku,
        location: row.location,
        on_hand: row.on_hand,
        moved: row.moved,
        reserved: row.reserved,
        moved_reserved: row.moved_reserved,
        held: row.held,
    }
}
