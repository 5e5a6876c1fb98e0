//! Money that no payment company takes (线下收款): cash, transfers, card terminals of others. Nobody can be asked about it: staff
//! record what came, and what was paid out. So it hands nothing over, knows no attempt, and lets refunds wait for their record.

use siyu_kernel::{LocalDay, Zone};
use tonic::async_trait;

use super::provider::{
    Attempt, Closing, Distrust, Incoming, Notice, Prepay, Provider, RefundOrder, RefundStand,
    Trade, Trouble,
};
use crate::reconciliation::domain::Row;

/// An account for what staff record.
#[derive(Debug, Clone)]
pub struct Offline {
    code: String,
}

impl Offline {
    /// The account of a code.
    pub(crate) fn new(code: &str) -> Self {
        Self { code: code.to_owned() }
    }
}

#[async_trait]
impl Provider for Offline {
    fn payee(&self) -> &str {
        &self.code
    }

    fn zone(&self) -> Zone {
        Zone::SHANGHAI
    }

    async fn create(&self, _: &Attempt<'_>) -> Result<Prepay, Trouble> {
        Err(Trouble::Refused("payments of the account are recorded, not begun".to_owned()))
    }

    async fn query(&self, _: &str) -> Result<Trade, Trouble> {
        Ok(Trade::Absent)
    }

    async fn close(&self, _: &str) -> Result<Closing, Trouble> {
        Ok(Closing::Closed)
    }

    /// It waits until somebody says that the buyer has the money.
    async fn refund(&self, _: &RefundOrder<'_>) -> Result<RefundStand, Trouble> {
        Ok(RefundStand::Processing { provider_no: String::new() })
    }

    async fn query_refund(&self, _: &str) -> Result<RefundStand, Trouble> {
        Ok(RefundStand::Processing { provider_no: String::new() })
    }

    fn parse_notification(&self, _: &Incoming<'_>) -> Result<Notice, Distrust> {
        Err(Distrust("nobody tells anything of the account".to_owned()))
    }

    /// A statement of it is imported, or there is none.
    async fn statement(&self, _: LocalDay) -> Result<Vec<Row>, Trouble> {
        Err(Trouble::NotReady)
    }
}
