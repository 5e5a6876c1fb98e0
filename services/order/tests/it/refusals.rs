//! Orders that are not as they must be, each refused for itself.

use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::{ImportOutcome as O, *};

use crate::world::{World, at, line, order, outcomes};

/// A way to spoil an order, and the field that is named then.
type Spoil = (&'static str, fn(&mut ExternalOrder));

const SPOILS: &[Spoil] = &[
    ("platform", |o| o.platform = "Tmall!".into()),
    ("store_code", |o| o.store_code = "nowhere".into()),
    ("domain", |o| o.domain = 77),
    ("pay_time", |o| o.pay_time = None),
    ("pay_time", |o| o.pay_time = Some(at(86_400))),
    ("update_time", |o| o.update_time = Some(prost_types::Timestamp { seconds: -1, nanos: 0 })),
    ("lines[0].paid.minor_units", |o| o.lines[0].paid.as_mut().unwrap().minor_units = -1),
    ("lines[0].paid.minor_units", |o| o.lines[0].paid.as_mut().unwrap().minor_units = i64::MAX),
    ("lines[0].paid.currency_code", |o| {
        o.lines[0].paid.as_mut().unwrap().currency_code = "USD".into();
    }),
    ("lines[0].paid.currency_code", |o| {
        o.lines[0].paid.as_mut().unwrap().currency_code = "XXX".into();
    }),
    ("lines[1].line_no", |o| o.lines.push(o.lines[0].clone())),
    ("platform_subsidy.minor_units", |o| o.platform_subsidy = Some(crate::world::yuan(-5))),
];

/// The same, of shapes that the contract bounds.
const SHAPES: &[Spoil] = &[
    ("platform", |o| o.platform.clear()),
    ("order_no", |o| o.order_no.clear()),
    ("order_no", |o| o.order_no = "x".repeat(65)),
    ("order_no", |o| o.order_no = "a\0b".into()),
    ("buyer_id", |o| o.buyer_id.clear()),
    ("lines", |o| o.lines.clear()),
    ("lines[0].paid", |o| o.lines[0].paid = None),
    ("lines[0].line_no", |o| o.lines[0].line_no = -1),
    ("lines[0].quantity", |o| o.lines[0].quantity = -1),
    ("channel", |o| o.channel = "c".repeat(33)),
];

fn fields(result: &ImportResult) -> Vec<&str> {
    result.errors.iter().map(|error| error.field.as_str()).collect()
}

async fn refused_alone(spoils: &[Spoil]) {
    let world = World::new().await;
    let mut orders = vec![order("first", &[1])];
    for (n, (_, spoil)) in spoils.iter().enumerate() {
        let mut bad = order(&format!("bad {n}"), &[100]);
        spoil(&mut bad);
        orders.push(bad);
    }
    orders.push(order("last", &[1]));
    let results = world.import(&orders).await;
    assert_eq!(results.len(), orders.len());
    for (result, (field, _)) in results[1..].iter().zip(spoils) {
        assert_eq!((result.outcome(), fields(result)), (O::Rejected, vec![*field]));
        assert!(result.order_id.is_empty() && !result.errors[0].description.is_empty());
    }
    let sound = [results[0].outcome(), results[results.len() - 1].outcome()];
    assert_eq!(sound, [O::Created; 2]);
    assert_eq!(world.count("select count(*) from orders").await, 2);
    assert_eq!(world.told().await.len(), 2);
}

#[tokio::test]
async fn a_bad_order_is_refused_by_field_and_stops_no_other() {
    refused_alone(SPOILS).await;
}

#[tokio::test]
async fn an_order_of_a_bad_shape_is_refused_by_field_and_stops_no_other() {
    refused_alone(SHAPES).await;
}

#[tokio::test]
async fn every_bad_field_of_an_order_is_named_at_once() {
    let world = World::new().await;
    let mut bad = order("A", &[100]);
    bad.platform = "Tmall".into();
    bad.pay_time = None;
    bad.lines[0].paid.as_mut().unwrap().minor_units = -1;
    let result = world.import(&[bad]).await.remove(0);
    assert_eq!(fields(&result), ["platform", "lines[0].paid.minor_units", "pay_time"]);
}

#[tokio::test]
async fn an_order_that_grows_too_large_is_refused_and_stays_as_it_was() {
    let world = World::new().await;
    let made = world.import(&[order("A", &[100])]).await.remove(0);
    let most = 9_000_000_000_000;
    let mut huge = order("A", &[]);
    huge.update_time = Some(at(0));
    huge.lines = vec![line(2, most), line(3, 1)];
    let result = world.import(&[huge.clone(), order("B", &[1])]).await;
    assert_eq!(outcomes(&result), [O::Rejected, O::Created]);
    assert_eq!(fields(&result[0]), ["lines.paid"]);
    // Nor can it be made so large from nothing.
    huge.order_no = "C".into();
    assert_eq!(outcomes(&world.import(&[huge]).await), [O::Rejected]);
    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!((stands.revision, stands.lines.len()), (1, 1));
}

#[tokio::test]
async fn a_request_without_orders_or_with_too_many_is_refused_as_a_whole() {
    let world = World::new().await;
    let named = |fault: Fault| {
        assert_eq!(fault.code(), Code::InvalidArgument);
        fault.violations()[0].field.clone()
    };
    assert_eq!(named(world.try_import(1, &[]).await.unwrap_err()), "orders");
    let many = vec![order("A", &[1]); 1001];
    assert_eq!(named(world.try_import(1, &many).await.unwrap_err()), "orders");
    assert_eq!(world.count("select count(*) from orders").await, 0);
}
