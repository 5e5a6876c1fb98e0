//! Who brought whom.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::person::PersonId;

/// Who brought persons, or whom they go by now, each with when the first of these persons was a new buyer.
pub async fn referrers(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<Vec<(PersonId, Option<DateTime<Utc>>)>, siyu_pg::Error> {
    let referrers = sqlx::query_as(
        "select p.id, min(b.first_paid_at) filter (where b.first_paid_at >= r.since_at)
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select k.id as id
            union all
            (select id from persons where merchant_id = $1 and merged_into = k.id)
        ) as own
        cross join lateral (
            (
                select referrer_id as id, bound_at as since_at
                from referrals
                where merchant_id = $1 and person_id = own.id
            )
            union all
            (
                select other_id, since_at
                from relations
                where merchant_id = $1 and person_id = own.id and kind = 'invited_by'
            )
        ) as r
        cross join lateral (
            select coalesce(merged_into, id) as id from persons where merchant_id = $1 and id = r.id limit 1
        ) as p
        left join lateral (
            select first_paid_at from person_purchases where merchant_id = $1 and person_id = k.id limit 1
        ) as b on true
        where p.id <> k.id
        group by p.id",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(referrers)
}

/// When the first new buyer whom each of the persons brought had paid: looks at everybody whom they ever brought.
pub async fn first_referred(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<Vec<(PersonId, Option<DateTime<Utc>>)>, siyu_pg::Error> {
    let referred = sqlx::query_as(
        "select k.id, (
            select min(b.first_paid_at)
            from (
                select k.id as id
                union all
                (select id from persons where merchant_id = $1 and merged_into = k.id)
            ) as own
            cross join lateral (
                (
                    select person_id as id, bound_at as since_at
                    from referrals
                    where merchant_id = $1 and referrer_id = own.id
                )
                union all
                (
                    select other_id, since_at from relations
                    where merchant_id = $1 and person_id = own.id and kind = 'invited'
                )
            ) as r
            cross join lateral (
                select coalesce(merged_into, id) as id from persons where merchant_id = $1 and id = r.id limit 1
            ) as p
            cross join lateral (
                select first_paid_at from person_purchases where merchant_id = $1 and person_id = p.id limit 1
            ) as b
            where p.id <> k.id and b.first_paid_at >= r.since_at
        )
        from unnest($2::uuid[]) as k (id)",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(referred)
}

/// Keeps who brought whom; the first time stands.
pub async fn refer(
    tx: &mut Tx,
    referrals: &[(PersonId, PersonId, DateTime<Utc>)],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into referrals (merchant_id, person_id, referrer_id, bound_at)
        select $1, person_id, referrer_id, min(bound_at)
        from unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) as n (person_id, referrer_id, bound_at)
        group by person_id, referrer_id
        order by person_id, referrer_id
        on conflict on constraint referrals_pkey do update
        set bound_at = excluded.bound_at
        where referrals.bound_at > excluded.bound_at",
    )
    .bind(tx.merchant())
    .bind(referrals.iter().map(|(person, ..)| *person).collect::<Vec<_>>())
    .bind(referrals.iter().map(|(_, referrer, _)| *referrer).collect::<Vec<_>>())
    .bind(referrals.iter().map(|(.., at)| *at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
