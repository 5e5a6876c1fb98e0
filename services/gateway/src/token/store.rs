//! The SQL of tokens.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::{SystemTx, Tx};
use sqlx::Error;
use uuid::Uuid;

use super::domain::{Digest, Token};

/// Stores a new token.
pub(super) async fn insert(tx: &mut Tx, token: &Token, digest: &Digest) -> Result<(), Error> {
    sqlx::query(
        "insert into tokens (merchant_id, id, name, scopes, digest, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(token.merchant_id)
    .bind(token.id)
    .bind(&token.name)
    .bind(&token.scopes)
    .bind(digest.as_bytes().as_slice())
    .bind(token.created_at)
    .bind(token.expires_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The tokens made before one, newest first.
pub(super) async fn list(
    tx: &mut Tx,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Token>, Error> {
    sqlx::query_as(
        "select id, merchant_id, name, scopes, created_at, expires_at, revoked_at
         from tokens where merchant_id = $1 and id < $2 order by id desc limit $3",
    )
    .bind(tx.merchant())
    .bind(before.unwrap_or(Uuid::max()))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await
}

/// Revokes a token, unless it was before; gives it as it is now.
pub(super) async fn revoke(
    tx: &mut Tx,
    id: Id<kind::Token>,
    now: DateTime<Utc>,
) -> Result<Option<(Token, Digest)>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "update tokens set revoked_at = coalesce(revoked_at, $3)
         where merchant_id = $1 and id = $2
         returning id, merchant_id, name, scopes, created_at, expires_at, revoked_at, digest",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(Row::with_digest))
}

/// The tokens of some digests, of whatever merchant.
pub(crate) async fn find(
    tx: &mut SystemTx,
    digests: &[Digest],
) -> Result<Vec<(Token, Digest)>, Error> {
    let digests: Vec<&[u8]> = digests.iter().map(|digest| digest.as_bytes().as_slice()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "select id, merchant_id, name, scopes, created_at, expires_at, revoked_at, digest
         from tokens where digest = any($1)",
    )
    .bind(digests)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(Row::with_digest).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    token: Token,
    digest: Vec<u8>,
}

impl Row {
    /// The length of the column is checked by the table.
    fn with_digest(self) -> Option<(Token, Digest)> {
        Some((self.token, Digest::from_column(&self.digest)?))
    }
}
