//! One sound import that others are compared with.

use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    books::{Books, books},
    caller::Merchant,
    figures::report,
    idle::run_until_idle,
    shared::suite,
    sheet::Sheet,
};

/// So many CDNOW customers: their orders cross the bounds of batches many times, and take seconds.
pub const CUSTOMERS: u32 = 1_500;

static REFERENCE: OnceCell<Reference> = OnceCell::const_new();

/// The import, and what came of it.
pub struct Reference {
    /// Whose orders they are.
    pub merchant: Merchant,
    /// Its report.
    pub report: Value,
    /// Its books.
    pub books: Books,
}

/// The orders of [`CUSTOMERS`], imported without a break into the shared suite by the first story that asks.
pub async fn reference() -> &'static Reference {
    REFERENCE
        .get_or_init(async || {
            let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
            let sheet = Sheet::cdnow(CUSTOMERS);
            let summary = merchant.import(&sheet).await;
            assert_eq!(summary.created, sheet.rows.len() as u64, "{summary:?}");
            run_until_idle(&merchant.place).await;
            let (report, books) = (report(&merchant).await, books(&merchant).await);
            Reference { merchant, report, books }
        })
        .await
}
