//! The SQL of orders and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{Person, Store},
};
use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::{Line, Order, OrderId};

/// Which orders a list shows; `None` holds for every order.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this buyer.
    pub person_id: Option<Id<Person>>,
    /// Of this platform.
    pub platform: Option<String>,
    /// Of this store.
    pub store_id: Option<Id<Store>>,
    /// In this state.
    pub state: Option<&'static str>,
    /// Of this domain.
    pub domain: Option<&'static str>,
    /// Paid at this instant or later.
    pub paid_from: Option<DateTime<Utc>>,
    /// Paid before this instant.
    pub paid_to: Option<DateTime<Utc>>,
}

/// Where a page ends: the payment and id of its last order. Orders that are not paid come last.
pub type Cursor = (Option<DateTime<Utc>>, Uuid);

/// One order.
pub async fn find(tx: &mut Tx, id: OrderId) -> Result<Option<Order>, siyu_pg::Error> {
    let order = sqlx::query_as(
        "select id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
            paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at
        from orders
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(order)
}

/// One order of whatever platform, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: OrderId) -> Result<Option<Order>, siyu_pg::Error> {
    let order = sqlx::query_as(
        "select id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
            paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at
        from orders
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(order)
}

/// The lines of one order, by number.
pub async fn lines(tx: &mut Tx, id: OrderId) -> Result<Vec<Line>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select line_no, sku, category, quantity, paid_minor, version
        from order_lines
        where merchant_id = $1 and order_id = $2
        order by line_no",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

/// Orders after a cursor, newest payment first. Orders without a payment stand at its lowest value, at the end.
pub async fn list(
    tx: &mut Tx,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Order>, siyu_pg::Error> {
    let after_paid = after.and_then(|(paid_at, _)| paid_at);
    let after_id = after.map(|(_, id)| id);
    let orders = sqlx::query_as(
        "select id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
            paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at
        from orders
        where merchant_id = $1
            and ($2::uuid is null or person_id = $2)
            and ($3::text is null or platform = $3)
            and ($4::uuid is null or store_id = $4)
            and ($5::text is null or state = $5)
            and ($6::text is null or domain = $6)
            and ($7::timestamptz is null or paid_at >= $7)
            and ($8::timestamptz is null or paid_at < $8)
            and ($10::uuid is null
                or (coalesce(paid_at, '-infinity'), id) < (coalesce($9::timestamptz, '-infinity'), $10))
        order by coalesce(paid_at, '-infinity') desc, id desc
        limit $11",
    )
    .bind(tx.merchant())
    .bind(filter.person_id)
    .bind(filter.platform.as_deref())
    .bind(filter.store_id)
    .bind(filter.state)
    .bind(filter.domain)
    .bind(filter.paid_from)
    .bind(filter.paid_to)
    .bind(after_paid)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(orders)
}

/// Saves what lines of an order that the transaction has locked now hold.
pub async fn save_amounts(tx: &mut Tx, id: OrderId, lines: &[Line]) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update order_lines as l set quantity = n.quantity, paid_minor = n.paid_minor
        from unnest($3::int[], $4::bigint[], $5::bigint[]) as n (line_no, quantity, paid_minor)
        where l.merchant_id = $1 and l.order_id = $2 and l.line_no = n.line_no",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(lines.iter().map(|line| line.line_no).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.paid_minor).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == lines.len() as u64, "lines of an order stay");
    Ok(())
}

/// Stores an order that was placed here, with its lines and the first entry of its history, in one round trip.
pub async fn insert(
    tx: &mut Tx,
    order: &Order,
    lines: &[Line],
    actor: &str,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with head as (
            insert into orders (merchant_id, id, platform, shop_id, platform_order_no, person_id, state, domain, channel,
                store_id, paid_at, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at,
                paid_version)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null, $11, $12, 0, $13, 1, $14, false, $14, null)
        ), entry as (
            insert into order_events
                (merchant_id, order_id, seq, key, event, from_state, to_state, actor, reason, occurred_at)
            values ($1, $2, 1, 'place', 'placed', null, $7, $15, '', $14)
        )
        insert into order_lines (merchant_id, order_id, line_no, sku, category, quantity, paid_minor, version)
        select $1, $2, n.line_no, n.sku, n.category, n.quantity, n.paid_minor, $14
        from unnest($16::int[], $17::text[], $18::text[], $19::bigint[], $20::bigint[])
            as n (line_no, sku, category, quantity, paid_minor)",
    )
    .bind(tx.merchant())
    .bind(order.id)
    .bind(&order.platform)
    .bind(&order.shop_id)
    .bind(&order.platform_order_no)
    .bind(order.person_id)
    .bind(order.state)
    .bind(order.domain)
    .bind(&order.channel)
    .bind(order.store_id)
    .bind(order.currency.0.code())
    .bind(order.paid_minor)
    .bind(order.quantity)
    .bind(order.created_at)
    .bind(actor)
    .bind(lines.iter().map(|line| line.line_no).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.category.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.paid_minor).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
