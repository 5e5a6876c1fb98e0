//! Figures kept up to date order by order are those that a computation from the start gives, bit for bit.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_proto::{
    metrics::v1::RebuildMetricsRequest,
    order::v1::{ExternalOrder, ListOrdersRequest, Order, OrderState, order_service_client},
};
use siyu_tests::support::{
    Merchant, Sheet, ask, assert_same, order, report, run_until_idle, shuffle, story, suite,
    timestamp,
};

use crate::truth::sales;

const ORDERS: u32 = 150;
const BATCH: usize = 60;
const SEED: u64 = 20_240_601;

/// A few versions of each order: other amounts, other days, another buyer, refunds, and back again.
pub(crate) fn versions(orders: u32) -> Vec<ExternalOrder> {
    let start: DateTime<Utc> = "2024-02-27T20:00:00Z".parse().unwrap();
    let states = ["paid", "shipped", "refunded", "completed", "cancelled", "paid"];
    let mut all = Vec::new();
    for n in 0..orders {
        let pick =
            |salt: u32, of: u32| (n.wrapping_mul(2_654_435_761) >> 7).wrapping_add(n * salt) % of;
        for version in 0..=pick(3, 4) {
            let paid_at = start + TimeDelta::hours(i64::from(pick(5, 90) * 17 + version * 5));
            let buyer = format!("b{}", pick(7, 40) + u32::from(version == 3));
            let amount = i64::from(pick(11, 9_000) + version * 31);
            let mut told = order(&n.to_string(), &buyer, paid_at, &[amount, amount / 3]);
            let state = states[usize::try_from((n + version * 2) % 6).unwrap()];
            state.clone_into(&mut told.status);
            told.update_time = Some(timestamp(start + TimeDelta::days(100 + i64::from(version))));
            all.push(told);
        }
    }
    shuffle(&mut all, SEED);
    all
}

#[test]
fn after_many_changes_a_rebuild_finds_every_figure_as_it_was() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        for batch in versions(ORDERS).chunks(BATCH) {
            merchant.take_in(batch.to_vec()).await;
            // A look on the way: what is folded now changes later.
            sales(&merchant).await;
        }
        run_until_idle(&merchant.place).await;
        let before = report(&merchant).await;
        let client = merchant.caller.client();
        let request = RebuildMetricsRequest {};
        let reply = ask(request, async |q| client.maintenance().rebuild_metrics(q).await).await;
        assert!(reply.equal, "{reply:?}");
        assert_same("the report", &report(&merchant).await, &before);

        // And they are what the orders say.
        let orders = orders(&merchant).await;
        assert_eq!(orders.len(), usize::try_from(ORDERS).unwrap());
        let counts = |order: &&Order| {
            let state = order.state();
            !matches!(state, OrderState::Refunded | OrderState::Cancelled)
        };
        let paid = |order: &Order| order.paid.as_ref().unwrap().minor_units;
        let counted: Vec<&Order> = orders.iter().filter(counts).collect();
        let total = sales(&merchant).await.total.unwrap();
        assert_eq!(total.orders, i64::try_from(counted.len()).unwrap());
        assert_eq!(total.gmv_minor, counted.iter().map(|order| paid(order)).sum::<i64>());
        assert_eq!(total.units, counted.iter().map(|order| order.quantity).sum::<i64>());
        let mut buyers: Vec<&String> = counted.iter().map(|order| &order.person_id).collect();
        buyers.sort_unstable();
        buyers.dedup();
        assert_eq!(total.buyers, i64::try_from(buyers.len()).unwrap());
    });
}

#[test]
fn a_rebuild_while_orders_come_in_finds_every_figure_as_it_was() {
    story(async {
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        let client = merchant.caller.client();
        let sheet = Sheet::cdnow(300);
        let mut import = Box::pin(merchant.import(&sheet));
        let mut rebuilt = 0;
        let summary = loop {
            let request = RebuildMetricsRequest {};
            let rebuild = ask(request, async |q| client.maintenance().rebuild_metrics(q).await);
            tokio::select! {
                summary = &mut import => break summary,
                reply = rebuild => {
                    assert!(reply.equal, "after {rebuilt} rebuilds: {reply:?}");
                    rebuilt += 1;
                }
            }
        };
        assert_eq!(summary.created, summary.rows);
        run_until_idle(&merchant.place).await;
        let total = sales(&merchant).await.total.unwrap();
        assert_eq!(total.orders, i64::try_from(summary.rows).unwrap());
    });
}

#[test]
fn a_rebuild_mends_figures_that_were_damaged_and_says_so() {
    story(async {
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        merchant.import(&Sheet::cdnow(100)).await;
        run_until_idle(&merchant.place).await;
        let before = report(&merchant).await;
        assert!(merchant.damage_figures().await > 0);
        let client = merchant.caller.client();
        for equal in [false, true] {
            let request = RebuildMetricsRequest {};
            let reply = ask(request, async |q| client.maintenance().rebuild_metrics(q).await).await;
            assert_eq!(reply.equal, equal, "{reply:?}");
            assert_same("the report", &report(&merchant).await, &before);
        }
    });
}

async fn orders(merchant: &Merchant) -> Vec<Order> {
    let mut client = order_service_client::OrderServiceClient::new(merchant.caller.grpc());
    let mut request = ListOrdersRequest { page_size: 40, ..Default::default() };
    let mut orders = Vec::new();
    loop {
        let page = ask(request.clone(), async |q| client.list_orders(q).await).await;
        orders.extend(page.orders);
        if page.next_page_token.is_empty() {
            return orders;
        }
        request.page_token = page.next_page_token;
    }
}
