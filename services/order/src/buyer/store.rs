//! The SQL of buyers who are one and nothing else.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{Merchant, Person},
};
use siyu_pg::{Db, Lock, Tx};

use crate::order::domain::Order;

/// Whoever writes for buyers as they are shares it before asking [`canonical`]: a merge waits until the transaction ends.
const BUYERS: Lock = Lock::new("order.buyers");

/// Opens a transaction that writes for buyers as they are.
pub async fn begin(db: &Db, merchant: Id<Merchant>) -> Result<Tx, siyu_pg::Error> {
    db.tenant_sharing(merchant, BUYERS).await
}

/// Lets a transaction that is open write for buyers as they are.
pub async fn hold(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    BUYERS.share(tx).await
}

/// Whom ids lead to; who is no alias is not among them.
pub async fn canonical(
    tx: &mut Tx,
    persons: &[Id<Person>],
) -> Result<HashMap<Id<Person>, Id<Person>>, siyu_pg::Error> {
    let rows: Vec<(Id<Person>, Id<Person>)> = sqlx::query_as(
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

/// Gives the loser's orders to the survivor; returns them as they are now.
pub async fn merge(
    tx: &mut Tx,
    survivor: Id<Person>,
    loser: Id<Person>,
) -> Result<Vec<Order>, siyu_pg::Error> {
    BUYERS.take(tx).await?;
    sqlx::query(
        "with aliases as (
            update buyer_aliases set merged_into = $2
            where merchant_id = $1 and merged_into = $3 and merged_into is not null and person_id <> $2
        )
        insert into buyer_aliases (merchant_id, person_id, merged_into) values ($1, $3, $2)
        on conflict on constraint buyer_aliases_pkey do update set merged_into = excluded.merged_into",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    let orders = sqlx::query_as(
        "update orders
        set person_id = $2, origin_person_id = coalesce(origin_person_id, person_id), revision = revision + 1
        where merchant_id = $1 and person_id = $3
        returning id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
            paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .fetch_all(&mut **tx)
    .await?;
    Ok(orders)
}

/// Gives the orders back that had come from the loser or one of its aliases; returns them as they are now.
pub async fn unmerge(
    tx: &mut Tx,
    survivor: Id<Person>,
    loser: Id<Person>,
    origins: &[Id<Person>],
) -> Result<Vec<Order>, siyu_pg::Error> {
    BUYERS.take(tx).await?;
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
    let orders = sqlx::query_as(
        "update orders
        set person_id = $3, origin_person_id = nullif(origin_person_id, $3), revision = revision + 1
        where merchant_id = $1 and person_id = $2 and origin_person_id = any($4::uuid[])
        returning id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
            paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .bind(origins)
    .fetch_all(&mut **tx)
    .await?;
    Ok(orders)
}

/// Keeps that the data of persons were erased. Orders that are being put aside at this moment come before it or see it.
pub async fn erase(
    tx: &mut Tx,
    persons: &[Id<Person>],
    at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    BUYERS.take(tx).await?;
    sqlx::query(
        "insert into erased_buyers (merchant_id, person_id, erased_at)
        select $1, n.id, $3 from unnest($2::uuid[]) as n (id)
        on conflict on constraint erased_buyers_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those of the persons whose data were erased.
pub async fn erased(
    tx: &mut Tx,
    persons: &[Id<Person>],
) -> Result<HashSet<Id<Person>>, siyu_pg::Error> {
    let ids: Vec<Id<Person>> = sqlx::query_scalar(
        "select e.person_id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select person_id from erased_buyers where merchant_id = $1 and person_id = k.id limit 1
        ) as e",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().collect())
}
