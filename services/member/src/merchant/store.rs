//! The SQL of merchants and nothing else.

use siyu_kernel::{Id, kind::Merchant as MerchantKind};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::Merchant;

/// Inserts a merchant, in a transaction of that merchant.
pub async fn insert(tx: &mut Tx, merchant: &Merchant) -> Result<(), siyu_pg::Error> {
    sqlx::query("insert into merchants (merchant_id, name, zone, currency, created_at) values ($1, $2, $3, $4, $5)")
        .bind(merchant.id)
        .bind(&merchant.name)
        .bind(&merchant.zone)
        .bind(&merchant.currency)
        .bind(merchant.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The merchant of the transaction.
pub async fn find(tx: &mut Tx) -> Result<Option<Merchant>, siyu_pg::Error> {
    let merchant =
        sqlx::query_as("select merchant_id as id, name, zone, currency, created_at from merchants where merchant_id = $1")
            .bind(tx.merchant())
            .fetch_optional(&mut **tx)
            .await?;
    Ok(merchant)
}

/// Locks the merchant of the transaction, for what is done one after the other.
pub async fn lock(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    sqlx::query("select 1 from merchants where merchant_id = $1 for no key update")
        .bind(tx.merchant())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A merchant, seen by the operator.
pub async fn find_any(
    tx: &mut SystemTx,
    id: Id<MerchantKind>,
) -> Result<Option<Merchant>, siyu_pg::Error> {
    let merchant =
        sqlx::query_as("select merchant_id as id, name, zone, currency, created_at from merchants where merchant_id = $1")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(merchant)
}

/// Merchants after an id, oldest first: ids sort by the time of their creation.
pub async fn list(
    tx: &mut SystemTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Merchant>, siyu_pg::Error> {
    let merchants = sqlx::query_as(
        "select merchant_id as id, name, zone, currency, created_at
        from merchants
        where $1::uuid is null or merchant_id > $1
        order by merchant_id
        limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(merchants)
}
