//! The SQL of blind boxes and nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use siyu_proto::order::v1::BlindBox;

use super::domain::{BoxOrder, Draw, PrizeRow, State, VersionRow};
use crate::order::domain::OrderId;

mod dry;

pub use dry::{lock_dry, save_dry};

/// Lets one version of a box be published after the other.
pub async fn hold(tx: &mut Tx, code: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('order.blind_box ' || $1::uuid::text || ' ' || $2::text, 0))",
    )
    .bind(tx.merchant())
    .bind(code)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores a version with its prizes.
pub async fn insert(tx: &mut Tx, row: &VersionRow, of: &BlindBox) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into blind_boxes (merchant_id, code, version, definition, reserved, created_at)
        values ($1, $2, $3, $4, 0, $5)",
    )
    .bind(tx.merchant())
    .bind(&row.code)
    .bind(row.version)
    .bind(&row.definition)
    .bind(row.created_at)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "insert into blind_box_prizes (merchant_id, code, version, prize, stock, drawn)
        select $1, $2, $3, n.prize, n.stock, 0 from unnest($4::text[], $5::bigint[]) as n (prize, stock)",
    )
    .bind(tx.merchant())
    .bind(&row.code)
    .bind(row.version)
    .bind(of.prizes.iter().map(|prize| prize.code.as_str()).collect::<Vec<_>>())
    .bind(of.prizes.iter().map(|prize| prize.stock).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A version of a box; `None` asks for the latest.
pub async fn find(
    tx: &mut Tx,
    code: &str,
    version: Option<i32>,
) -> Result<Option<VersionRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select code, version, definition, reserved, created_at
        from blind_boxes
        where merchant_id = $1 and code = $2 and ($3::integer is null or version = $3)
        order by version desc
        limit 1",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// The latest version of a box, locked until the transaction ends.
pub async fn lock_latest(tx: &mut Tx, code: &str) -> Result<Option<VersionRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select code, version, definition, reserved, created_at
        from blind_boxes
        where merchant_id = $1 and code = $2
        order by version desc
        limit 1
        for update",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// A version, locked until the transaction ends.
pub async fn lock(
    tx: &mut Tx,
    code: &str,
    version: i32,
) -> Result<Option<VersionRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select code, version, definition, reserved, created_at
        from blind_boxes
        where merchant_id = $1 and code = $2 and version = $3
        for update",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(version)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Boxes after a code, each in its latest version.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<VersionRow>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select distinct on (code) code, version, definition, reserved, created_at
        from blind_boxes
        where merchant_id = $1 and ($2::text is null or code > $2)
        order by code, version desc
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// How many of each prize of versions of boxes there are, in one look, each with the place of its version among those given.
pub async fn prizes_of(
    tx: &mut Tx,
    versions: &[VersionRow],
) -> Result<Vec<(i64, PrizeRow)>, siyu_pg::Error> {
    let rows: Vec<(i64, String, i64, i64)> = sqlx::query_as(
        "select k.n - 1, p.prize, p.stock, p.drawn
        from unnest($2::text[], $3::integer[]) with ordinality as k (code, version, n)
        cross join lateral (
            select prize, stock, drawn from blind_box_prizes
            where merchant_id = $1 and code = k.code and version = k.version
            offset 0
        ) as p",
    )
    .bind(tx.merchant())
    .bind(versions.iter().map(|row| row.code.as_str()).collect::<Vec<_>>())
    .bind(versions.iter().map(|row| row.version).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    let row = |(place, prize, stock, drawn)| (place, PrizeRow { prize, stock, drawn });
    Ok(rows.into_iter().map(row).collect())
}

/// Stores an order of boxes and reserves its pieces, of a version that the transaction has locked.
pub async fn insert_order(tx: &mut Tx, order: &BoxOrder) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with reserved as (
            update blind_boxes set reserved = reserved + $6
            where merchant_id = $1 and code = $3 and version = $4
        )
        insert into blind_box_orders
            (merchant_id, order_id, code, version, person_id, pieces, seed, age, guardian_consent, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tx.merchant())
    .bind(order.order_id)
    .bind(&order.code)
    .bind(order.version)
    .bind(order.person_id)
    .bind(order.pieces)
    .bind(&order.seed)
    .bind(order.age)
    .bind(order.guardian_consent)
    .bind(order.state)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An order of boxes.
pub async fn order(tx: &mut Tx, id: OrderId) -> Result<Option<BoxOrder>, siyu_pg::Error> {
    let order = sqlx::query_as(
        "select order_id, code, version, person_id, pieces, seed, age, guardian_consent, state
        from blind_box_orders
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(order)
}

/// Stores what was drawn.
pub async fn insert_draws(
    tx: &mut Tx,
    order: OrderId,
    draws: &[Draw],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into blind_box_draws (merchant_id, order_id, seq, number, prize, sku, guaranteed, drawn_at)
        select $1, $2, n.seq, n.number, n.prize, n.sku, n.guaranteed, $8
        from unnest($3::integer[], $4::integer[], $5::text[], $6::text[], $7::boolean[])
            as n (seq, number, prize, sku, guaranteed)",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(draws.iter().map(|draw| draw.seq).collect::<Vec<_>>())
    .bind(draws.iter().map(|draw| draw.number).collect::<Vec<_>>())
    .bind(draws.iter().map(|draw| draw.prize.as_str()).collect::<Vec<_>>())
    .bind(draws.iter().map(|draw| draw.sku.as_str()).collect::<Vec<_>>())
    .bind(draws.iter().map(|draw| draw.guaranteed).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Counts what was drawn, of a version that the transaction has locked.
pub async fn count_drawn(
    tx: &mut Tx,
    order: &BoxOrder,
    counts: &BTreeMap<&str, i64>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update blind_box_prizes as p set drawn = p.drawn + n.drawn
        from unnest($4::text[], $5::bigint[]) as n (prize, drawn)
        where p.merchant_id = $1 and p.code = $2 and p.version = $3 and p.prize = n.prize",
    )
    .bind(tx.merchant())
    .bind(&order.code)
    .bind(order.version)
    .bind(counts.keys().copied().collect::<Vec<_>>())
    .bind(counts.values().copied().collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The end of a reservation: what is reserved no longer, and where the order is since.
pub async fn settle(tx: &mut Tx, order: &BoxOrder, state: State) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with settled as (
            update blind_box_orders set state = $5
            where merchant_id = $1 and order_id = $2 and state = 'reserved'
            returning pieces
        )
        update blind_boxes as b set reserved = b.reserved - s.pieces
        from settled as s
        where b.merchant_id = $1 and b.code = $3 and b.version = $4",
    )
    .bind(tx.merchant())
    .bind(order.order_id)
    .bind(&order.code)
    .bind(order.version)
    .bind(state)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an order has drawn, by piece.
pub async fn draws(tx: &mut Tx, order: OrderId) -> Result<Vec<Draw>, siyu_pg::Error> {
    let draws = sqlx::query_as(
        "select seq, number, prize, sku, guaranteed
        from blind_box_draws
        where merchant_id = $1 and order_id = $2
        order by seq",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(draws)
}
