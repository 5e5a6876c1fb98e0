//! The SQL of sealed addresses, and of concealing what an earlier version stored in clear.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::person::{PersonId, domain::Identity};

/// Keeps addresses; one that is there already stays.
pub async fn insert(
    tx: &mut Tx,
    sealed: &[(Identity, Vec<u8>)],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into identity_addresses (merchant_id, kind, value, sealed, created_at)
        select $1, n.*, $5 from unnest($2::text[], $3::text[], $4::bytea[]) as n
        on conflict on constraint identity_addresses_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(sealed.iter().map(|(key, _)| key.kind.as_str()).collect::<Vec<_>>())
    .bind(sealed.iter().map(|(key, _)| key.value.as_str()).collect::<Vec<_>>())
    .bind(sealed.iter().map(|(_, text)| text.as_slice()).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A key of a person, with its address where it is of one: the row.
#[derive(Debug, sqlx::FromRow)]
pub struct Held {
    /// Whose it is.
    pub person_id: PersonId,
    /// The key.
    #[sqlx(flatten)]
    pub identity: Identity,
    /// The address, sealed; none for another kind of key, and none for one that was erased.
    pub sealed: Option<Vec<u8>>,
}

/// The keys of persons, in their order.
pub async fn held(tx: &mut Tx, persons: &[PersonId]) -> Result<Vec<Held>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select i.person_id, i.kind, i.scope, i.value, a.sealed
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select person_id, kind, scope, value
            from identities
            where merchant_id = $1 and person_id = k.person_id
            offset 0
        ) as i
        left join lateral (
            select sealed
            from identity_addresses
            where merchant_id = $1 and kind = i.kind and value = i.value and i.kind in ('phone', 'email')
            limit 1
        ) as a on true
        order by i.kind, i.scope, i.value",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// The merchants with addresses in clear.
pub async fn clear_merchants(tx: &mut SystemTx) -> Result<Vec<Id<Merchant>>, siyu_pg::Error> {
    let merchants = sqlx::query_scalar(
        "select distinct merchant_id from identities
        where kind in ('phone', 'email') and value ~ '[+@]'",
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(merchants)
}

/// Some addresses in clear; other processes wait for this one.
pub async fn lock_clear(tx: &mut Tx) -> Result<Vec<Identity>, siyu_pg::Error> {
    let identities = sqlx::query_as(
        "select kind, scope, value from identities
        where merchant_id = $1 and kind in ('phone', 'email') and value ~ '[+@]'
        order by kind, value
        limit 500
        for update",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(identities)
}

/// Puts a digest in the place of an address.
pub async fn conceal(tx: &mut Tx, clear: &Identity, digest: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update identities set value = $5
        where merchant_id = $1 and kind = $2 and scope = $3 and value = $4",
    )
    .bind(tx.merchant())
    .bind(clear.kind.as_str())
    .bind(&clear.scope)
    .bind(&clear.value)
    .bind(digest)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
