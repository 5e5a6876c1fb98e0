//! The SQL of purchases and nothing else. Look-ups and changes of many rows go key by key.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{
    Brief, Totals,
    domain::{OrderId, Purchase},
};
use crate::person::{MergeId, PersonId};

/// What is known of an order: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub person_id: PersonId,
    /// The revision that is stored.
    pub revision: i64,
}

/// Locks what is known of orders.
pub async fn lock(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<Known>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select p.order_id, p.person_id, p.revision
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, person_id, revision
            from purchases
            where merchant_id = $1 and order_id = k.order_id
            limit 1
            for update
        ) as p",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Saves orders without their lines.
pub async fn save(tx: &mut Tx, purchases: &[&Purchase]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into purchases (merchant_id, order_id, person_id, store_id, platform, channel, domain, paid_at, paid_day,
            paid_minor, counts, revision)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[], $9::integer[], $10::bigint[], $11::boolean[], $12::bigint[])
        on conflict on constraint purchases_pkey do update
        set person_id = excluded.person_id, store_id = excluded.store_id, platform = excluded.platform,
            channel = excluded.channel, domain = excluded.domain, paid_at = excluded.paid_at,
            paid_day = excluded.paid_day, paid_minor = excluded.paid_minor, counts = excluded.counts,
            revision = excluded.revision",
    )
    .bind(tx.merchant())
    .bind(purchases.iter().map(|p| p.order_id).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.person_id).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.store_id).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.platform.as_str()).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.channel.as_str()).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.domain.as_str()).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.paid_at).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.paid_day.0).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.paid_minor).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.counts).collect::<Vec<_>>())
    .bind(purchases.iter().map(|p| p.revision).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the lines of orders.
pub async fn delete_lines(tx: &mut Tx, orders: &[OrderId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from purchase_lines
        where ctid = any (array(
            select l.row
            from unnest($2::uuid[]) as k (order_id)
            cross join lateral (
                select ctid as row
                from purchase_lines
                where merchant_id = $1 and order_id = k.order_id
                offset 0
            ) as l
        ))",
    )
    .bind(tx.merchant())
    .bind(orders)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Inserts the lines of orders that have none here.
pub async fn insert_lines(tx: &mut Tx, purchases: &[&Purchase]) -> Result<(), siyu_pg::Error> {
    let lines: Vec<_> =
        purchases.iter().flat_map(|p| p.lines.iter().map(move |l| (p, l))).collect();
    sqlx::query(
        "insert into purchase_lines
            (merchant_id, order_id, line_no, person_id, paid_at, sku, category, quantity, paid_minor)
        select $1, * from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
            $8::bigint[], $9::bigint[])",
    )
    .bind(tx.merchant())
    .bind(lines.iter().map(|(p, _)| p.order_id).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, l)| l.line_no).collect::<Vec<_>>())
    .bind(lines.iter().map(|(p, _)| p.person_id).collect::<Vec<_>>())
    .bind(lines.iter().map(|(p, _)| p.paid_at).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, l)| l.sku.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, l)| l.category.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, l)| l.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, l)| l.paid_minor).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Computes the sums of persons from their purchases, for those who bought something.
pub async fn save_totals(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_purchases
            (merchant_id, person_id, orders, paid_minor, first_paid_at, last_paid_at, purchase_days)
        select $1, k.person_id, s.*
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select count(*), coalesce(sum(paid_minor), 0)::bigint, min(paid_at), max(paid_at), count(distinct paid_day)
            from purchases
            where merchant_id = $1 and person_id = k.person_id and counts
        ) as s (orders, paid_minor, first_paid_at, last_paid_at, purchase_days)
        where s.orders > 0
        on conflict on constraint person_purchases_pkey do update
        set orders = excluded.orders, paid_minor = excluded.paid_minor, first_paid_at = excluded.first_paid_at,
            last_paid_at = excluded.last_paid_at, purchase_days = excluded.purchase_days",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the sums of those persons who have bought nothing that counts.
pub async fn delete_empty_totals(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from person_purchases
        where ctid = any (array(
            select t.row
            from unnest($2::uuid[]) as k (person_id)
            cross join lateral (
                select ctid as row
                from person_purchases
                where merchant_id = $1 and person_id = k.person_id
                limit 1
            ) as t
            where (
                select true from purchases where merchant_id = $1 and person_id = k.person_id and counts limit 1
            ) is null
        ))",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What persons bought in all; who bought nothing is not among them.
pub async fn totals(tx: &mut Tx, persons: &[PersonId]) -> Result<Vec<Totals>, siyu_pg::Error> {
    let totals = sqlx::query_as(
        "select t.*
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select person_id, orders, paid_minor, first_paid_at, last_paid_at, purchase_days
            from person_purchases
            where merchant_id = $1 and person_id = k.person_id
            limit 1
        ) as t",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(totals)
}

/// What a person bought last, latest first.
pub async fn latest(
    tx: &mut Tx,
    person: PersonId,
    limit: i64,
) -> Result<Vec<Brief>, siyu_pg::Error> {
    let latest = sqlx::query_as(
        "select order_id, store_id, platform, paid_at, paid_minor
        from purchases
        where merchant_id = $1 and person_id = $2 and counts
        order by paid_at desc
        limit $3",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(latest)
}

/// The orders of a person that count, before an instant and an id, latest first.
pub async fn list(
    tx: &mut Tx,
    person: PersonId,
    before: Option<&(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Brief>, siyu_pg::Error> {
    let orders = sqlx::query_as(
        "select order_id, store_id, platform, paid_at, paid_minor
        from purchases
        where merchant_id = $1 and person_id = $2 and counts
            and ($3::timestamptz is null or (paid_at, order_id) < ($3, $4::uuid))
        order by paid_at desc, order_id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(before.map(|(at, _)| at))
    .bind(before.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(orders)
}

/// The orders of a person, those that do not count too.
pub async fn of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<OrderId>, siyu_pg::Error> {
    let orders = sqlx::query_scalar(
        "select order_id from purchases where merchant_id = $1 and person_id = $2 order by order_id for update",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_all(&mut **tx)
    .await?;
    Ok(orders)
}

/// Gives orders with their lines to a person.
pub async fn give(tx: &mut Tx, person: PersonId, orders: &[OrderId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update purchases set person_id = $3
        where ctid = any (array(
            select p.row
            from unnest($2::uuid[]) as k (order_id)
            cross join lateral (
                select ctid as row from purchases where merchant_id = $1 and order_id = k.order_id limit 1
            ) as p
        ))",
    )
    .bind(tx.merchant())
    .bind(orders)
    .bind(person)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update purchase_lines set person_id = $3
        where ctid = any (array(
            select l.row
            from unnest($2::uuid[]) as k (order_id)
            cross join lateral (
                select ctid as row from purchase_lines where merchant_id = $1 and order_id = k.order_id offset 0
            ) as l
        ))",
    )
    .bind(tx.merchant())
    .bind(orders)
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Remembers which orders a merge moved.
pub async fn remember_moved(
    tx: &mut Tx,
    merge: MergeId,
    orders: &[OrderId],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into purchase_moves (merchant_id, merge_id, order_id)
        select $1, $2, order_id from unnest($3::uuid[]) as n (order_id)",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(orders)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets which orders a merge moved; returns those that are still the survivor's.
pub async fn forget_moved(
    tx: &mut Tx,
    merge: MergeId,
    survivor: PersonId,
) -> Result<Vec<OrderId>, siyu_pg::Error> {
    let moved: Vec<OrderId> = sqlx::query_scalar(
        "delete from purchase_moves where merchant_id = $1 and merge_id = $2 returning order_id",
    )
    .bind(tx.merchant())
    .bind(merge)
    .fetch_all(&mut **tx)
    .await?;
    let known = lock(tx, &moved).await?;
    Ok(known.into_iter().filter(|row| row.person_id == survivor).map(|row| row.order_id).collect())
}
