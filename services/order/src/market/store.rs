//! The SQL of activities and of orders under them, and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Person};
use siyu_pg::Tx;

use super::activity::Kind;
use crate::order::domain::OrderId;

/// An activity: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// The merchant's own key.
    pub code: String,
    /// The encoded activity.
    pub definition: Vec<u8>,
}

/// An order under an activity: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// The kind of activity.
    pub kind: Kind,
    /// The activity.
    pub code: String,
    /// Whom it counts for.
    pub person_id: Id<Person>,
    /// How much it counts.
    pub taken: i64,
    /// The channel that its stock comes from; empty: the usual one.
    pub stock_channel: String,
    /// Whether it ended unpaid.
    pub ended: bool,
}

/// Inserts activities or saves those that were other; sorted by code, so that two calls never wait for each other.
pub async fn upsert(
    tx: &mut Tx,
    kind: Kind,
    rows: &[Row],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into activities (merchant_id, kind, code, definition, created_at, updated_at)
        select $1, $2, n.code, n.definition, $5, $5 from unnest($3::text[], $4::bytea[]) as n (code, definition)
        on conflict on constraint activities_pkey do update
        set definition = excluded.definition, updated_at = excluded.updated_at
        where activities.definition <> excluded.definition",
    )
    .bind(tx.merchant())
    .bind(kind)
    .bind(rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.definition.as_slice()).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One activity.
pub async fn find(tx: &mut Tx, kind: Kind, code: &str) -> Result<Option<Row>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select code, definition from activities where merchant_id = $1 and kind = $2 and code = $3",
    )
    .bind(tx.merchant())
    .bind(kind)
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Activities after a code.
pub async fn list(
    tx: &mut Tx,
    kind: Kind,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select code, definition from activities
        where merchant_id = $1 and kind = $2 and ($3::text is null or code > $3)
        order by code
        limit $4",
    )
    .bind(tx.merchant())
    .bind(kind)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Counts more for a person, if that stays within a limit together with what was taken under ids that lead to the person by a
/// merge; from here on until the commit others wait. Each id keeps its own count, so that an unmerge finds it.
pub async fn take(
    tx: &mut Tx,
    (kind, code): (Kind, &str),
    person: Id<Person>,
    more: i64,
    limit: i64,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "with aliases as (
            select coalesce(sum(c.taken), 0)::bigint as taken
            from buyer_aliases a
            cross join lateral (
                select taken from activity_counts
                where merchant_id = $1 and kind = $2 and code = $3 and person_id = a.person_id
                limit 1
            ) as c
            where a.merchant_id = $1 and a.merged_into = $4 and a.merged_into is not null
        )
        insert into activity_counts as c (merchant_id, kind, code, person_id, taken)
        select $1, $2, $3, $4, $5::bigint from aliases where $5::bigint + aliases.taken <= $6
        on conflict on constraint activity_counts_pkey do update
        set taken = c.taken + excluded.taken
        where c.taken + excluded.taken + (select taken from aliases) <= $6",
    )
    .bind(tx.merchant())
    .bind(kind)
    .bind(code)
    .bind(person)
    .bind(more)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores that an order takes part.
pub async fn insert_entry(
    tx: &mut Tx,
    order: OrderId,
    entry: &Entry,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into activity_orders (merchant_id, order_id, kind, code, person_id, taken, stock_channel, ended)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(entry.kind)
    .bind(&entry.code)
    .bind(entry.person_id)
    .bind(entry.taken)
    .bind(&entry.stock_channel)
    .bind(entry.ended)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an order takes part in.
pub async fn entry(tx: &mut Tx, order: OrderId) -> Result<Option<Entry>, siyu_pg::Error> {
    let entry = sqlx::query_as(
        "select kind, code, person_id, taken, stock_channel, ended
        from activity_orders
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(entry)
}

/// Gives back what an order has taken, once.
pub async fn give_back(tx: &mut Tx, order: OrderId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with ended as (
            update activity_orders set ended = true
            where merchant_id = $1 and order_id = $2 and not ended
            returning kind, code, person_id, taken
        )
        update activity_counts as c set taken = c.taken - e.taken
        from ended as e
        where c.merchant_id = $1 and c.kind = e.kind and c.code = e.code and c.person_id = e.person_id",
    )
    .bind(tx.merchant())
    .bind(order)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
