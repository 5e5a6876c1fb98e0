//! The SQL of customers who are one and nothing else.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::{Lock, Tx};

use crate::promoter::PersonId;

/// Two persons who are one, or no longer.
#[derive(Debug, Clone, Copy)]
pub struct Merge {
    /// The merge.
    pub id: Id<kind::Merge>,
    /// Who has everything.
    pub survivor: PersonId,
    /// Who is an alias, or no longer.
    pub loser: PersonId,
    /// When.
    pub at: DateTime<Utc>,
}

const BUYERS: Lock = Lock::new("distribution.buyers");

/// Lets bindings in for the customers as they are: a merge waits until the transaction ends. Whoever binds says so before
/// asking [`canonical`].
pub async fn hold(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    BUYERS.share(tx).await
}

/// Waits for those who bind, and lets no one bind until the transaction ends.
pub async fn lock(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    BUYERS.take(tx).await
}

/// Whom ids lead to; who is no alias is not among them.
pub async fn canonical(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, PersonId>, siyu_pg::Error> {
    let rows: Vec<(PersonId, PersonId)> = sqlx::query_as(
        "select a.person_id, a.merged_into
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select person_id, merged_into from buyer_aliases where merchant_id = $1 and person_id = k.id limit 1
        ) as a",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Whom an id leads to.
pub async fn lead(tx: &mut Tx, person: PersonId) -> Result<PersonId, siyu_pg::Error> {
    Ok(canonical(tx, &[person]).await?.get(&person).copied().unwrap_or(person))
}

/// Makes the loser an alias, and whoever was an alias of it.
pub async fn alias(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with aliases as (
            update buyer_aliases set merged_into = $2
            where merchant_id = $1 and merged_into = $3 and merged_into is not null and person_id <> $2
        )
        insert into buyer_aliases (merchant_id, person_id, merged_into) values ($1, $3, $2)
        on conflict on constraint buyer_aliases_pkey do update set merged_into = excluded.merged_into",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Makes an alias a person again, with aliases of its own.
pub async fn unalias(
    tx: &mut Tx,
    loser: PersonId,
    origins: &[PersonId],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with own as (
            delete from buyer_aliases where merchant_id = $1 and person_id = $2
        )
        insert into buyer_aliases (merchant_id, person_id, merged_into)
        select $1, n.id, $2 from unnest($3::uuid[]) as n (id) where n.id <> $2
        on conflict on constraint buyer_aliases_pkey do update set merged_into = excluded.merged_into",
    )
    .bind(tx.merchant())
    .bind(loser)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Of two bindings that nothing has replaced, ends the one that expired, else the later one.
pub async fn end_later(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update bindings
        set ended_at = least(greatest($5, bound_at), expires_at), ended_by_merge_id = $4
        where merchant_id = $1 and id in (
            select id
            from (
                select id, row_number() over (order by coalesce(expires_at <= $5, false), bound_at, id) as place
                from bindings
                where merchant_id = $1 and person_id in ($2, $3) and ended_at is null
            ) as b
            where b.place > 1
        )",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .bind(merge.id)
    .bind(merge.at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives the survivor the loser's bindings; and what it is as a promoter, unless the survivor is one.
pub async fn move_over(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with promoter as (
            update promoters
            set person_id = $2, origin_person_id = coalesce(origin_person_id, person_id)
            where merchant_id = $1 and person_id = $3
                and not exists (select from promoters where merchant_id = $1 and person_id = $2)
        )
        update bindings
        set person_id = $2, origin_person_id = coalesce(origin_person_id, person_id)
        where merchant_id = $1 and person_id = $3",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives back what had come from the loser or its aliases. A promoter may have stayed with an alias of the survivor, because
/// the survivor is one too.
pub async fn move_back(
    tx: &mut Tx,
    merge: &Merge,
    origins: &[PersonId],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with promoter as (
            update promoters
            set person_id = $3, origin_person_id = nullif(origin_person_id, $3)
            where merchant_id = $1 and id in (
                select p.id
                from (
                    select $2::uuid as id
                    union all
                    (
                        select person_id from buyer_aliases
                        where merchant_id = $1 and merged_into = $2 and merged_into is not null
                    )
                ) as own
                cross join lateral (
                    select id
                    from promoters
                    where merchant_id = $1 and person_id = own.id and origin_person_id = any($4::uuid[])
                    limit 1
                ) as p
                where own.id <> $3
            ) and not exists (select from promoters where merchant_id = $1 and person_id = $3)
        )
        update bindings
        set person_id = $3, origin_person_id = nullif(origin_person_id, $3)
        where merchant_id = $1 and person_id = $2 and origin_person_id = any($4::uuid[])",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Opens what the merge had ended, where nothing was bound since.
pub async fn reopen(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update bindings as b
        set ended_at = null, ended_by_merge_id = null
        where b.merchant_id = $1 and b.ended_by_merge_id = $2 and not exists (
            select from bindings as o where o.merchant_id = $1 and o.person_id = b.person_id and o.ended_at is null
        )",
    )
    .bind(tx.merchant())
    .bind(merge.id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys where the bindings of persons came from.
pub async fn forget_sources(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query("update bindings set source = '' where merchant_id = $1 and person_id = any ($2)")
        .bind(tx.merchant())
        .bind(persons)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
