//! The self-check in SQL: one statement, so that it sees one instant, whoever writes meanwhile.

use siyu_pg::Error;
use sqlx::PgConnection;

use crate::check::{Finding, Totals, TrialBalance};

/// At most `limit` findings; none in a sound ledger.
pub(crate) async fn findings(conn: &mut PgConnection, limit: i64) -> Result<Vec<Finding>, Error> {
    let findings = sqlx::query_as(include_str!("check.sql")).bind(limit).fetch_all(conn).await?;
    Ok(findings)
}

/// How much there was to look at.
pub(crate) async fn totals(conn: &mut PgConnection) -> Result<Totals, Error> {
    let totals = sqlx::query_as(
        "select (select count(*) from ledger_accounts) as accounts,
            (select count(*) from ledger_transfers) as transfers,
            (select count(*) from ledger_holds where state = 'open') as open_holds,
            (select count(*) from ledger_lots where live <> 0) as live_lots",
    )
    .fetch_one(conn)
    .await?;
    Ok(totals)
}

/// Debits less credits of each merchant and asset.
pub(crate) async fn trial_balance(conn: &mut PgConnection) -> Result<Vec<TrialBalance>, Error> {
    let balances = sqlx::query_as(
        "select merchant_id, asset, (sum(debits_posted) - sum(credits_posted))::bigint as posted,
            (sum(debits_pending) - sum(credits_pending))::bigint as pending
        from ledger_accounts
        group by merchant_id, asset
        order by merchant_id, asset",
    )
    .fetch_all(conn)
    .await?;
    Ok(balances)
}
