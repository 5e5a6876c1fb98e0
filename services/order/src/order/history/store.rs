//! The SQL of what happened to orders and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::order::domain::{Order, OrderId, State};

/// One thing that happened: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// The revision of the order that it made.
    pub seq: i64,
    /// What caused it.
    pub key: String,
    /// What happened.
    pub event: String,
    /// The state before; `None` for the first.
    pub from_state: Option<State>,
    /// The state since.
    pub to_state: State,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// An order, locked until the transaction ends, and whether a cause has happened to it before.
pub async fn lock(
    tx: &mut Tx,
    id: OrderId,
    key: &str,
) -> Result<Option<(Order, bool)>, siyu_pg::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        order: Order,
        happened: bool,
    }
    let row: Option<Row> = sqlx::query_as(
        "select id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
            paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at,
            exists (
                select from order_events e where e.merchant_id = $1 and e.order_id = $2 and e.key = $3
            ) as happened
        from orders
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(key)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (row.order, row.happened)))
}

/// What an order waits for before it goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Wait {
    /// Somebody who takes it on: the job asks at once.
    Route,
    /// The buyer's word that it came, so many of its own days.
    Confirm,
    /// The end of the after-sale window, so many of its own days.
    AfterSale,
    /// Nothing.
    Never,
}

/// Saves the head of an order that the transaction has locked, what happened to it, and what it waits for from then on where that
/// is another thing than before, in one round trip.
pub async fn save(
    tx: &mut Tx,
    order: &Order,
    entry: &Entry,
    wait: Option<Wait>,
) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "with saved as (
            update orders
            set state = $3, paid_at = $4, paid_minor = $5, quantity = $6, revision = $7, told = $8
            where merchant_id = $1 and id = $2 and revision = $7 - 1
            returning id
        ), ripening as (
            update checkouts set ripe_at = case $15::text
                when 'route' then $14::timestamptz
                when 'confirm' then $14 + make_interval(days => confirm_days)
                when 'after_sale' then $14 + make_interval(days => after_sale_days)
            end
            where $15::text is not null and merchant_id = $1 and order_id = $2
        )
        insert into order_events
            (merchant_id, order_id, seq, key, event, from_state, to_state, actor, reason, occurred_at)
        select $1, id, $7, $9, $10, $11, $3, $12, $13, $14 from saved",
    )
    .bind(tx.merchant())
    .bind(order.id)
    .bind(order.state)
    .bind(order.paid_at)
    .bind(order.paid_minor)
    .bind(order.quantity)
    .bind(order.revision)
    .bind(order.told)
    .bind(&entry.key)
    .bind(&entry.event)
    .bind(entry.from_state)
    .bind(&entry.actor)
    .bind(&entry.reason)
    .bind(entry.occurred_at)
    .bind(wait)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a locked order is saved at the revision that was read");
    Ok(())
}

/// Entries of an order after a number, in order.
pub async fn list(
    tx: &mut Tx,
    id: OrderId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, siyu_pg::Error> {
    let entries = sqlx::query_as(
        "select seq, key, event, from_state, to_state, actor, reason, occurred_at
        from order_events
        where merchant_id = $1 and order_id = $2 and ($3::bigint is null or seq > $3)
        order by seq
        limit $4",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(entries)
}
