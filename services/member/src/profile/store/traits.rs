//! The SQL of what profiles are searched by: one row for each person, computed anew from the rows of the person and of its
//! aliases whenever one of them changes.

use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use super::Row;
use crate::person::PersonId;

/// Computes anew what the profiles say of persons; who is an alias, or of whom nothing is said, has nothing. As in a profile that
/// is shown, the newest word counts, and gaps are filled from older ones.
pub async fn refresh(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    forget(tx, persons).await?;
    sqlx::query(
        "insert into person_traits
            (merchant_id, person_id, gender, birth_month, birth_digest, province, city, language)
        select $1, k.id,
            (array_agg(f.gender order by f.updated_at desc, f.person_id) filter (where f.gender is not null))[1],
            (array_agg(f.birth_month order by f.updated_at desc, f.person_id) filter (where f.birth_month is not null))[1],
            (array_agg(f.birth_digest order by f.updated_at desc, f.person_id) filter (where f.birth_digest <> ''))[1],
            (array_agg(f.province order by f.updated_at desc, f.person_id) filter (where f.province is not null))[1],
            (array_agg(f.city order by f.updated_at desc, f.person_id) filter (where f.city is not null))[1],
            (array_agg(f.language order by f.updated_at desc, f.person_id) filter (where f.language is not null))[1]
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id from persons where merchant_id = $1 and id = k.id and merged_into is null limit 1
        ) as p
        cross join lateral (
            select person_id, gender, birth_month, birth_digest, province, city, language, updated_at
            from profiles
            where merchant_id = $1 and person_id = k.id
            union all
            select a.person_id, a.gender, a.birth_month, a.birth_digest, a.province, a.city, a.language, a.updated_at
            from persons as alias
            cross join lateral (
                select person_id, gender, birth_month, birth_digest, province, city, language, updated_at
                from profiles
                where merchant_id = $1 and person_id = alias.id
                limit 1
            ) as a
            where alias.merchant_id = $1 and alias.merged_into = k.id and not exists (
                select from profiles own
                where own.merchant_id = $1 and own.person_id = k.id and alias.id = any (own.folded)
            )
        ) as f
        group by k.id",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys what persons are searched by.
pub async fn forget(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from person_traits where merchant_id = $1 and person_id = any ($2)")
        .bind(tx.merchant())
        .bind(persons)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The merchants with profiles that an earlier version wrote.
pub async fn undigested(tx: &mut SystemTx) -> Result<Vec<Id<Merchant>>, siyu_pg::Error> {
    let merchants =
        sqlx::query_scalar("select distinct merchant_id from profiles where birth_digest is null")
            .fetch_all(&mut **tx)
            .await?;
    Ok(merchants)
}

/// Locks some of these profiles.
pub async fn lock_undigested(tx: &mut Tx) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select person_id, sealed, folded, updated_at
        from profiles
        where merchant_id = $1 and birth_digest is null
        order by person_id
        limit 500
        for update",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Keeps the digest of a birthday.
pub async fn save_digest(
    tx: &mut Tx,
    person: PersonId,
    digest: &str,
) -> Result<(), siyu_pg::Error> {
    sqlx::query("update profiles set birth_digest = $3 where merchant_id = $1 and person_id = $2")
        .bind(tx.merchant())
        .bind(person)
        .bind(digest)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
