//! What time has ended: holds and lots, across merchants for a job, of one merchant for a tenant.

use chrono::{DateTime, Utc};
use siyu_pg::Error;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{AccountCode, AccountId, Asset, LotId, MerchantId, TransferId};

/// A lot with units that can no longer be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct DueLot {
    /// Whose ledger.
    pub merchant_id: MerchantId,
    /// The lot.
    pub id: LotId,
    /// Its account.
    pub account_id: AccountId,
    /// Whose account it is.
    pub owner_id: Uuid,
    /// What it counts.
    #[sqlx(try_from = "String")]
    pub asset: Asset,
    /// The units that no hold reserves.
    pub free: i64,
}

/// Open holds whose time is over, longest over first.
pub(crate) async fn holds(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(MerchantId, TransferId)>, Error> {
    let holds = sqlx::query_as(
        "select merchant_id, pending_id
        from ledger_holds
        where state = 'open' and expires_at is not null and expires_at <= $1
        order by expires_at, merchant_id, pending_id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(holds)
}

/// Lots whose time is over, of accounts of one kind, with units that no hold reserves; longest over first. The
/// accounts are looked up lot by lot: few lots are due, and there are as many accounts as persons.
pub(crate) async fn lots(
    conn: &mut PgConnection,
    of: AccountCode,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueLot>, Error> {
    let lots = sqlx::query_as(
        "select l.merchant_id, l.id, l.account_id, a.owner_id, a.asset, l.remaining - l.held as free
        from (
            select merchant_id, id, account_id, remaining, held, expires_at
            from ledger_lots
            where live <> 0 and expires_at is not null and expires_at <= $2 and remaining > held
            order by expires_at, merchant_id, id
            offset 0
        ) as l
        cross join lateral (
            select owner_id, asset
            from ledger_accounts
            where merchant_id = l.merchant_id and id = l.account_id and code = $1
            limit 1
        ) as a
        order by l.expires_at, l.merchant_id, l.id
        limit $3",
    )
    .bind(of)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(lots)
}
