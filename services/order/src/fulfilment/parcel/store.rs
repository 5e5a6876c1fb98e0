//! The SQL of parcels and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{Parcel, content::Drawn};
use crate::{fulfilment::ParcelId, order::domain::OrderId};

/// Locks an order; false when there is none.
pub async fn lock_order(tx: &mut Tx, order: OrderId) -> Result<bool, siyu_pg::Error> {
    let found: Option<i32> =
        sqlx::query_scalar("select 1 from orders where merchant_id = $1 and id = $2 for update")
            .bind(tx.merchant())
            .bind(order)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(found.is_some())
}

/// What the order has now: lines with pieces.
pub async fn ordered(tx: &mut Tx, order: OrderId) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select line_no, quantity from order_lines where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

/// What was sent of it and has not come back: lines with pieces.
pub async fn sent(tx: &mut Tx, order: OrderId) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select s.line_no, greatest(s.pieces - b.returned, 0)
        from (
            select l.line_no, sum(l.quantity)::bigint as pieces
            from parcels as p
            cross join lateral (
                select line_no, quantity from parcel_lines where merchant_id = $1 and parcel_id = p.id
            ) as l
            where p.merchant_id = $1 and p.order_id = $2
            group by l.line_no
        ) as s
        cross join lateral (
            select coalesce(sum(returned), 0)::bigint as returned
            from assignment_lines
            where merchant_id = $1 and order_id = $2 and line_no = s.line_no
        ) as b",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

/// What of it has arrived and has not come back: lines with pieces.
pub async fn signed(tx: &mut Tx, order: OrderId) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select s.line_no, greatest(s.pieces - b.returned, 0)
        from (
            select l.line_no, sum(l.quantity)::bigint as pieces
            from parcels as p
            cross join lateral (
                select line_no, quantity from parcel_lines where merchant_id = $1 and parcel_id = p.id
            ) as l
            where p.merchant_id = $1 and p.order_id = $2 and p.signed_at is not null
            group by l.line_no
        ) as s
        cross join lateral (
            select coalesce(sum(returned), 0)::bigint as returned
            from assignment_lines
            where merchant_id = $1 and order_id = $2 and line_no = s.line_no
        ) as b",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

/// Stores a parcel; false when the order has one with that number.
pub async fn insert(tx: &mut Tx, parcel: &Parcel) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into parcels (merchant_id, id, order_id, part, store_id, carrier, tracking_no, shipped_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict on constraint parcels_tracking_no_key do nothing",
    )
    .bind(tx.merchant())
    .bind(parcel.id)
    .bind(parcel.order_id)
    .bind(parcel.part)
    .bind(parcel.store_id)
    .bind(&parcel.carrier)
    .bind(&parcel.tracking_no)
    .bind(parcel.shipped_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores what is in a parcel; a line may stand several times.
pub async fn insert_lines(
    tx: &mut Tx,
    parcel: ParcelId,
    lines: &[(i32, i64)],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into parcel_lines (merchant_id, parcel_id, line_no, quantity)
        select $1, $2, n.line_no, sum(n.quantity)::bigint
        from unnest($3::integer[], $4::bigint[]) as n (line_no, quantity)
        group by n.line_no",
    )
    .bind(tx.merchant())
    .bind(parcel)
    .bind(lines.iter().map(|(line_no, _)| *line_no).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, quantity)| *quantity).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One parcel.
pub async fn find(tx: &mut Tx, id: ParcelId) -> Result<Option<Parcel>, siyu_pg::Error> {
    let parcel = sqlx::query_as(
        "select id, order_id, part, store_id, carrier, tracking_no, shipped_at, signed_at
        from parcels
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(parcel)
}

/// The parcels of an order, as they were sent.
pub async fn list(tx: &mut Tx, order: OrderId) -> Result<Vec<Parcel>, siyu_pg::Error> {
    let parcels = sqlx::query_as(
        "select id, order_id, part, store_id, carrier, tracking_no, shipped_at, signed_at
        from parcels
        where merchant_id = $1 and order_id = $2
        order by id",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(parcels)
}

/// Says when a parcel arrived, if nobody has said so before.
pub async fn sign(tx: &mut Tx, id: ParcelId, at: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update parcels set signed_at = $3 where merchant_id = $1 and id = $2 and signed_at is null",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Parcels before one, newest first: of an order, or all.
pub async fn page(
    tx: &mut Tx,
    order: Option<OrderId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Parcel>, siyu_pg::Error> {
    let parcels = sqlx::query_as(
        "select id, order_id, part, store_id, carrier, tracking_no, shipped_at, signed_at
        from parcels
        where merchant_id = $1 and ($2::uuid is null or order_id = $2) and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(parcels)
}

/// What is in parcels: lines with pieces.
pub async fn lines(
    tx: &mut Tx,
    parcels: &[ParcelId],
) -> Result<Vec<(Uuid, i32, i64)>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select k.id, l.line_no, l.quantity
        from unnest($2::uuid[]) with ordinality as k (id, n)
        cross join lateral (
            select line_no, quantity from parcel_lines where merchant_id = $1 and parcel_id = k.id
        ) as l
        order by k.n, l.line_no",
    )
    .bind(tx.merchant())
    .bind(parcels)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

/// Which draws of blind boxes are in parcels.
pub async fn draws(tx: &mut Tx, parcels: &[ParcelId]) -> Result<Vec<Drawn>, siyu_pg::Error> {
    let draws = sqlx::query_as(
        "select k.id as parcel_id, d.seq, b.prize, b.sku
        from unnest($2::uuid[]) with ordinality as k (id, n)
        cross join lateral (
            select order_id, seq from parcel_draws where merchant_id = $1 and parcel_id = k.id
        ) as d
        cross join lateral (
            select prize, sku
            from blind_box_draws
            where merchant_id = $1 and order_id = d.order_id and seq = d.seq
        ) as b
        order by k.n, d.seq",
    )
    .bind(tx.merchant())
    .bind(parcels)
    .fetch_all(&mut **tx)
    .await?;
    Ok(draws)
}

/// The draws of an order that are in a parcel.
pub async fn sent_draws(tx: &mut Tx, order: OrderId) -> Result<Vec<i32>, siyu_pg::Error> {
    let draws = sqlx::query_scalar(
        "select seq from parcel_draws where merchant_id = $1 and order_id = $2 order by seq",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(draws)
}

/// Puts draws of an order into a parcel. The order is locked, and none of them is in another.
pub async fn insert_draws(
    tx: &mut Tx,
    (order, parcel): (OrderId, ParcelId),
    draws: &[i32],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into parcel_draws (merchant_id, order_id, seq, parcel_id)
        select $1, $2, n.seq, $3 from unnest($4::integer[]) as n (seq)",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(parcel)
    .bind(draws)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
