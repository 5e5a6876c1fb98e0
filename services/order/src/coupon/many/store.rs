//! The SQL of claims for many and nothing else.

use std::collections::HashMap;

use siyu_pg::Tx;
use siyu_proto::order::v1::CouponTemplate;

use super::per_person;
use crate::coupon::{
    domain::{Coupon, PersonId},
    store::TemplateRow,
};

/// A template, locked until the transaction ends: other claims wait.
pub async fn lock_template(tx: &mut Tx, code: &str) -> Result<Option<TemplateRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select code, definition, claimed from coupon_templates
        where merchant_id = $1 and code = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// How many coupons of a template persons have; who has none may be missing.
pub async fn counts(
    tx: &mut Tx,
    code: &str,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, i32>, siyu_pg::Error> {
    let rows: Vec<(PersonId, i32)> = sqlx::query_as(
        "select c.person_id, c.claimed
        from unnest($3::uuid[]) as k (id)
        cross join lateral (
            select person_id, claimed from coupon_claims
            where merchant_id = $1 and template_code = $2 and person_id = k.id
            limit 1
        ) as c",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Stores coupons and counts them, for the template and for each person; never beyond what the template allows, which the
/// caller has seen to.
pub async fn insert(
    tx: &mut Tx,
    template: &CouponTemplate,
    coupons: &[Coupon],
) -> Result<(), siyu_pg::Error> {
    let Some(first) = coupons.first() else { return Ok(()) };
    let counts = per_person(coupons);
    let done = sqlx::query(
        "with taken as (
            update coupon_templates set claimed = claimed + $3
            where merchant_id = $1 and code = $2 and ($4 = 0 or claimed + $3 <= $4)
            returning code
        ), counted as (
            insert into coupon_claims as c (merchant_id, template_code, person_id, claimed, own)
            select $1, $2, n.person_id, n.claimed, n.claimed
            from unnest($5::uuid[], $6::integer[]) as n (person_id, claimed)
            on conflict on constraint coupon_claims_pkey do update
            set claimed = c.claimed + excluded.own, own = c.own + excluded.own
        )
        insert into coupons (merchant_id, id, template_code, person_id, definition, valid_from, valid_to, created_at,
            given_order_id)
        select $1, n.id, taken.code, n.person_id, $9, $10, $11, $12, $13
        from taken cross join unnest($7::uuid[], $8::uuid[]) as n (id, person_id)",
    )
    .bind(tx.merchant())
    .bind(&template.code)
    .bind(i64::try_from(coupons.len()).expect("a thousand at most"))
    .bind(template.total)
    .bind(counts.keys().copied().collect::<Vec<_>>())
    .bind(counts.values().copied().collect::<Vec<_>>())
    .bind(coupons.iter().map(|coupon| coupon.id).collect::<Vec<_>>())
    .bind(coupons.iter().map(|coupon| coupon.person_id).collect::<Vec<_>>())
    .bind(&first.definition)
    .bind(first.valid_from)
    .bind(first.valid_to)
    .bind(first.created_at)
    .bind(first.given_order_id)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == coupons.len() as u64, "the template is locked and has them");
    Ok(())
}
