//! The SQL of sealed addresses, and of concealing what an earlier version stored in clear.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::person::domain::{Identity, IdentityKind};

/// An address: the row.
#[derive(Debug, sqlx::FromRow)]
pub struct Address {
    /// What kind of key it is.
    pub kind: IdentityKind,
    /// The key: the digest.
    pub value: String,
    /// The address, sealed.
    pub sealed: Vec<u8>,
}

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

/// The addresses behind keys.
pub async fn find(tx: &mut Tx, keys: &[&Identity]) -> Result<Vec<Address>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select a.kind, a.value, a.sealed
        from unnest($2::text[], $3::text[]) as k (kind, value)
        cross join lateral (
            select kind, value, sealed
            from identity_addresses
            where merchant_id = $1 and kind = k.kind and value = k.value
            limit 1
        ) as a",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|key| key.kind.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.value.as_str()).collect::<Vec<_>>())
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
