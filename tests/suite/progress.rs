//! Who asks whether the figures have caught up, and hears yes, sees every order that was stored before the question.

use chrono::{DateTime, Utc};
use siyu_proto::metrics::v1::GetProgressRequest;
use siyu_tests::support::{LIMIT, Merchant, ask, order, story, suite, until};

use crate::truth::sales;

const ROUNDS: i64 = 25;
const ORDERS: i64 = 8;

#[test]
fn caught_up_means_that_every_stored_order_is_in_the_figures() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let client = merchant.caller.client();
        let at: DateTime<Utc> = "2024-03-01T00:00:00Z".parse().unwrap();
        for round in 1..=ROUNDS {
            let numbers = (round * ORDERS..(round + 1) * ORDERS).map(|n| n.to_string());
            merchant.take_in(numbers.map(|no| order(&no, &no, at, &[100])).collect()).await;
            until("the figures have caught up", LIMIT, async || {
                let request = GetProgressRequest {};
                let progress =
                    ask(request, async |q| client.maintenance().get_progress(q).await).await;
                assert!(progress.sources.iter().all(|source| source.parked == 0), "{progress:?}");
                progress.caught_up.then_some(())
            })
            .await;
            let total = sales(&merchant).await.total.unwrap();
            assert_eq!((total.orders, total.buyers), (round * ORDERS, round * ORDERS));
        }
    });
}
