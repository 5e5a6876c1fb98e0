//! The self-check: a sound ledger, counted; or what is wrong with it.

use siyu_pg::Error;
use sqlx::PgConnection;

use crate::{Asset, MerchantId, store};

/// More than that is no longer read by anybody.
const MOST_FINDINGS: i64 = 1_000;

/// What a self-check saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// How much it looked at.
    pub totals: Totals,
    /// What is wrong, by merchant and rule; at most 1,000.
    pub findings: Vec<Finding>,
}

/// How much a self-check looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Totals {
    /// Accounts.
    pub accounts: i64,
    /// Transfers in the journal.
    pub transfers: i64,
    /// Holds that are open.
    pub open_holds: i64,
    /// Lots with something left, and overdrafts.
    pub live_lots: i64,
}

/// The sums over all accounts of one asset. Debits equal credits, at any instant.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TrialBalance {
    /// Whose ledger.
    #[sqlx(rename = "merchant_id")]
    pub merchant: MerchantId,
    /// What is counted.
    #[sqlx(try_from = "String")]
    pub asset: Asset,
    /// Posted debits less posted credits: 0 in a sound ledger.
    pub posted: i64,
    /// Pending debits less pending credits: 0 in a sound ledger.
    pub pending: i64,
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finding {
    /// Whose ledger.
    #[sqlx(rename = "merchant_id")]
    pub merchant: MerchantId,
    /// The rule, for example `trial balance`.
    pub rule: String,
    /// The asset, account, transfer or lot where it does not hold.
    pub subject: String,
    /// What is there and what should be.
    pub detail: String,
}

impl TrialBalance {
    /// Whether debits equal credits.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.posted == 0 && self.pending == 0
    }
}

impl CheckReport {
    /// Whether every rule holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The trial balance of every merchant and asset that the transaction sees: cheap, for a gauge.
pub async fn trial_balance(conn: &mut PgConnection) -> Result<Vec<TrialBalance>, Error> {
    store::check::trial_balance(conn).await
}

/// Checks every ledger that the transaction sees: in a job's transaction all of them, in a tenant's its own.
///
/// Trial balance zero per merchant and asset; counters, entry numbers and running balances equal to the sum of the
/// transfers; holds consistent with what ended them; reversals within their originals; lots equal to their moves, to
/// the balances and to the pending debits. Reads the whole journal.
pub async fn check(conn: &mut PgConnection) -> Result<CheckReport, Error> {
    let totals = store::check::totals(conn).await?;
    let findings = store::check::findings(conn, MOST_FINDINGS).await?;
    Ok(CheckReport { totals, findings })
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.rule, self.subject, self.detail)
    }
}
