//! What other platforms gave back of their orders.

use siyu_grpc::fault;
use siyu_proto::order::v1::{ImportOutcome as O, *};
use siyu_testkit::merchant;
use tokio::task::JoinSet;

use crate::world::{Told, World, at, order, outcomes, status, version, yuan};

fn refund(refund_no: &str, line_no: i32, minor: i64, seconds: i64) -> ExternalRefund {
    ExternalRefund {
        platform: "tmall".into(),
        shop_id: "shop".into(),
        order_no: "A".into(),
        refund_no: refund_no.into(),
        line_no,
        amount: Some(yuan(minor)),
        quantity: 0,
        update_time: Some(at(seconds)),
    }
}

async fn give_back(world: &World, refunds: &[ExternalRefund]) -> Vec<ImportResult> {
    let request = ImportRefundsRequest { refunds: refunds.to_vec() };
    world.imports(1).import_refunds(request).await.unwrap().into_inner().results
}

async fn listed(world: &World, request: ListImportedRefundsRequest) -> Vec<ImportedRefund> {
    world.imports(1).list_imported_refunds(request).await.unwrap().into_inner().refunds
}

async fn last(world: &World) -> (&'static str, i64, i64) {
    world.told().await.last().unwrap().brief()
}

#[tokio::test]
async fn what_is_given_back_no_longer_counts_until_nothing_is_left() {
    let world = World::new().await;
    let made = world.import(&[version(order("A", &[500, 250]), 0)]).await.remove(0);
    let some = refund("R1", 1, 200, 10);
    assert_eq!(outcomes(&give_back(&world, std::slice::from_ref(&some)).await), [O::Created]);
    assert_eq!(outcomes(&give_back(&world, &[some]).await), [O::Unchanged]);
    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!(
        (stands.state(), stands.paid, stands.revision),
        (OrderState::Paid, Some(yuan(550)), 2)
    );
    assert_eq!(last(&world).await, ("revised", 550, 2));

    // The platform goes on telling the order as it was sold.
    world.import(&[status(version(order("A", &[500, 250]), 20), "shipped")]).await;
    assert_eq!(last(&world).await, ("revised", 550, 3));

    let rest = refund("R2", 0, 550, 30);
    assert_eq!(outcomes(&give_back(&world, &[rest]).await), [O::Created]);
    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!((stands.state(), stands.paid), (OrderState::Refunded, Some(yuan(0))));
    assert_eq!(last(&world).await, ("voided", 0, 4));

    // The second was withdrawn: the order is where the platform's last word left it.
    assert_eq!(outcomes(&give_back(&world, &[refund("R2", 0, 0, 40)]).await), [O::Updated]);
    assert_eq!(outcomes(&give_back(&world, &[refund("R2", 0, 550, 35)]).await), [O::Unchanged]);
    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!((stands.state(), stands.paid), (OrderState::Shipped, Some(yuan(550))));
    assert_eq!(last(&world).await, ("revised", 550, 5));
}

#[tokio::test]
async fn a_refund_that_comes_first_waits_for_its_order_and_its_line() {
    let world = World::new().await;
    let early = [refund("R1", 1, 100, 0), refund("R2", 2, 50, 0)];
    let results = give_back(&world, &early).await;
    assert_eq!(outcomes(&results), [O::Waiting, O::Waiting]);
    assert!(results.iter().all(|result| result.order_id.is_empty()));
    let waiting = ListImportedRefundsRequest { waiting: true, ..Default::default() };
    assert_eq!(listed(&world, waiting.clone()).await.len(), 2);

    let made = world.import(&[version(order("A", &[500]), 0)]).await.remove(0);
    assert_eq!(world.told().await.iter().map(Told::brief).collect::<Vec<_>>(), [("paid", 400, 1)]);
    assert_eq!(listed(&world, waiting).await, []);
    world.import(&[version(order("A", &[500, 250]), 5)]).await;
    assert_eq!(last(&world).await, ("revised", 600, 2));
    let of = ListImportedRefundsRequest { order_id: made.order_id.clone(), ..Default::default() };
    let of = listed(&world, of).await;
    assert_eq!(of.iter().map(|r| r.refund.clone().unwrap()).collect::<Vec<_>>(), early);
    assert!(of.iter().all(|refund| refund.order_id == made.order_id));
}

#[tokio::test]
async fn a_change_of_status_alone_needs_no_lines_of_an_order_that_is_known() {
    let world = World::new().await;
    let bare = status(version(order("A", &[]), 5), "shipped");
    let unknown = world.import(std::slice::from_ref(&bare)).await.remove(0);
    assert_eq!((unknown.outcome(), unknown.errors[0].field.as_str()), (O::Rejected, "lines"));
    let made = world.import(&[version(order("A", &[500]), 0)]).await.remove(0);
    assert_eq!(outcomes(&world.import(&[bare]).await), [O::Updated]);
    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!((stands.state(), stands.paid), (OrderState::Shipped, Some(yuan(500))));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_stops_no_other() {
    let world = World::new().await;
    world.import(&[version(order("A", &[500]), 0)]).await;
    let wrong = |change: fn(&mut ExternalRefund)| {
        let mut refund = refund("R", 1, 100, 0);
        change(&mut refund);
        refund
    };
    let refunds = [
        wrong(|r| r.amount = None),
        wrong(|r| r.amount = Some(yuan(-1))),
        wrong(|r| r.amount.as_mut().unwrap().currency_code = "USD".into()),
        wrong(|r| r.platform = "siyu".into()),
        wrong(|r| (r.line_no, r.quantity) = (0, 1)),
        wrong(|r| r.refund_no.clear()),
        wrong(|_| ()),
    ];
    let results = give_back(&world, &refunds).await;
    let fields: Vec<&str> =
        results[..6].iter().map(|result| result.errors[0].field.as_str()).collect();
    let expected = [
        "amount",
        "amount.minor_units",
        "amount.currency_code",
        "platform",
        "quantity",
        "refund_no",
    ];
    assert_eq!(fields, expected);
    assert_eq!(results[6].outcome(), O::Created);
    let both = ListImportedRefundsRequest {
        order_id: results[6].order_id.clone(),
        waiting: true,
        ..Default::default()
    };
    let refused = fault(world.imports(1).list_imported_refunds(both).await.unwrap_err());
    assert_eq!(refused.violations()[0].field, "waiting");
}

#[tokio::test]
async fn refunds_of_one_merchant_say_nothing_to_another() {
    let world = World::new().await;
    world.member.open(merchant(2), "S", 1);
    world.import(&[version(order("A", &[500]), 0)]).await;
    let request = ImportRefundsRequest { refunds: vec![refund("R1", 0, 500, 0)] };
    let reply = world.imports(2).import_refunds(request).await.unwrap().into_inner();
    assert_eq!(outcomes(&reply.results), [O::Waiting]);
    assert_eq!(listed(&world, ListImportedRefundsRequest::default()).await, []);
    assert_eq!(last(&world).await, ("paid", 500, 1));
}

/// Orders and their refunds that come at the same moment, in pages too: each refund finds its order, or its order finds it.
#[tokio::test(flavor = "multi_thread")]
async fn orders_and_refunds_that_come_at_once_see_one_another() {
    let world = World::new().await;
    let names: Vec<String> = (0..60).map(|n| format!("{n:02}")).collect();
    let mut calls = JoinSet::new();
    for name in &names {
        let mut imports = world.imports(1);
        let orders = vec![version(order(name, &[500, 250]), 0)];
        calls.spawn(async move {
            imports.import_orders(ImportOrdersRequest { orders }).await.unwrap();
        });
        let mut imports = world.imports(1);
        let refund = ExternalRefund { order_no: name.clone(), ..refund("R", 0, 100, 0) };
        calls.spawn(async move {
            let request = ImportRefundsRequest { refunds: vec![refund] };
            imports.import_refunds(request).await.unwrap();
        });
    }
    calls.join_all().await;
    assert_eq!(
        world.count("select count(*) from imported_refunds where order_id is null").await,
        0
    );
    assert_eq!(world.count("select sum(paid_minor)::bigint from orders").await, 60 * 650);
    assert_eq!(world.count("select sum(paid_minor)::bigint from order_lines").await, 60 * 650);
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let (page_size, page_token) = (25, token);
        let request = ListImportedRefundsRequest { page_size, page_token, ..Default::default() };
        let reply = world.imports(1).list_imported_refunds(request).await.unwrap().into_inner();
        seen.extend(reply.refunds.into_iter().map(|refund| refund.refund.unwrap().order_no));
        token = reply.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, names);
}
