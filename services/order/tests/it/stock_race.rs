//! Many at once: nothing is sold twice, nothing is released twice, nobody waits for somebody who waits for him.

use chrono::TimeDelta;
use futures::{StreamExt as _, future::join_all, stream};
use siyu_kernel::Clock as _;
use siyu_order::stock::{self, ReleaseCause};
use siyu_proto::order::v1::*;

use crate::{
    stock::{figures, import, receive, set_buckets, sound, stocked},
    stock_orders::{demand, ids, order, request, reserve, tx},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_buyers_of_fifty_pieces_exactly_fifty_get_one() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 60).await;
    set_buckets(&world, "1", &[("flash:0618", 50)]).await.unwrap();
    let until = world.clock.now() + TimeDelta::minutes(5);
    let buy = async |n: u32| {
        let flash = stock::Demand { channel: "flash:0618".into(), ..demand(1, "s0", 1) };
        reserve(&world, &request(n, vec![flash], until), n).await.unwrap().is_ok()
    };
    let sold: Vec<bool> = stream::iter(1..=1_000).map(buy).buffer_unordered(100).collect().await;
    assert_eq!(sold.len(), 1_000);
    assert_eq!(sold.into_iter().filter(|sold| *sold).count(), 50);
    assert_eq!(figures(&world, "s0", "a").await, (60, 50, 10));
    assert_eq!(world.count("select sum(held)::bigint from stock_reservations").await, 50);
    sound(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_orders_sell_the_same_pieces_once() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 50).await;
    let until = world.clock.now() + TimeDelta::minutes(5);
    let batch = async |n: u32| {
        let requests: Vec<_> =
            (0..25).map(|i| request(n * 25 + i + 1, vec![demand(1, "s0", 1)], until)).collect();
        let mut tx = tx(&world).await;
        let now = world.clock.now();
        let answers = stock::reserve_many(&mut tx, &requests, now, &ids(n)).await.unwrap();
        tx.commit().await.unwrap();
        answers.into_iter().flatten().count()
    };
    let sold: Vec<usize> = stream::iter(0..40).map(batch).buffer_unordered(16).collect().await;
    assert_eq!(sold.iter().sum::<usize>(), 50);
    assert_eq!(figures(&world, "s0", "a").await, (50, 50, 0));
    sound(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_and_expiring_at_once_release_once() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 100).await;
    let until = world.clock.now() + TimeDelta::minutes(5);
    for n in 1..=20 {
        reserve(&world, &request(n, vec![demand(1, "s0", 5)], until), n).await.unwrap().unwrap();
    }
    assert_eq!(figures(&world, "s0", "a").await, (100, 100, 0));
    let release = async |n: u32, seed: u32, cause: ReleaseCause| {
        let mut tx = tx(&world).await;
        let now = world.clock.now();
        let freed = stock::release(&mut tx, order(n), cause, now, &ids(seed)).await.unwrap();
        tx.commit().await.unwrap();
        freed.iter().map(|own| own.held).sum::<i64>()
    };
    let tries = (1..=20).flat_map(|n| {
        [
            release(n, 100 + n, ReleaseCause::Cancelled),
            release(n, 200 + n, ReleaseCause::Expired),
            release(n, 300 + n, ReleaseCause::Cancelled),
        ]
    });
    assert_eq!(join_all(tries).await.iter().sum::<i64>(), 100);
    assert_eq!(figures(&world, "s0", "a").await, (100, 0, 100));
    let released = "select count(*) from stock_movements where cause = 'released'";
    assert_eq!(world.count(released).await, 20);
    sound(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_name_the_same_skus_in_other_orders_do_not_wait_for_each_other() {
    let world = stocked(6).await;
    for n in 0..6 {
        receive(&world, &format!("asn {n}"), &format!("s{n}"), "a", 1_000).await;
    }
    let until = world.clock.now() + TimeDelta::minutes(5);
    let buy = async |n: u32| {
        let skus = (0..6).map(|i| if n.is_multiple_of(2) { i } else { 5 - i });
        let lines =
            (1..).zip(skus).map(|(line, sku)| demand(line, &format!("s{sku}"), 1)).collect();
        reserve(&world, &request(n, lines, until), n).await.unwrap().unwrap();
    };
    stream::iter(1..=200).for_each_concurrent(32, buy).await;
    assert_eq!(figures(&world, "s3", "a").await, (1_000, 200, 800));
    sound(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_from_many_hands_is_taken_in_once() {
    let world = stocked(3).await;
    let rows: Vec<ImportStockRow> = (1..=90)
        .map(|row_no| ImportStockRow {
            row_no,
            sku: format!("s{}", row_no % 3),
            location: "a".into(),
            quantity: 2,
        })
        .collect();
    let call = |world: &World| {
        let (world, rows) = (world.stocks(1), rows.clone());
        async move {
            let mut world = world;
            let request = ImportStockRequest {
                document_no: "asn".into(),
                kind: ImportStockKind::Received.into(),
                rows,
            };
            world.import_stock(request).await.unwrap().into_inner().results
        }
    };
    let results = join_all((0..8).map(|_| call(&world))).await.concat();
    let applied = results.iter().filter(|r| r.outcome() == ImportStockOutcome::Applied).count();
    let repeated = results.iter().filter(|r| r.outcome() == ImportStockOutcome::Repeated).count();
    assert_eq!((applied, repeated), (90, 7 * 90));
    assert_eq!(figures(&world, "s0", "a").await, (60, 0, 60));
    let again = import(&world, "asn", ImportStockKind::Received, &rows[..1]).await;
    assert_eq!(again[0].outcome(), ImportStockOutcome::Repeated);
    sound(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_both_ways_among_orders_lose_no_piece() {
    let world = stocked(3).await;
    for n in 0..3 {
        receive(&world, &format!("a {n}"), &format!("s{n}"), "a", 100).await;
        receive(&world, &format!("b {n}"), &format!("s{n}"), "b", 100).await;
    }
    let until = world.clock.now() + TimeDelta::minutes(5);
    let transfer = async |n: u32| {
        let (from, to) = if n.is_multiple_of(2) { ("a", "b") } else { ("b", "a") };
        let row = |sku: u32| TransferStockRow { sku: format!("s{sku}"), quantity: 1 };
        let skus = if n.is_multiple_of(3) { [0, 1, 2] } else { [2, 1, 0] };
        let request = TransferStockRequest {
            request_id: format!("{n}"),
            from_location: from.into(),
            to_location: to.into(),
            rows: skus.map(row).into(),
            document_no: String::new(),
        };
        world.stocks(1).transfer_stock(request).await.unwrap();
    };
    let sell = async |n: u32| {
        let lines = vec![demand(1, "s2", 1), demand(2, "s0", 1)];
        reserve(&world, &request(n, lines, until), n).await.unwrap().unwrap();
        let mut tx = tx(&world).await;
        let now = world.clock.now();
        if n.is_multiple_of(2) {
            let part = |line_no, sku: &str| stock::Part {
                line_no,
                sku: sku.into(),
                location: None,
                quantity: 1,
            };
            let parts = [part(1, "s2"), part(2, "s0")];
            let done = stock::commit(&mut tx, order(n), &parts, now, &ids(1_000 + n)).await;
            done.unwrap().unwrap();
        } else {
            let cause = ReleaseCause::Cancelled;
            stock::release(&mut tx, order(n), cause, now, &ids(1_000 + n)).await.unwrap();
        }
        tx.commit().await.unwrap();
    };
    let one = async |n: u32| if n > 40 { sell(n).await } else { transfer(n).await };
    stream::iter(1..=80).for_each_concurrent(16, one).await;
    let all = "select sum(on_hand)::bigint from stocks";
    assert_eq!(world.count(all).await, 600 - 2 * 20, "20 orders took two pieces each");
    assert_eq!(world.count("select sum(reserved)::bigint from stocks").await, 0);
    assert_eq!(sound(&world).await, 6);
}
