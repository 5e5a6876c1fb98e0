//! The SQL of what happened to coupons and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Store};
use siyu_pg::Tx;

use crate::coupon::domain::{CouponId, PersonId};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// It was given to another person.
    Transferred,
    /// It was redeemed in a store.
    Redeemed,
    /// That was undone.
    Reversed,
    /// The merchant took it back.
    Voided,
}

/// One thing that happened: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// Counts them from 1.
    pub seq: i32,
    /// What happened.
    pub kind: Kind,
    /// Who held the coupon before.
    pub person_id: PersonId,
    /// Who got it.
    pub to_person_id: Option<PersonId>,
    /// The store.
    pub store_id: Option<Id<Store>>,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Keeps what happened to a coupon that the transaction has locked, as the next entry; its `seq` does not matter.
pub async fn insert(tx: &mut Tx, coupon: CouponId, entry: &Entry) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into coupon_events
            (merchant_id, coupon_id, seq, kind, person_id, to_person_id, store_id, actor, reason, occurred_at)
        select $1, $2, count(*)::integer + 1, $3, $4, $5, $6, $7, $8, $9
        from coupon_events
        where merchant_id = $1 and coupon_id = $2",
    )
    .bind(tx.merchant())
    .bind(coupon)
    .bind(entry.kind)
    .bind(entry.person_id)
    .bind(entry.to_person_id)
    .bind(entry.store_id)
    .bind(&entry.actor)
    .bind(&entry.reason)
    .bind(entry.occurred_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Entries of a coupon after a number, in order.
pub async fn list(
    tx: &mut Tx,
    coupon: CouponId,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<Entry>, siyu_pg::Error> {
    let entries = sqlx::query_as(
        "select seq, kind, person_id, to_person_id, store_id, actor, reason, occurred_at
        from coupon_events
        where merchant_id = $1 and coupon_id = $2 and ($3::integer is null or seq > $3)
        order by seq
        limit $4",
    )
    .bind(tx.merchant())
    .bind(coupon)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(entries)
}

/// Whether somebody, or an alias, gave the coupon on before.
pub async fn has_given(
    tx: &mut Tx,
    coupon: CouponId,
    person: PersonId,
) -> Result<bool, siyu_pg::Error> {
    let has = sqlx::query_scalar(
        "select exists (
            select
            from coupon_events e
            left join lateral (
                select merged_into from buyer_aliases where merchant_id = $1 and person_id = e.person_id limit 1
            ) as a on true
            where e.merchant_id = $1 and e.coupon_id = $2 and e.kind = 'transferred'
                and coalesce(a.merged_into, e.person_id) = $3
        )",
    )
    .bind(tx.merchant())
    .bind(coupon)
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(has)
}
