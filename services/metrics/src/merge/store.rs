//! The SQL of merged persons and nothing else.

use std::collections::HashMap;

use siyu_pg::Tx;

use crate::fact::PersonId;

/// Makes a person an alias of another, and whoever was an alias of it.
pub async fn alias(tx: &mut Tx, survivor: PersonId, loser: PersonId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with aliases as (
            update person_aliases set merged_into = $2
            where merchant_id = $1 and merged_into = $3 and merged_into is not null and person_id <> $2
        )
        insert into person_aliases (merchant_id, person_id, merged_into) values ($1, $3, $2)
        on conflict on constraint person_aliases_pkey do update set merged_into = excluded.merged_into",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
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
            delete from person_aliases where merchant_id = $1 and person_id = $2
        )
        insert into person_aliases (merchant_id, person_id, merged_into)
        select $1, n.id, $2 from unnest($3::uuid[]) as n (id) where n.id <> $2
        on conflict on constraint person_aliases_pkey do update set merged_into = excluded.merged_into",
    )
    .bind(tx.merchant())
    .bind(loser)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
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
            select person_id, merged_into from person_aliases where merchant_id = $1 and person_id = k.id limit 1
        ) as a",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// The numbers that the ids themselves have, aliases too.
pub async fn numbers(tx: &mut Tx, persons: &[PersonId]) -> Result<Vec<i32>, siyu_pg::Error> {
    let numbers = sqlx::query_scalar(
        "select p.number
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select number from persons where merchant_id = $1 and person_id = k.id limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(numbers)
}

/// Gives times of connection to another person; the same time to the same account is one.
pub async fn move_connections(tx: &mut Tx, from: i32, to: i32) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with twice as (
            delete from connections as l
            where l.merchant_id = $1 and l.person = $2 and exists (
                select from connections as s
                where s.merchant_id = $1 and s.person = $3 and s.channel = l.channel
                    and s.account_id = l.account_id and s.connected_at = l.connected_at
            )
        )
        update connections as l
        set person = $3, origin_person = coalesce(l.origin_person, l.person)
        where l.merchant_id = $1 and l.person = $2 and not exists (
            select from connections as s
            where s.merchant_id = $1 and s.person = $3 and s.channel = l.channel
                and s.account_id = l.account_id and s.connected_at = l.connected_at
        )",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives times of connection back that came from persons.
pub async fn return_connections(
    tx: &mut Tx,
    from: i32,
    to: i32,
    origins: &[i32],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update connections
        set person = $3, origin_person = nullif(origin_person, $3)
        where merchant_id = $1 and person = $2 and origin_person = any($4::integer[])",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives messages to another person.
pub async fn move_messages(tx: &mut Tx, from: i32, to: i32) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update messages set person = $3, origin_person = coalesce(origin_person, person)
        where merchant_id = $1 and person = $2",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives messages back that came from persons.
pub async fn return_messages(
    tx: &mut Tx,
    from: i32,
    to: i32,
    origins: &[i32],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update messages
        set person = $3, origin_person = nullif(origin_person, $3)
        where merchant_id = $1 and person = $2 and origin_person = any($4::integer[])",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives to another person by whom it was brought; of two times that are the same, one stays.
pub async fn move_brought(tx: &mut Tx, from: i32, to: i32) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with twice as (
            delete from referrals as l
            where l.merchant_id = $1 and l.person = $2 and exists (
                select from referrals as s
                where s.merchant_id = $1 and s.person = $3 and s.bound_at = l.bound_at
            )
        )
        update referrals as l
        set person = $3, origin_person = coalesce(l.origin_person, l.person)
        where l.merchant_id = $1 and l.person = $2 and not exists (
            select from referrals as s where s.merchant_id = $1 and s.person = $3 and s.bound_at = l.bound_at
        )",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives back by whom persons were brought.
pub async fn return_brought(
    tx: &mut Tx,
    from: i32,
    to: i32,
    origins: &[i32],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update referrals
        set person = $3, origin_person = nullif(origin_person, $3)
        where merchant_id = $1 and person = $2 and origin_person = any($4::integer[])",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives to another person whom it brought.
pub async fn move_referrers(tx: &mut Tx, from: i32, to: i32) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update referrals set referrer = $3, origin_referrer = coalesce(origin_referrer, referrer)
        where merchant_id = $1 and referrer = $2",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives back whom persons brought.
pub async fn return_referrers(
    tx: &mut Tx,
    from: i32,
    to: i32,
    origins: &[i32],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update referrals
        set referrer = $3, origin_referrer = nullif(origin_referrer, $3)
        where merchant_id = $1 and referrer = $2 and origin_referrer = any($4::integer[])",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .bind(origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
