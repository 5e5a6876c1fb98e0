//! The SQL of coupons and nothing else.

mod given;
mod templates;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

pub use given::{count_given, given, lock_for_refund};
pub use templates::{TemplateRow, list_templates, take_one, templates, upsert_templates};

use super::domain::{Coupon, CouponId, PersonId};
use crate::order::domain::OrderId;

/// Counts one more claim of a person, if the template allows that.
pub async fn count_one(
    tx: &mut Tx,
    code: &str,
    person: PersonId,
    per_person: i32,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into coupon_claims (merchant_id, template_code, person_id, claimed, own)
        values ($1, $2, $3, 1, 1)
        on conflict on constraint coupon_claims_pkey do update
        set claimed = coupon_claims.claimed + 1, own = coupon_claims.own + 1
        where coupon_claims.claimed < $4",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(person)
    .bind(per_person)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores a coupon.
pub async fn insert(tx: &mut Tx, coupon: &Coupon) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into coupons
            (merchant_id, id, template_code, person_id, definition, valid_from, valid_to, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.merchant())
    .bind(coupon.id)
    .bind(&coupon.template_code)
    .bind(coupon.person_id)
    .bind(&coupon.definition)
    .bind(coupon.valid_from)
    .bind(coupon.valid_to)
    .bind(coupon.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The coupons of a person before an id, newest first; those that end after an instant, or all.
pub async fn list(
    tx: &mut Tx,
    person: PersonId,
    ends_after: Option<DateTime<Utc>>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Coupon>, siyu_pg::Error> {
    let coupons = sqlx::query_as(
        "select id, template_code, person_id, definition, valid_from, valid_to, created_at, state, transfers, redeemed_at,
            given_order_id
        from coupons
        where merchant_id = $1 and person_id = $2 and ($3::timestamptz is null or valid_to > $3)
            and ($4::uuid is null or id < $4)
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(ends_after)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(coupons)
}

/// The coupons of a person that can be used and end after an instant, the soonest first.
pub async fn standing(
    tx: &mut Tx,
    person: PersonId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Coupon>, siyu_pg::Error> {
    let coupons = sqlx::query_as(
        "select id, template_code, person_id, definition, valid_from, valid_to, created_at, state, transfers, redeemed_at,
            given_order_id
        from coupons
        where merchant_id = $1 and person_id = $2 and valid_to > $3 and state = 'issued'
        order by valid_to, id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(coupons)
}

/// Locks coupons of a person for an order; gives how many were there to be locked: one that was given on meanwhile is not.
/// `ids` are sorted, so that two orders never wait for each other.
pub async fn lock(
    tx: &mut Tx,
    person: PersonId,
    ids: &[CouponId],
    order: OrderId,
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "update coupons as c set state = 'locked', order_id = $3
        from unnest($2::uuid[]) as k (id)
        where c.merchant_id = $1 and c.id = k.id and c.state = 'issued' and c.person_id = $4",
    )
    .bind(tx.merchant())
    .bind(ids)
    .bind(order)
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// How many of the coupons a person has and can use; those are locked for the transaction, so that they can be.
pub async fn count_issued(
    tx: &mut Tx,
    person: PersonId,
    ids: &[CouponId],
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "select from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select from coupons
            where merchant_id = $1 and id = k.id and state = 'issued' and person_id = $3
            for update
        ) as c",
    )
    .bind(tx.merchant())
    .bind(ids)
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// A coupon.
pub async fn find(tx: &mut Tx, id: CouponId) -> Result<Option<Coupon>, siyu_pg::Error> {
    let coupon = sqlx::query_as(
        "select id, template_code, person_id, definition, valid_from, valid_to, created_at, state, transfers, redeemed_at,
            given_order_id
        from coupons
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(coupon)
}

/// A coupon, locked until the transaction ends.
pub async fn lock_one(tx: &mut Tx, id: CouponId) -> Result<Option<Coupon>, siyu_pg::Error> {
    let coupon = sqlx::query_as(
        "select id, template_code, person_id, definition, valid_from, valid_to, created_at, state, transfers, redeemed_at,
            given_order_id
        from coupons
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(coupon)
}

/// Saves the state of a coupon that the transaction has locked and that no order has.
pub async fn save_state(
    tx: &mut Tx,
    coupon: &Coupon,
    redeemed_at: Option<DateTime<Utc>>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update coupons set state = $3, redeemed_at = $4 where merchant_id = $1 and id = $2 and order_id is null",
    )
    .bind(tx.merchant())
    .bind(coupon.id)
    .bind(coupon.state)
    .bind(redeemed_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves who holds a coupon that the transaction has locked. Where it came from by a merge of persons is over with that.
pub async fn give(tx: &mut Tx, coupon: &Coupon) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update coupons set person_id = $3, transfers = $4, origin_person_id = null
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(coupon.id)
    .bind(coupon.person_id)
    .bind(coupon.transfers)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives back what an order has locked or used. One whose time is over meanwhile comes back expired.
pub async fn give_back(tx: &mut Tx, order: OrderId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update coupons set state = 'issued', order_id = null where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
