//! The SQL of bargains and nothing else.

use chrono::{DateTime, NaiveDate, Utc};
use siyu_kernel::{Id, kind::Person};
use siyu_pg::Tx;

use super::domain::{Bargain, BargainId, Cut};
use crate::order::domain::OrderId;

/// Lets a person begin another bargain when the time of the one before is over.
pub async fn clear(
    tx: &mut Tx,
    activity: &str,
    person: Id<Person>,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update bargains set live = false
        where merchant_id = $1 and activity_code = $2 and person_id = $3 and live and deadline <= $4",
    )
    .bind(tx.merchant())
    .bind(activity)
    .bind(person)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores a bargain, unless the person is in one of the activity, be it under an id that leads to the person by a merge.
pub async fn insert(tx: &mut Tx, bargain: &Bargain) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into bargains
            (merchant_id, id, activity_code, definition, person_id, remaining_minor, cuts_left, seed, deadline, live,
                created_at)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, true, $10
        where not exists (
            select from buyer_aliases a
            cross join lateral (
                select from bargains
                where merchant_id = $1 and activity_code = $3 and person_id = a.person_id and live and deadline > $10
                limit 1
            ) as b
            where a.merchant_id = $1 and a.merged_into = $5 and a.merged_into is not null
        )
        on conflict (merchant_id, activity_code, person_id) where live do nothing",
    )
    .bind(tx.merchant())
    .bind(bargain.id)
    .bind(&bargain.activity_code)
    .bind(&bargain.definition)
    .bind(bargain.person_id)
    .bind(bargain.remaining_minor)
    .bind(bargain.cuts_left)
    .bind(&bargain.seed)
    .bind(bargain.deadline)
    .bind(bargain.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A bargain.
pub async fn find(tx: &mut Tx, id: BargainId) -> Result<Option<Bargain>, siyu_pg::Error> {
    let bargain = sqlx::query_as(
        "select id, activity_code, definition, person_id, remaining_minor, cuts_left, seed, deadline, order_id, created_at
        from bargains
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(bargain)
}

/// A bargain, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: BargainId) -> Result<Option<Bargain>, siyu_pg::Error> {
    let bargain = sqlx::query_as(
        "select id, activity_code, definition, person_id, remaining_minor, cuts_left, seed, deadline, order_id, created_at
        from bargains
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(bargain)
}

/// The cuts of a bargain, in order.
pub async fn cuts(tx: &mut Tx, id: BargainId) -> Result<Vec<Cut>, siyu_pg::Error> {
    let cuts = sqlx::query_as(
        "select seq, person_id, amount_minor, created_at
        from bargain_cuts
        where merchant_id = $1 and bargain_id = $2
        order by seq",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(cuts)
}

/// Keeps a cut of a bargain that the transaction has locked, and the bargain after it; says no when the person has helped
/// in it before, be it under an id that leads to the person by a merge.
pub async fn insert_cut(tx: &mut Tx, bargain: &Bargain, cut: &Cut) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "with cut as (
            insert into bargain_cuts (merchant_id, bargain_id, seq, person_id, amount_minor, created_at)
            select $1, $2, $3, $4, $5, $6
            where not exists (
                select from buyer_aliases a
                cross join lateral (
                    select from bargain_cuts
                    where merchant_id = $1 and bargain_id = $2 and person_id = a.person_id
                    limit 1
                ) as c
                where a.merchant_id = $1 and a.merged_into = $4 and a.merged_into is not null
            )
            on conflict on constraint bargain_cuts_person_id_key do nothing
            returning bargain_id
        )
        update bargains as b set remaining_minor = $7, cuts_left = $8
        from cut
        where b.merchant_id = $1 and b.id = cut.bargain_id",
    )
    .bind(tx.merchant())
    .bind(bargain.id)
    .bind(cut.seq)
    .bind(cut.person_id)
    .bind(cut.amount_minor)
    .bind(cut.created_at)
    .bind(bargain.remaining_minor)
    .bind(bargain.cuts_left)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts one more help of a person on a day, if the activity allows that together with those under ids that lead to the
/// person by a merge.
pub async fn count_help(
    tx: &mut Tx,
    activity: &str,
    person: Id<Person>,
    day: NaiveDate,
    limit: i32,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "with aliases as (
            select coalesce(sum(h.helps), 0) as helps
            from buyer_aliases a
            cross join lateral (
                select helps from bargain_helps
                where merchant_id = $1 and activity_code = $2 and person_id = a.person_id and day = $4
                limit 1
            ) as h
            where a.merchant_id = $1 and a.merged_into = $3 and a.merged_into is not null
        )
        insert into bargain_helps as h (merchant_id, activity_code, person_id, day, helps)
        select $1, $2, $3, $4, 1 from aliases where aliases.helps < $5
        on conflict on constraint bargain_helps_pkey do update
        set helps = h.helps + 1
        where h.helps + (select helps from aliases) < $5",
    )
    .bind(tx.merchant())
    .bind(activity)
    .bind(person)
    .bind(day)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A bargain went into an order.
pub async fn set_order(tx: &mut Tx, id: BargainId, order: OrderId) -> Result<(), siyu_pg::Error> {
    sqlx::query("update bargains set order_id = $3 where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .bind(order)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The order of a bargain has ended.
pub async fn clear_order(tx: &mut Tx, order: OrderId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update bargains set order_id = null where merchant_id = $1 and order_id = $2 and order_id is not null",
    )
    .bind(tx.merchant())
    .bind(order)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
