//! Every fact is told again and again to those who have followed it.

use siyu_proto::order::v1::{RefundAsk, RefundLine};
use siyu_tests::support::{HEAVY, Up, assert_same, books, report, rewind, run_until_idle, story};

use super::Sale;
use crate::rebuild::versions;

const ORDERS: u32 = 40;

#[test]
fn facts_that_are_told_three_times_more_change_nothing() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut up = Up::start().await;
        let place = up.place();
        let sale = Sale::placed(&place).await;
        let merchant = &sale.shop.merchant;
        sale.paid().await;
        let piece = RefundLine { line_no: 2, quantity: 1, amount_minor: 0 };
        sale.refund("part", RefundAsk { lines: vec![piece], ..RefundAsk::default() }).await;
        for batch in versions(ORDERS).chunks(20) {
            merchant.take_in(batch.to_vec()).await;
        }
        let bought = sale.standing().await;
        let (figures, journal) = (report(merchant).await, books(merchant).await);
        assert!(journal.commission_transfers > 0 && journal.order_transfers > 0, "{journal:?}");
        for _ in 0..3 {
            assert!(rewind(&place).await > 0);
            // What consumers remember of their cursors is gone with the process.
            up.kill9();
            up.start_again().await;
            run_until_idle(&place).await;
            assert_eq!(sale.standing().await, bought);
            assert_same("the report", &report(merchant).await, &figures);
            assert_eq!(books(merchant).await, journal);
        }
        up.stop().await;
    });
}
