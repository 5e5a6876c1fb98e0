//! The SQL of coupons whose holders are one and nothing else. The caller holds the lock of [`crate::buyer::store`].

use siyu_kernel::{Id, kind::Person};
use siyu_pg::Tx;

/// Gives the loser's coupons to the survivor, and counts what the loser has claimed for the survivor.
pub async fn merge(
    tx: &mut Tx,
    survivor: Id<Person>,
    loser: Id<Person>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update coupons
        set person_id = $2, origin_person_id = coalesce(origin_person_id, person_id)
        where merchant_id = $1 and person_id = $3",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "with aliases as (
            update coupon_claims set counted_for = $2
            where merchant_id = $1 and counted_for = $3 and counted_for is not null and person_id <> $3
        )
        update coupon_claims set counted_for = $2
        where merchant_id = $1 and person_id = $3",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    count(tx, survivor).await?;
    count(tx, loser).await
}

/// Gives the coupons back that had come from the loser or one of its aliases, and counts their claims for the loser again.
pub async fn unmerge(
    tx: &mut Tx,
    survivor: Id<Person>,
    loser: Id<Person>,
    origins: &[Id<Person>],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update coupons
        set person_id = $3, origin_person_id = nullif(origin_person_id, $3)
        where merchant_id = $1 and person_id = $2 and origin_person_id = any($4::uuid[])",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update coupon_claims
        set counted_for = nullif($3, person_id)
        where merchant_id = $1 and counted_for = $2 and counted_for is not null and person_id = any($4::uuid[])",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    count(tx, survivor).await?;
    count(tx, loser).await
}

/// Counts anew what a person has claimed under all ids that lead to it; nothing where it is an alias itself.
async fn count(tx: &mut Tx, person: Id<Person>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into coupon_claims (merchant_id, template_code, person_id, own, claimed)
        select $1, own.template_code, $2, 0, sum(own.own)::integer
        from (
            select template_code, own from coupon_claims
            where merchant_id = $1 and person_id = $2 and counted_for is null
            union all
            select template_code, own from coupon_claims
            where merchant_id = $1 and counted_for = $2 and counted_for is not null
        ) as own
        group by own.template_code
        on conflict on constraint coupon_claims_pkey do update set claimed = excluded.claimed",
    )
    .bind(tx.merchant())
    .bind(person)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update coupon_claims set claimed = 0
        where merchant_id = $1 and person_id = $2 and counted_for is not null",
    )
    .bind(tx.merchant())
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
