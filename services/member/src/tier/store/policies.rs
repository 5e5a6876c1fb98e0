//! Versions of a merchant's tiers, and to whom they are applied.

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{Fault, Id, kind};
use siyu_pg::{SystemTx, Tx};
use siyu_proto::member::v1 as proto;
use uuid::Uuid;

use crate::{person::PersonId, tier::domain::Policy};

/// The tiers in force.
pub(crate) async fn policy(tx: &mut Tx) -> Result<Policy, Fault> {
    let row: Option<Vec<u8>> = sqlx::query_scalar(
        "select policy from tier_policies where merchant_id = $1 order by version desc limit 1",
    )
    .bind(tx.merchant())
    .fetch_optional(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    let Some(row) = row else { return Ok(Policy::default()) };
    let policy = proto::TierPolicy::decode(row.as_slice()).map_err(Fault::internal)?;
    Policy::read(&policy).map_err(Fault::internal)
}

/// Adds a version, which has yet to be applied.
pub(crate) async fn insert_policy(
    tx: &mut Tx,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    let encoded = proto::TierPolicy::from(policy).encode_to_vec();
    sqlx::query(
        "insert into tier_policies (merchant_id, version, policy, created_at) values ($1, $2, $3, $4)",
    )
    .bind(tx.merchant())
    .bind(policy.version)
    .bind(encoded)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A version of tiers that has yet to be applied to everybody, and the last person that it was applied to.
pub(crate) async fn unapplied(
    tx: &mut SystemTx,
) -> Result<Option<(Id<kind::Merchant>, i32, Option<Uuid>)>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select merchant_id, version, applied_to
        from tier_policies
        where applied_at is null
        order by merchant_id, version
        limit 1
        for update skip locked",
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found)
}

/// Keeps how far a version is applied.
pub(crate) async fn save_applied(
    tx: &mut Tx,
    version: i32,
    applied_to: Option<PersonId>,
    applied_at: Option<DateTime<Utc>>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update tier_policies set applied_to = coalesce($3, applied_to), applied_at = $4
        where merchant_id = $1 and version = $2",
    )
    .bind(tx.merchant())
    .bind(version)
    .bind(applied_to)
    .bind(applied_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Persons after one.
pub(crate) async fn persons_after(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let persons = sqlx::query_scalar(
        "select id from persons where merchant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}
