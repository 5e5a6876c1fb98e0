//! The SQL that writes what a book says.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, Ids, kind::Movement as MovementKind};
use siyu_pg::Tx;
use sqlx::types::Json;

use crate::stock::{
    book::Book,
    demand::Reservation,
    domain::{Key, Movement, Stock},
};

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// What the reservations of a book mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// What is added to those that may be there.
    Add,
    /// What those that were locked are from now on.
    Set,
}

const SAVE: &str = "with stock as (
        insert into stocks (merchant_id, sku, location, on_hand, reserved, safety, buckets, updated_at)
        select $1, n.*, $2
        from unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::jsonb[]) as n
        on conflict on constraint stocks_pkey do update
        set on_hand = excluded.on_hand, reserved = excluded.reserved, safety = excluded.safety,
            buckets = excluded.buckets, updated_at = excluded.updated_at
    ), movement as (
        insert into stock_movements (merchant_id, id, sku, location, cause, on_hand_delta, reserved_delta, on_hand,
            reserved, order_id, line_no, document_no, row_no, note, created_at)
        select $1, n.*, $2
        from unnest($9::uuid[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[],
            $16::bigint[], $17::uuid[], $18::integer[], $19::text[], $20::integer[], $21::text[]) as n
    )
    insert into stock_reservations (merchant_id, order_id, line_no, sku, location, channel, quantity, held,
        from_bucket, committed, returned, expires_at, created_at, updated_at)
    select $1, n.*, $2
    from unnest($22::uuid[], $23::integer[], $24::text[], $25::text[], $26::text[], $27::bigint[], $28::bigint[],
        $29::bigint[], $30::bigint[], $31::bigint[], $32::timestamptz[], $33::timestamptz[]) as n
    on conflict on constraint stock_reservations_pkey do update
    set quantity = excluded.quantity + case when $34 then stock_reservations.quantity else 0 end,
        held = excluded.held + case when $34 then stock_reservations.held else 0 end,
        from_bucket = excluded.from_bucket + case when $34 then stock_reservations.from_bucket else 0 end,
        committed = excluded.committed + case when $34 then stock_reservations.committed else 0 end,
        returned = excluded.returned + case when $34 then stock_reservations.returned else 0 end,
        expires_at = excluded.expires_at, updated_at = excluded.updated_at";

/// Writes a book: its stocks, movements and reservations, in one statement. The stocks were locked and so are there: written
/// as an upsert because an update from a list may be planned as a scan of all stocks of the merchant.
pub async fn save(
    tx: &mut Tx,
    book: &Book,
    write: Write,
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<(), siyu_pg::Error> {
    let stocks: Vec<(&Key, &Stock)> = book.changed().collect();
    let reservations: Vec<&Reservation> = book.reservations().collect();
    if stocks.is_empty() && reservations.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(SAVE).bind(tx.merchant()).bind(now);
    let query = bind_stocks(query, &stocks);
    let query = bind_movements(query, book.movements(), ids);
    let query = bind_reservations(query, &reservations).bind(write == Write::Add);
    query.execute(&mut **tx).await?;
    Ok(())
}

fn bind_stocks<'q>(query: Query<'q>, stocks: &[(&'q Key, &'q Stock)]) -> Query<'q> {
    query
        .bind(stocks.iter().map(|(key, _)| key.sku.as_str()).collect::<Vec<_>>())
        .bind(stocks.iter().map(|(key, _)| key.location.as_str()).collect::<Vec<_>>())
        .bind(stocks.iter().map(|(_, stock)| stock.on_hand).collect::<Vec<_>>())
        .bind(stocks.iter().map(|(_, stock)| stock.reserved).collect::<Vec<_>>())
        .bind(stocks.iter().map(|(_, stock)| stock.safety).collect::<Vec<_>>())
        .bind(stocks.iter().map(|(_, stock)| Json(&stock.buckets)).collect::<Vec<_>>())
}

fn bind_movements<'q>(query: Query<'q>, movements: &'q [Movement], ids: &dyn Ids) -> Query<'q> {
    // Drawn here, after the locks: movements of one stock sort in the order in which they were made.
    let drawn = movements.iter().map(|_| Id::<MovementKind>::from_uuid(ids.uuid()));
    query
        .bind(drawn.collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.key.sku.as_str()).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.key.location.as_str()).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.cause.as_str()).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.on_hand_delta).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.reserved_delta).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.on_hand).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.reserved).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.of.line.map(|line| line.0)).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.of.line.map(|line| line.1)).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.of.document_no.as_str()).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.of.row_no).collect::<Vec<_>>())
        .bind(movements.iter().map(|m| m.of.note.as_str()).collect::<Vec<_>>())
}

fn bind_reservations<'q>(query: Query<'q>, reservations: &[&'q Reservation]) -> Query<'q> {
    query
        .bind(reservations.iter().map(|r| r.key.order_id).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.key.line_no).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.key.key.sku.as_str()).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.key.key.location.as_str()).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.key.channel.as_str()).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.quantity).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.held).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.from_bucket).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.committed).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.returned).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.expires_at).collect::<Vec<_>>())
        .bind(reservations.iter().map(|r| r.created_at).collect::<Vec<_>>())
}
