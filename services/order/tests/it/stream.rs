//! Many batches over one call.

use futures::StreamExt;
use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::order::v1::{ImportOutcome as O, *};

use crate::world::{World, order, outcomes};

fn batch(names: &[&str]) -> StreamImportOrdersRequest {
    let orders = names.iter().map(|name| order(name, &[100])).collect();
    StreamImportOrdersRequest { orders }
}

#[tokio::test]
async fn every_batch_is_answered_in_order() {
    let world = World::new().await;
    let batches = vec![batch(&["A", "B"]), batch(&["B", "C"]), batch(&["D"])];
    let stream = futures::stream::iter(batches);
    let mut replies = world.imports(1).stream_import_orders(stream).await.unwrap().into_inner();
    let mut seen = Vec::new();
    while let Some(reply) = replies.next().await {
        seen.push(outcomes(&reply.unwrap().results));
    }
    let expected = [vec![O::Created, O::Created], vec![O::Unchanged, O::Created], vec![O::Created]];
    assert_eq!(seen, expected);
    assert_eq!(world.told().await.len(), 4);
}

#[tokio::test]
async fn a_batch_that_cannot_be_taken_ends_the_stream_and_what_was_answered_stands() {
    let world = World::new().await;
    let batches = vec![batch(&["A"]), batch(&[]), batch(&["B"])];
    let stream = futures::stream::iter(batches);
    let mut replies = world.imports(1).stream_import_orders(stream).await.unwrap().into_inner();
    assert_eq!(outcomes(&replies.next().await.unwrap().unwrap().results), [O::Created]);
    let refused = fault(replies.next().await.unwrap().unwrap_err());
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.violations()[0].field, "orders");
    assert!(replies.next().await.is_none());
    assert_eq!(world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_whole_batches_behind() {
    let world = World::new().await;
    let names: Vec<Vec<String>> =
        (0..50).map(|b| (0..4).map(|n| format!("{b}-{n}")).collect()).collect();
    let batches =
        names.into_iter().map(|names| batch(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let stream = futures::stream::iter(batches.collect::<Vec<_>>());
    let mut replies = world.imports(1).stream_import_orders(stream).await.unwrap().into_inner();
    for _ in 0..3 {
        replies.next().await.unwrap().unwrap();
    }
    drop(replies);
    let orders = world.count("select count(*) from orders").await;
    assert!((12..200).contains(&orders) && orders % 4 == 0, "{orders}");
    assert_eq!(i64::try_from(world.told().await.len()).unwrap(), orders);
}
