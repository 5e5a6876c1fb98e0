//! The SQL of the rules of routing and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

/// The merchant's encoded rules.
pub async fn find(tx: &mut Tx) -> Result<Option<Vec<u8>>, siyu_pg::Error> {
    let definition =
        sqlx::query_scalar("select definition from fulfilment_policies where merchant_id = $1")
            .bind(tx.merchant())
            .fetch_optional(&mut **tx)
            .await?;
    Ok(definition)
}

/// Saves the merchant's rules.
pub async fn save(
    tx: &mut Tx,
    definition: &[u8],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into fulfilment_policies (merchant_id, definition, updated_at) values ($1, $2, $3)
        on conflict on constraint fulfilment_policies_pkey do update
        set definition = excluded.definition, updated_at = excluded.updated_at
        where fulfilment_policies.definition <> excluded.definition",
    )
    .bind(tx.merchant())
    .bind(definition)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
