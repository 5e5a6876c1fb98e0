//! The SQL of the rules for prepaid cards and nothing else.

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::PrepaidPolicy;

/// The merchant with the rules in force; none where it keeps the defaults.
#[derive(Debug, sqlx::FromRow)]
pub struct TermsRow {
    /// The zone of the merchant.
    pub zone: String,
    /// Its currency.
    pub currency: String,
    /// The encoded rules.
    pub rules: Option<Vec<u8>>,
}

/// The merchant of the transaction, with the rules in force at an instant.
pub async fn terms(tx: &mut Tx, at: DateTime<Utc>) -> Result<Option<TermsRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select m.zone, m.currency, p.rules
        from merchants as m
        left join lateral (
            select rules from prepaid_policies
            where merchant_id = $1 and effective_at <= $2
            order by effective_at desc, version desc
            limit 1
        ) as p on true
        where m.merchant_id = $1",
    )
    .bind(tx.merchant())
    .bind(at)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// The newest version; versions are added one after the other, for the merchant's row is locked.
pub async fn lock_latest(tx: &mut Tx) -> Result<i64, siyu_pg::Error> {
    sqlx::query("select 1 from merchants where merchant_id = $1 for no key update")
        .bind(tx.merchant())
        .execute(&mut **tx)
        .await?;
    let latest = sqlx::query_scalar(
        "select coalesce(max(version), 0) from prepaid_policies where merchant_id = $1",
    )
    .bind(tx.merchant())
    .fetch_one(&mut **tx)
    .await?;
    Ok(latest)
}

/// Adds a version.
pub async fn insert(
    tx: &mut Tx,
    policy: &PrepaidPolicy,
    effective_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into prepaid_policies (merchant_id, version, effective_at, rules, created_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(tx.merchant())
    .bind(policy.version)
    .bind(effective_at)
    .bind(policy.encode_to_vec())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Versions after one, oldest first.
pub async fn list(
    tx: &mut Tx,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<PrepaidPolicy>, Fault> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "select rules from prepaid_policies
        where merchant_id = $1 and ($2::bigint is null or version > $2)
        order by version
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    rows.iter().map(|rules| decode(rules)).collect()
}

/// The rules as they were encoded.
pub fn decode(rules: &[u8]) -> Result<PrepaidPolicy, Fault> {
    PrepaidPolicy::decode(rules).map_err(Fault::internal)
}
