//! Whether the stock is what its movements and reservations add up to.

use std::fmt::Write;

use serde::Serialize;
use siyu_proto::order::v1::{CheckStockRequest, StockFinding};

use crate::{
    client::{Client, Error},
    number::grouped,
};

/// What a check of the stock found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockCheck {
    /// Stocks that were checked.
    pub checked: i64,
    /// What does not add up.
    pub findings: Vec<String>,
}

/// Checks every stock of the merchant.
///
/// # Errors
/// [`Error`] from the calls.
pub async fn check_stock(client: &Client) -> Result<StockCheck, Error> {
    let mut check = StockCheck { checked: 0, findings: Vec::new() };
    let mut request = CheckStockRequest::default();
    loop {
        let reply = client.stocks().check_stock(request).await;
        let reply = reply.map_err(|status| client.failed(&status))?.into_inner();
        check.checked += reply.checked;
        check.findings.extend(reply.findings.iter().map(words));
        if reply.last_sku.is_empty() {
            return Ok(check);
        }
        request =
            CheckStockRequest { after_sku: reply.last_sku, after_location: reply.last_location };
    }
}

fn words(found: &StockFinding) -> String {
    format!(
        "{} at {}: {} on hand where movements add up to {}; {} reserved where movements add up to {} and reservations to {}",
        found.sku,
        found.location,
        found.on_hand,
        found.moved,
        found.reserved,
        found.moved_reserved,
        found.held
    )
}

impl StockCheck {
    pub(super) fn text(&self) -> String {
        let verdict = if self.findings.is_empty() { "adds up" } else { "DOES NOT ADD UP" };
        let mut text = format!("{:<13} {verdict}: {} stocks\n", "stock", grouped(self.checked));
        for finding in &self.findings {
            let _ = writeln!(text, "  {finding}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_that_does_not_add_up_is_told_with_its_figures() {
        let found = StockFinding {
            sku: "scarf".into(),
            location: "main".into(),
            on_hand: 9,
            moved: 10,
            reserved: 2,
            moved_reserved: 2,
            held: 3,
        };
        let check = StockCheck { checked: 1_200, findings: vec![words(&found)] };
        assert_eq!(
            check.text(),
            "stock         DOES NOT ADD UP: 1,200 stocks\n  scarf at main: 9 on hand where movements add up to 10; \
            2 reserved where movements add up to 2 and reservations to 3\n"
        );
        let sound = StockCheck { checked: 3, findings: Vec::new() };
        assert_eq!(sound.text(), "stock         adds up: 3 stocks\n");
    }
}
