//! Several processes of the service on one database.

use siyu_proto::metrics::v1::*;
use tokio::task::JoinSet;

use crate::world::{Process, World, now, sale};

#[tokio::test]
async fn two_processes_show_the_same_figures_whoever_folded_them() {
    let world = World::new().await;
    let second = Process::new(&world.database, &world.clock);
    let mut known = Vec::new();
    for n in 1..=6 {
        let order = sale(n, n % 3, i64::from(n), 100);
        world.sell(1, std::slice::from_ref(&order)).await;
        known.push(order);
        let (first_asked, then) =
            if n % 2 == 0 { (&world.own, &second) } else { (&second, &world.own) };
        let shown = first_asked.get_sales(1, "", "").await.unwrap();
        assert_eq!(then.get_sales(1, "", "").await.unwrap(), shown);
        assert_eq!(shown.total.unwrap().orders, i64::from(n));
    }
    // A change in the past, folded by one, is seen by the other without a fold.
    world.sell(1, &[now(&known[0], 7)]).await;
    assert_eq!(second.total().await.gmv_minor, 507);
    let folds = world.count("select folded_version from merchants where folded_version > 0").await;
    assert_eq!(world.own.total().await.gmv_minor, 507);
    let again = world.count("select folded_version from merchants where folded_version > 0").await;
    assert_eq!(again, folds);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_while_orders_come_see_figures_that_only_grow() {
    let world = World::new().await;
    let second = Process::new(&world.database, &world.clock);
    let mut asking = JoinSet::new();
    for n in 0..4 {
        let mut sales = if n % 2 == 0 { world.own.sales(1) } else { second.sales(1) };
        asking.spawn(async move {
            let mut seen = Vec::new();
            while seen.last() != Some(&25) {
                let shown = sales.get_sales(GetSalesRequest::default()).await.unwrap();
                let shown = shown.into_inner();
                let total = shown.total.unwrap();
                assert_eq!(total.gmv_minor, total.orders * 100);
                seen.push(total.orders);
                tokio::task::yield_now().await;
            }
            seen
        });
    }
    for n in 1..=25 {
        world.sell(1, &[sale(n, n % 7, i64::from(n % 5), 100)]).await;
    }
    for seen in asking.join_all().await {
        assert!(seen.is_sorted(), "{seen:?}");
    }
    assert!(second.rebuild(1).await.equal);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_versions_of_the_facts_give_equal_answers_however_many_ask() {
    let world = World::new().await;
    let second = Process::new(&world.database, &world.clock);
    let mut asking = JoinSet::new();
    for n in 0..4 {
        let mut sales = if n % 2 == 0 { world.own.sales(1) } else { second.sales(1) };
        asking.spawn(async move {
            let mut seen = Vec::new();
            while seen.last().is_none_or(|(version, _)| *version < 30) {
                let shown = sales.get_sales(GetSalesRequest::default()).await.unwrap();
                let shown = shown.into_inner();
                seen.push((shown.basis.unwrap().facts_version, shown.total.unwrap().orders));
                tokio::task::yield_now().await;
            }
            seen
        });
    }
    for n in 1..=30 {
        world.sell(1, &[sale(n, n, 0, 100)]).await;
    }
    for (version, orders) in asking.join_all().await.into_iter().flatten() {
        assert_eq!(version, orders, "each version took in one order");
    }
}
