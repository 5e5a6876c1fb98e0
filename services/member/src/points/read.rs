//! How many points a person has, and where they lie.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use siyu_grpc::{Ctx, parse, parse::timestamp};
use siyu_kernel::{Fault, Zone};
use siyu_ledger::{Account, Lot, LotId, Move, MoveKind, TransferId};
use siyu_pg::{Tx, page};
use siyu_proto::member::v1::{
    self as proto, ExpiringPoints, GetPointsRequest, GetPointsResponse, ListPointLotsRequest,
    ListPointLotsResponse, ListPointMovesRequest, ListPointMovesResponse, PointLot, PointMove,
    PointMoveKind,
};

use super::domain::NOT_YET;
use crate::{
    App,
    account::{POINTS, is_of_points, key},
    limits, merchant,
    person::{self, PersonId},
};

pub(super) async fn get(
    app: &App,
    ctx: Ctx,
    request: GetPointsRequest,
) -> Result<GetPointsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let Some((account, lots)) = wallet(&mut tx, person).await? else {
        return Ok(GetPointsResponse::default());
    };
    let zone = merchant::zone(&mut tx).await?;
    let months = if request.months == 0 { limits::EXPIRING_MONTHS } else { request.months };
    Ok(add_up(&account, &lots, ctx.now, zone, months))
}

/// The account of a person with its lots, in the order in which they are drawn; none for who never had any.
async fn wallet(tx: &mut Tx, person: PersonId) -> Result<Option<(Account, Vec<Lot>)>, Fault> {
    let Some(account) = siyu_ledger::find(tx, &[key(person, POINTS)]).await?.remove(0) else {
        return Ok(None);
    };
    let lots = siyu_ledger::lots(tx, &[account.id]).await?;
    Ok(Some((account, lots)))
}

/// Lapsed points count no more, whether the job has taken them yet or not.
fn add_up(
    account: &Account,
    lots: &[Lot],
    now: DateTime<Utc>,
    zone: Zone,
    months: i32,
) -> GetPointsResponse {
    let frozen = account.debits_pending;
    let (mut available, mut pending) = (0, 0);
    let mut expiring: BTreeMap<(i32, u32), i64> = BTreeMap::new();
    let month_of = |instant: DateTime<Utc>| {
        let day = zone.local(instant);
        (day.year(), day.month())
    };
    let months_from_now = |(year, month): (i32, u32)| {
        let (this_year, this_month) = month_of(now);
        (year - this_year) * 12 + month.cast_signed() - this_month.cast_signed()
    };
    for lot in lots.iter().filter(|lot| !lot.is_expired(now)) {
        if lot.is_available(now) || lot.is_overdraft() {
            available += lot.free();
        } else {
            pending += lot.free();
        }
        // The last instant at which they are good, not the midnight after it.
        let last = lot.terms.expires_at.map(|end| end - chrono::TimeDelta::microseconds(1));
        if let Some(month) = last.map(month_of)
            && lot.free() > 0
            && months_from_now(month) < months
        {
            *expiring.entry(month).or_default() += lot.free();
        }
    }
    let show =
        |((year, month), points)| ExpiringPoints { month: format!("{year:04}-{month:02}"), points };
    GetPointsResponse {
        available,
        pending,
        frozen,
        total: available + pending + frozen,
        expiring: expiring.into_iter().map(show).collect(),
    }
}

/// The order in which lots are drawn, as a key: never-expiring last.
type DrawOrder = (bool, Option<DateTime<Utc>>, DateTime<Utc>, uuid::Uuid);

pub(super) async fn list_lots(
    app: &App,
    ctx: Ctx,
    request: ListPointLotsRequest,
) -> Result<ListPointLotsResponse, Fault> {
    let asked: PersonId = parse::id("person_id", &request.person_id)?;
    let page = page::Request::<DrawOrder>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        asked.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let lots = wallet(&mut tx, person).await?.map(|(_, lots)| lots).unwrap_or_default();
    let order = |lot: &Lot| {
        let terms = lot.terms;
        (terms.expires_at.is_none(), terms.expires_at, terms.earned_at, lot.id.uuid())
    };
    let after = |lot: &Lot| page.after.is_none_or(|after| order(lot) > after);
    let fetch = usize::try_from(page.fetch()).expect("pages have a bound");
    let good = |lot: &Lot| !lot.is_overdraft() && !lot.is_expired(ctx.now) || lot.held > 0;
    let rows = lots.into_iter().filter(|lot| good(lot) && after(lot)).take(fetch).collect();
    let page = page.page(rows, order);
    Ok(ListPointLotsResponse {
        lots: page.items.iter().map(show_lot).collect(),
        next_page_token: page.next_token,
    })
}

fn show_lot(lot: &Lot) -> PointLot {
    let terms = lot.terms;
    PointLot {
        id: lot.id.to_string(),
        points: lot.amount,
        remaining: lot.remaining,
        frozen: lot.held,
        earn_time: Some(timestamp(terms.earned_at)),
        available_time: (terms.available_at < NOT_YET).then(|| timestamp(terms.available_at)),
        expire_time: terms.expires_at.map(timestamp),
    }
}

pub(super) async fn list_moves(
    app: &App,
    ctx: Ctx,
    request: ListPointMovesRequest,
) -> Result<ListPointMovesResponse, Fault> {
    let transfer: TransferId = parse::id("transfer_id", &request.transfer_id)?;
    let page = page::Request::<i32>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        transfer.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let known = siyu_ledger::transfers(&mut tx, &[transfer]).await?;
    if !known.get(&transfer).is_some_and(|record| is_of_points(record.code)) {
        return Err(Fault::not_found("transfer"));
    }
    let moves = siyu_ledger::moves(&mut tx, &[transfer]).await?;
    let fetch = usize::try_from(page.fetch()).expect("pages have a bound");
    let after = |step: &Move| page.after.is_none_or(|after| step.position > after);
    let rows = moves.into_iter().filter(after).take(fetch).collect();
    let page = page.page(rows, |step| step.position);
    Ok(ListPointMovesResponse {
        moves: page.items.iter().map(show_move).collect(),
        next_page_token: page.next_token,
    })
}

fn show_move(step: &Move) -> PointMove {
    let kind = match step.kind {
        MoveKind::Feed => PointMoveKind::Feed,
        MoveKind::Draw => PointMoveKind::Draw,
        MoveKind::Return => PointMoveKind::Return,
        MoveKind::Settle => PointMoveKind::Settle,
        MoveKind::Hold => PointMoveKind::Hold,
        MoveKind::Release => PointMoveKind::Release,
    };
    let lot: LotId = step.lot;
    proto::PointMove {
        lot_id: lot.to_string(),
        kind: kind.into(),
        points: step.remaining,
        frozen: step.held,
    }
}
