//! An order in a state that nobody knows is put aside, and counts as soon as somebody says what the word means.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_proto::order::v1::{
    ExternalOrder, ImportOutcome, ImportResult, ListQuarantinedOrdersRequest, OrderState,
    QuarantinedOrder, SetStatusMappingRequest,
};
use siyu_tests::support::{Merchant, ask, order, run_until_idle, story, suite, timestamp};

use crate::truth::sales;

/// An order in a state of the platform's own.
fn in_state(no: &str, status: &str, paid_at: DateTime<Utc>, minor: i64) -> ExternalOrder {
    let order = order(no, no, paid_at, &[minor]);
    ExternalOrder { status: status.to_owned(), ..order }
}

async fn quarantined(merchant: &Merchant) -> Vec<QuarantinedOrder> {
    let client = merchant.caller.client();
    let request = ListQuarantinedOrdersRequest::default();
    ask(request, async |q| client.imports().list_quarantined_orders(q).await)
        .await
        .quarantined_orders
}

async fn say(merchant: &Merchant, status: &str, state: OrderState) -> i32 {
    let client = merchant.caller.client();
    let request = SetStatusMappingRequest {
        platform: "shop".to_owned(),
        status: status.to_owned(),
        state: state.into(),
    };
    ask(request, async |q| client.imports().set_status_mapping(q).await).await.released
}

/// Asserts orders and turnover, once everything is told.
async fn assert_sales(merchant: &Merchant, orders: i64, gmv_minor: i64) {
    run_until_idle(&merchant.place).await;
    let total = sales(merchant).await.total.unwrap();
    assert_eq!((total.orders, total.gmv_minor), (orders, gmv_minor));
}

#[test]
fn a_word_that_is_explained_while_orders_come_in_leaves_none_of_them_outside() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let at: DateTime<Utc> = "2024-05-01T04:00:00Z".parse().unwrap();
        let (mut numbers, mut told) = (1_i64.., 0);
        for word in ["shipped_out", "on_the_way", "at_the_door", "handed_over", "signed_for"] {
            let batches: Vec<Vec<ExternalOrder>> = (0..12)
                .map(|_| {
                    let numbers = numbers.by_ref().take(3);
                    numbers.map(|no| in_state(&no.to_string(), word, at, 100)).collect()
                })
                .collect();
            told += batches.iter().map(Vec::len).sum::<usize>();
            // While some batches are stored, others are only being read.
            let imports = batches.into_iter().map(|batch| merchant.take_in(batch));
            let (_, _) = tokio::join!(
                futures::future::join_all(imports),
                say(&merchant, word, OrderState::Paid)
            );
        }
        assert_eq!(quarantined(&merchant).await, []);
        assert_sales(&merchant, i64::try_from(told).unwrap(), i64::try_from(told * 100).unwrap())
            .await;
    });
}

#[test]
fn an_unknown_state_waits_outside_the_figures_until_it_is_explained() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let at: DateTime<Utc> = "2024-05-01T04:00:00Z".parse().unwrap();
        let newer = ExternalOrder {
            update_time: Some(timestamp(at + TimeDelta::hours(1))),
            ..in_state("2", "WAIT_SELLER", at, 250)
        };
        let elsewhere =
            ExternalOrder { platform: "other".to_owned(), ..in_state("3", "wait_seller", at, 999) };
        let results = merchant
            .take_in(vec![
                in_state("1", "paid", at, 100),
                newer.clone(),
                in_state("2", "wait_seller", at, 200),
                elsewhere,
                in_state("4", "lost_at_sea", at, 400),
            ])
            .await;
        let outcomes: Vec<ImportOutcome> = results.iter().map(ImportResult::outcome).collect();
        let aside = ImportOutcome::Quarantined;
        assert_eq!(outcomes, [ImportOutcome::Created, aside, aside, aside, aside]);
        assert_sales(&merchant, 1, 100).await;
        let waiting = quarantined(&merchant).await.len();

        // The word means the same however it is written, on this platform only; of two versions the newer one counts.
        let released = say(&merchant, "Wait_Seller", OrderState::Paid).await;
        assert_sales(&merchant, 2, 350).await;
        let left = quarantined(&merchant).await;
        assert_eq!(left.len() + usize::try_from(released).unwrap(), waiting);
        let left: Vec<String> = left.into_iter().map(|q| q.order.unwrap().status).collect();
        assert_eq!(left, ["wait_seller", "lost_at_sea"]);
        assert_eq!(say(&merchant, "wait_seller", OrderState::Paid).await, 0);

        // What comes later needs no explanation any more.
        let results = merchant.take_in(vec![in_state("5", "wait_seller", at, 50), newer]).await;
        let outcomes: Vec<ImportOutcome> = results.iter().map(ImportResult::outcome).collect();
        assert_eq!(outcomes, [ImportOutcome::Created, ImportOutcome::Unchanged]);
        assert_sales(&merchant, 3, 400).await;

        assert_eq!(say(&merchant, "lost_at_sea", OrderState::Refunded).await, 1);
        assert_sales(&merchant, 3, 400).await;
    });
}
