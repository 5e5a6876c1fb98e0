//! Orders that a story makes up, as a platform tells them.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use siyu_proto::{
    order::v1::{ExternalOrder, ImportOrdersRequest, ImportOutcome, ImportResult, OrderLine},
    r#type::v1::Money,
};

use super::caller::{Merchant, ask};

/// The instant on the wire.
pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    let nanos = at.timestamp_subsec_nanos().try_into().expect("it is below a second");
    Timestamp { seconds: at.timestamp(), nanos }
}

/// A paid private order of the shop `main` on the platform `shop`: one piece and so many minor units on each line. It
/// names no currency before [`Merchant::take_in`].
pub fn order(
    order_no: &str,
    buyer_id: &str,
    paid_at: DateTime<Utc>,
    lines: &[i64],
) -> ExternalOrder {
    let line = |(line_no, &minor_units): (i32, &i64)| OrderLine {
        line_no,
        quantity: 1,
        paid: Some(Money { minor_units, ..Default::default() }),
        ..Default::default()
    };
    ExternalOrder {
        platform: "shop".to_owned(),
        shop_id: "main".to_owned(),
        order_no: order_no.to_owned(),
        buyer_id: buyer_id.to_owned(),
        pay_time: Some(timestamp(paid_at)),
        lines: (1..).zip(lines).map(line).collect(),
        ..Default::default()
    }
}

impl Merchant {
    /// Imports orders in the merchant's currency; none may be rejected. Returns what became of each.
    pub async fn take_in(&self, orders: Vec<ExternalOrder>) -> Vec<ImportResult> {
        let results = self.offer(orders).await;
        let rejected = |result: &&ImportResult| result.outcome() == ImportOutcome::Rejected;
        assert!(!results.iter().any(|result| rejected(&result)), "{results:#?}");
        results
    }

    /// Imports orders in the merchant's currency where they name none.
    pub async fn offer(&self, mut orders: Vec<ExternalOrder>) -> Vec<ImportResult> {
        let paid = orders.iter_mut().flat_map(|o| &mut o.lines).filter_map(|l| l.paid.as_mut());
        for money in paid.filter(|money| money.currency_code.is_empty()) {
            money.currency_code.clone_from(&self.record.currency_code);
        }
        let client = self.caller.client();
        let request = ImportOrdersRequest { orders };
        ask(request, async |q| client.imports().import_orders(q).await).await.results
    }
}
