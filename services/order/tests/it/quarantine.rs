//! Orders whose status nobody has explained yet.

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::{ImportOutcome as O, *};

use crate::world::{Told, World, order, outcomes, status, version};

pub(crate) fn odd(order_no: &str, minor: i64) -> ExternalOrder {
    status(order(order_no, &[minor]), "TRADE_ODD ")
}

pub(crate) async fn explain(
    world: &World,
    who: u32,
    word: &str,
    state: OrderState,
) -> Result<i32, Fault> {
    let request = SetStatusMappingRequest {
        platform: "tmall".into(),
        status: word.into(),
        state: state.into(),
    };
    let reply = world.imports(who).set_status_mapping(request).await.map_err(fault)?;
    Ok(reply.into_inner().released)
}

pub(crate) async fn aside(world: &World, who: u32) -> Vec<ExternalOrder> {
    let mut request = ListQuarantinedOrdersRequest { page_size: 2, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let reply = world.imports(who).list_quarantined_orders(request.clone()).await.unwrap();
        let page = reply.into_inner();
        all.extend(page.quarantined_orders.into_iter().map(|row| row.order.unwrap()));
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn an_unknown_status_is_put_aside_until_someone_says_what_it_means() {
    let world = World::new().await;
    let orders = [odd("A", 100), order("B", &[7]), odd("C", 300)];
    let results = world.import(&orders).await;
    assert_eq!(outcomes(&results), [O::Quarantined, O::Created, O::Quarantined]);
    assert!(results[0].order_id.is_empty() && results[0].errors.is_empty());
    let mut shown = aside(&world, 1).await;
    shown.sort_by(|a, b| a.order_no.cmp(&b.order_no));
    assert_eq!(shown, [odd("A", 100), odd("C", 300)], "as they came");
    assert_eq!(world.told().await.len(), 1);

    assert_eq!(explain(&world, 1, " trade_ODD", OrderState::Completed).await.unwrap(), 2);
    assert_eq!(aside(&world, 1).await, []);
    let told: Vec<_> = world.told().await.iter().map(Told::brief).collect();
    assert_eq!(told, [("paid", 7, 1), ("paid", 100, 1), ("paid", 300, 1)]);
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Completed).await.unwrap(), 0);
    assert_eq!(outcomes(&world.import(&[odd("A", 100)]).await), [O::Unchanged]);
    assert_eq!(outcomes(&world.import(&[odd("D", 1)]).await), [O::Created]);
}

#[tokio::test]
async fn the_same_order_put_aside_again_and_within_one_batch_waits_once() {
    let world = World::new().await;
    let twice = [odd("A", 100), odd("A", 200), odd("B", 1)];
    assert_eq!(outcomes(&world.import(&twice).await), [O::Quarantined; 3]);
    world.import(&[odd("B", 1)]).await;
    assert_eq!(world.count("select count(*) from quarantined_orders").await, 2);
    // The one that came last says what is in it.
    let minor: Vec<_> = aside(&world, 1).await.iter().map(|o| o.lines[0].paid.clone()).collect();
    assert!(minor.contains(&odd("A", 200).lines[0].paid), "{minor:?}");
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Paid).await.unwrap(), 2);
    let told: Vec<_> = world.told().await.iter().map(Told::brief).collect();
    assert_eq!(told.len(), 2, "{told:?}");
}

#[tokio::test]
async fn versions_that_waited_end_in_the_newest() {
    let world = World::new().await;
    let newest = version(odd("A", 300), 3);
    let waiting = [newest, version(odd("A", 100), 1), version(odd("A", 200), 2)];
    for one in waiting {
        world.import(&[one]).await;
    }
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Paid).await.unwrap(), 3);
    let told = world.told().await;
    assert_eq!(told.iter().map(Told::brief).collect::<Vec<_>>(), [("paid", 300, 1)]);
}

#[tokio::test]
async fn what_is_refused_stays_put_aside_and_is_not_counted() {
    let world = World::new().await;
    let unpaid = |no: &str| ExternalOrder { pay_time: None, ..odd(no, 100) };
    // More of them than a transaction holds: they are in the way of nobody.
    let waiting: Vec<_> = (0..600).map(|n| unpaid(&format!("U{n}"))).collect();
    assert_eq!(outcomes(&world.import(&waiting).await), [O::Quarantined; 600]);
    world.import(&[odd("A", 7)]).await;
    // A word that means "paid" needs a time of payment.
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Paid).await.unwrap(), 1);
    let kept = "select count(*) from quarantined_orders";
    assert_eq!(world.count(kept).await, 600);
    let told: Vec<_> = world.told().await.iter().map(Told::brief).collect();
    assert_eq!(told, [("paid", 7, 1)]);
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Paid).await.unwrap(), 0);
    assert_eq!(world.count(kept).await, 600, "nothing of them is lost");
    // It was a mistake: the word means that nobody has paid yet.
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Created).await.unwrap(), 600);
    assert_eq!(world.count(kept).await, 0);
    assert_eq!(world.count("select count(*) from orders where state = 'created'").await, 600);
}

#[tokio::test]
async fn an_order_without_instants_is_as_old_as_its_coming_when_its_word_is_explained() {
    let world = World::new().await;
    let bare =
        |word: &str, minor| ExternalOrder { pay_time: None, ..status(order("A", &[minor]), word) };
    world.import(&[bare("trade_odd", 100)]).await;
    world.clock.advance(chrono::TimeDelta::minutes(1));
    let known = world.import(&[bare("cancelled", 200)]).await.remove(0);
    assert_eq!(known.outcome(), O::Created);
    world.clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Created).await.unwrap(), 1);
    let stands = world.get(1, &known.order_id).await.unwrap();
    assert_eq!(stands.state(), OrderState::Cancelled, "what came later counts (rule 29)");
    assert_eq!(stands.paid.unwrap().minor_units, 200);
}

#[tokio::test]
async fn more_than_one_transaction_holds_are_all_let_go() {
    let world = World::new().await;
    for batch in 0..3 {
        let orders: Vec<_> = (0..400).map(|n| odd(&format!("{batch}-{n}"), 1)).collect();
        world.import(&orders).await;
    }
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Shipped).await.unwrap(), 1_200);
    assert_eq!(world.count("select count(*) from quarantined_orders").await, 0);
    assert_eq!(world.count("select count(*) from orders where state = 'shipped'").await, 1_200);
    assert_eq!(world.told().await.len(), 1_200);
}

#[tokio::test]
async fn what_a_merchant_says_of_a_word_counts_for_it_alone_and_before_our_own_reading() {
    let world = World::new().await;
    assert_eq!(explain(&world, 1, "closed", OrderState::Cancelled).await.unwrap(), 0);
    let closed = status(order("A", &[100]), "Closed");
    let own = world.import(std::slice::from_ref(&closed)).await.remove(0);
    let theirs = world.try_import(2, &[closed]).await.unwrap().remove(0);
    assert_eq!(world.get(1, &own.order_id).await.unwrap().state(), OrderState::Cancelled);
    assert_eq!(world.get(2, &theirs.order_id).await.unwrap().state(), OrderState::Closed);
    world.try_import(2, &[odd("B", 1)]).await.unwrap();
    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Paid).await.unwrap(), 0);
    assert_eq!((aside(&world, 1).await.len(), aside(&world, 2).await.len()), (0, 1));
}

#[tokio::test]
async fn a_word_needs_a_state_that_we_know() {
    let world = World::new().await;
    let refused = explain(&world, 1, "odd", OrderState::Unspecified).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "state");
    let request =
        SetStatusMappingRequest { platform: "tmall".into(), status: "odd".into(), state: 77 };
    let refused = fault(world.imports(1).set_status_mapping(request).await.unwrap_err());
    assert_eq!(refused.violations()[0].field, "state");
}
