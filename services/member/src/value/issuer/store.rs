//! The SQL of issuers and nothing else.

use siyu_pg::Tx;
use uuid::Uuid;

use super::{Industry, Issuer, Scale};
use crate::value::IssuerId;

impl Industry {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retail => "retail",
            Self::Catering => "catering",
            Self::Accommodation => "accommodation",
            Self::ResidentServices => "resident_services",
        }
    }
}

impl Scale {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Group => "group",
            Self::Brand => "brand",
        }
    }
}

/// Inserts an issuer.
pub async fn insert(tx: &mut Tx, issuer: &Issuer) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into issuers (merchant_id, id, name, industry, scale, last_year_revenue_minor, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.merchant())
    .bind(issuer.id)
    .bind(&issuer.name)
    .bind(issuer.industry.as_str())
    .bind(issuer.scale.as_str())
    .bind(issuer.last_year_revenue_minor)
    .bind(issuer.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves what is known of a locked issuer.
pub async fn save(tx: &mut Tx, issuer: &Issuer) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update issuers set name = $3, industry = $4, scale = $5, last_year_revenue_minor = $6
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(issuer.id)
    .bind(&issuer.name)
    .bind(issuer.industry.as_str())
    .bind(issuer.scale.as_str())
    .bind(issuer.last_year_revenue_minor)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the issuer is locked");
    Ok(())
}

/// One issuer.
pub async fn find(tx: &mut Tx, id: IssuerId) -> Result<Option<Issuer>, siyu_pg::Error> {
    let issuer = sqlx::query_as(
        "select id, name, industry, scale, last_year_revenue_minor, created_at
        from issuers
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(issuer)
}

/// Locks an issuer, so that what is checked against its limit stands still.
pub async fn lock(tx: &mut Tx, id: IssuerId) -> Result<Option<Issuer>, siyu_pg::Error> {
    let issuer = sqlx::query_as(
        "select id, name, industry, scale, last_year_revenue_minor, created_at
        from issuers
        where merchant_id = $1 and id = $2
        for no key update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(issuer)
}

/// Issuers after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Issuer>, siyu_pg::Error> {
    let issuers = sqlx::query_as(
        "select id, name, industry, scale, last_year_revenue_minor, created_at
        from issuers
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(issuers)
}
