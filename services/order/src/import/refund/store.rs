//! The SQL of refunds of imported orders and nothing else. Every statement takes a whole batch and goes key by key, like those
//! of imports.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::Back;
use crate::{import::domain::Key, order::domain::OrderId};

/// A refund: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// The platform.
    pub platform: String,
    /// The shop on the platform.
    pub shop_id: String,
    /// The number of the order in the shop.
    pub platform_order_no: String,
    /// The number of the refund.
    pub refund_no: String,
    /// What was given back, and of what.
    #[sqlx(flatten)]
    pub back: Back,
    /// The platform's version.
    pub version: DateTime<Utc>,
    /// The row, for lists.
    pub id: Uuid,
    /// The order; none: it has not come yet.
    pub order_id: Option<OrderId>,
    /// When it came first.
    pub created_at: DateTime<Utc>,
}

impl Row {
    /// The order on its platform.
    pub fn key(&self) -> Key {
        Key {
            platform: self.platform.clone(),
            shop_id: self.shop_id.clone(),
            order_no: self.platform_order_no.clone(),
        }
    }
}

/// Those of the refunds, named by order, number and line, that are known.
pub async fn known(tx: &mut Tx, refunds: &[(&Key, &str, i32)]) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select r.*
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
            as k (platform, shop_id, order_no, refund_no, line_no)
        cross join lateral (
            select platform, shop_id, platform_order_no, refund_no, line_no, amount_minor, quantity, version, id, order_id,
                created_at
            from imported_refunds
            where merchant_id = $1 and platform = k.platform and shop_id = k.shop_id
                and platform_order_no = k.order_no and refund_no = k.refund_no and line_no = k.line_no
            limit 1
        ) as r",
    )
    .bind(tx.merchant())
    .bind(refunds.iter().map(|(key, ..)| key.platform.as_str()).collect::<Vec<_>>())
    .bind(refunds.iter().map(|(key, ..)| key.shop_id.as_str()).collect::<Vec<_>>())
    .bind(refunds.iter().map(|(key, ..)| key.order_no.as_str()).collect::<Vec<_>>())
    .bind(refunds.iter().map(|(_, refund_no, _)| *refund_no).collect::<Vec<_>>())
    .bind(refunds.iter().map(|(.., line_no)| *line_no).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Stores refunds, or what is newer of them.
pub async fn save(tx: &mut Tx, rows: &[Row]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into imported_refunds (merchant_id, platform, shop_id, platform_order_no, refund_no, line_no, amount_minor,
            quantity, version, id, order_id, created_at)
        select $1, n.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::bigint[],
            $9::timestamptz[], $10::uuid[], $11::uuid[], $12::timestamptz[]) as n
        on conflict on constraint imported_refunds_pkey do update
        set amount_minor = excluded.amount_minor, quantity = excluded.quantity, version = excluded.version,
            order_id = excluded.order_id",
    )
    .bind(tx.merchant())
    .bind(rows.iter().map(|row| row.platform.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.shop_id.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.platform_order_no.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.refund_no.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.back.line_no).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.back.amount_minor).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.back.quantity).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.order_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.created_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Everything that was given back of orders.
pub async fn of_orders(tx: &mut Tx, keys: &[&Key]) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select r.*
        from unnest($2::text[], $3::text[], $4::text[]) as k (platform, shop_id, order_no)
        cross join lateral (
            select platform, shop_id, platform_order_no, refund_no, line_no, amount_minor, quantity, version, id, order_id,
                created_at
            from imported_refunds
            where merchant_id = $1 and platform = k.platform and shop_id = k.shop_id
                and platform_order_no = k.order_no
            offset 0
        ) as r",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|key| key.platform.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.shop_id.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.order_no.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Refunds after a cursor, oldest first: of an order, or those that wait for theirs, or all.
pub async fn list(
    tx: &mut Tx,
    (order, waiting): (Option<OrderId>, bool),
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Row>, siyu_pg::Error> {
    let (after_created, after_id) = after.unzip();
    let rows = sqlx::query_as(
        "select platform, shop_id, platform_order_no, refund_no, line_no, amount_minor, quantity, version, id, order_id,
            created_at
        from imported_refunds
        where merchant_id = $1
            and ($2::uuid is null or order_id = $2)
            and (not $3 or order_id is null)
            and ($4::timestamptz is null or (created_at, id) > ($4, $5::uuid))
        order by created_at, id
        limit $6",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(waiting)
    .bind(after_created)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
