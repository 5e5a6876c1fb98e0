//! What orders do with stock, in transactions as the orders themselves would.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Clock as _, Fault};
use siyu_order::{
    order::domain::OrderId,
    stock::{self, Demand, Key, Part, ReleaseCause, Request, Restock, Shortage, refusal},
};
use siyu_pg::Tx;
use siyu_proto::order::v1::*;
use siyu_testkit::{SeededIds, id, merchant};

use crate::{
    stock::{figures, get, movements, receive, set_buckets, sound, stocked},
    world::World,
};

pub(crate) fn order(n: u32) -> OrderId {
    id(n)
}

pub(crate) fn demand(line_no: i32, sku: &str, quantity: i64) -> Demand {
    let key = Key { sku: sku.into(), location: "a".into() };
    Demand { line_no, key, channel: String::new(), quantity }
}

pub(crate) fn request(n: u32, demands: Vec<Demand>, until: DateTime<Utc>) -> Request {
    Request { order_id: order(n), demands, expires_at: Some(until) }
}

fn part(line_no: i32, quantity: i64) -> Part {
    Part { line_no, sku: "s0".into(), location: None, quantity }
}

pub(crate) async fn tx(world: &World) -> Tx {
    world.database.db().tenant(merchant(1)).await.unwrap()
}

/// Ids that no other test of the same database draws.
pub(crate) fn ids(seed: u32) -> SeededIds {
    SeededIds::new(1_000_000 + u64::from(seed))
}

/// Reserves in a transaction of its own.
pub(crate) async fn reserve(
    world: &World,
    request: &Request,
    seed: u32,
) -> Result<Result<(), Vec<Shortage>>, Fault> {
    let mut tx = tx(world).await;
    let now = world.clock.now();
    let done = stock::reserve(&mut tx, request, now, &ids(seed)).await?;
    if done.is_ok() {
        tx.commit().await?;
    }
    Ok(done)
}

async fn held(world: &World, n: u32) -> i64 {
    let mut tx = tx(world).await;
    stock::held(&mut tx, order(n)).await.unwrap().iter().map(|own| own.held).sum()
}

fn soon(world: &World) -> DateTime<Utc> {
    world.clock.now() + TimeDelta::minutes(15)
}

#[tokio::test]
async fn an_order_reserves_all_or_nothing_and_is_told_every_line_that_is_short() {
    let world = stocked(2).await;
    receive(&world, "asn 1", "s0", "a", 5).await;
    receive(&world, "asn 2", "s1", "a", 1).await;
    let wanted = vec![
        demand(1, "s0", 3),
        demand(2, "service", 100),
        demand(3, "s0", 3),
        demand(4, "s1", 2),
        demand(5, "gone", 1),
    ];
    let short = reserve(&world, &request(1, wanted, soon(&world)), 1).await.unwrap().unwrap_err();
    let brief: Vec<(i32, i64, i64)> =
        short.iter().map(|short| (short.line_no, short.asked, short.available)).collect();
    assert_eq!(brief, [(3, 3, 2), (4, 2, 1), (5, 1, 0)]);
    let fault = refusal(&short);
    assert_eq!((fault.reason(), fault.metadata()["lines"].as_str()), ("STOCK_SHORT", "3,4,5"));
    assert!(fault.message().starts_with("line 3: 3 of \"s0\" at \"a\""), "{fault}");
    assert_eq!(world.count("select count(*) from stock_reservations").await, 0);
    let wanted = vec![demand(1, "s0", 3), demand(2, "service", 100), demand(3, "s0", 2)];
    reserve(&world, &request(1, wanted, soon(&world)), 2).await.unwrap().unwrap();
    assert_eq!(figures(&world, "s0", "a").await, (5, 5, 0));
    assert_eq!(held(&world, 1).await, 5);
    assert_eq!(sound(&world).await, 2);
}

#[tokio::test]
async fn of_many_orders_in_one_call_each_has_all_or_nothing_in_the_order_given() {
    let world = stocked(2).await;
    receive(&world, "asn 1", "s0", "a", 5).await;
    receive(&world, "asn 2", "s1", "a", 1).await;
    let until = soon(&world);
    let requests = [
        request(1, vec![demand(1, "s0", 3)], until),
        request(2, vec![demand(1, "s0", 3)], until),
        request(3, vec![demand(1, "s0", 1), demand(2, "s1", 2)], until),
        request(4, vec![demand(1, "s0", 2), demand(2, "s1", 1)], until),
        request(5, vec![demand(1, "s0", 1)], until),
    ];
    let mut tx = tx(&world).await;
    let answers =
        stock::reserve_many(&mut tx, &requests, world.clock.now(), &ids(1)).await.unwrap();
    tx.commit().await.unwrap();
    let served: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(served, [true, false, false, true, false]);
    assert_eq!(figures(&world, "s0", "a").await, (5, 5, 0));
    assert_eq!(figures(&world, "s1", "a").await, (1, 1, 0));
    sound(&world).await;
}

#[tokio::test]
async fn pieces_are_handed_over_in_parts_and_what_is_left_is_released() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 10).await;
    let wanted = request(1, vec![demand(1, "s0", 5), demand(2, "s0", 2)], soon(&world));
    reserve(&world, &wanted, 1).await.unwrap().unwrap();
    let now = world.clock.now();
    let commit = async |parts: &[Part], seed| {
        let mut tx = tx(&world).await;
        let done = stock::commit(&mut tx, order(1), parts, now, &ids(seed)).await.unwrap();
        tx.commit().await.unwrap();
        done
    };
    commit(&[part(1, 3)], 2).await.unwrap();
    assert_eq!(figures(&world, "s0", "a").await, (7, 4, 3));
    let short = commit(&[part(2, 2), part(1, 3)], 3).await.unwrap_err();
    assert_eq!((short[0].line_no, short[0].asked, short[0].available), (1, 3, 2));
    assert_eq!(figures(&world, "s0", "a").await, (7, 4, 3), "nothing of it was handed over");
    let service = Part { sku: "service".into(), ..part(9, 1) };
    commit(&[service], 4).await.unwrap();
    let mut tx = tx(&world).await;
    let refund = ReleaseCause::Refunded;
    let parts = [part(1, 1)];
    stock::release_parts(&mut tx, order(1), &parts, refund, now, &ids(5)).await.unwrap().unwrap();
    let left = stock::release(&mut tx, order(1), refund, now, &ids(6)).await.unwrap();
    assert_eq!(
        left.iter().map(|own| (own.key.line_no, own.held)).collect::<Vec<_>>(),
        [(1, 1), (2, 2)]
    );
    assert!(stock::release(&mut tx, order(1), refund, now, &ids(7)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(figures(&world, "s0", "a").await, (7, 0, 7));
    let all = ListReservationsRequest { show_ended: true, ..Default::default() };
    let all = world.stocks(1).list_reservations(all).await.unwrap().into_inner().reservations;
    let states: Vec<(i32, ReservationState, i64, i64)> =
        all.iter().map(|own| (own.line_no, own.state(), own.committed, own.held)).collect();
    assert_eq!(
        states,
        [(1, ReservationState::Committed, 3, 0), (2, ReservationState::Released, 0, 0)]
    );
    let held = world.stocks(1).list_reservations(ListReservationsRequest::default()).await.unwrap();
    assert_eq!(held.into_inner().reservations, []);
    sound(&world).await;
}

#[tokio::test]
async fn what_comes_back_goes_to_the_shelf_elsewhere_or_nowhere_but_never_twice() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 5).await;
    reserve(&world, &request(1, vec![demand(1, "s0", 4)], soon(&world)), 1).await.unwrap().unwrap();
    let now = world.clock.now();
    let mut tx = tx(&world).await;
    stock::commit(&mut tx, order(1), &[part(1, 4)], now, &ids(2)).await.unwrap().unwrap();
    let elsewhere = Restock::At("b".into());
    for (n, restock) in (3..).zip([&Restock::Origin, &elsewhere, &Restock::Nowhere]) {
        let done = stock::give_back(&mut tx, order(1), &[part(1, 1)], restock, now, &ids(n)).await;
        done.unwrap().unwrap();
    }
    let too_many = [part(1, 2)];
    let short =
        stock::give_back(&mut tx, order(1), &too_many, &Restock::Origin, now, &ids(9)).await;
    assert_eq!(short.unwrap().unwrap_err()[0].available, 1);
    let nowhere = Restock::At("no such place".into());
    let unknown = stock::give_back(&mut tx, order(1), &[part(1, 1)], &nowhere, now, &ids(10)).await;
    assert_eq!(unknown.unwrap_err().reason(), "NOT_FOUND");
    tx.commit().await.unwrap();
    assert_eq!(figures(&world, "s0", "a").await, (2, 0, 2));
    assert_eq!(figures(&world, "s0", "b").await, (1, 0, 1));
    let returned = ListMovementsRequest {
        cause: StockCause::Returned.into(),
        order_id: order(1).to_string(),
        ..Default::default()
    };
    assert_eq!(movements(&world, returned).await.len(), 2);
    assert_eq!(sound(&world).await, 2);
}

#[tokio::test]
async fn an_order_that_was_cancelled_can_reserve_again_if_there_is_still_stock() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 3).await;
    let wanted = request(1, vec![demand(1, "s0", 3)], soon(&world));
    let now = world.clock.now();
    for round in 0..3 {
        reserve(&world, &wanted, 10 + round).await.unwrap().unwrap();
        let mut tx = tx(&world).await;
        let cause = ReleaseCause::Cancelled;
        let freed = stock::release(&mut tx, order(1), cause, now, &ids(20 + round)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(freed.iter().map(|own| own.held).sum::<i64>(), 3);
    }
    reserve(&world, &request(2, vec![demand(1, "s0", 1)], soon(&world)), 30)
        .await
        .unwrap()
        .unwrap();
    assert!(reserve(&world, &wanted, 31).await.unwrap().is_err(), "another one has a piece");
    let all = ListReservationsRequest { show_ended: true, page_size: 1, ..Default::default() };
    let page = world.stocks(1).list_reservations(all).await.unwrap().into_inner();
    assert_eq!((page.reservations[0].quantity, page.reservations[0].held), (9, 0));
    assert!(!page.next_page_token.is_empty());
    sound(&world).await;
}

#[tokio::test]
async fn a_channel_takes_from_its_bucket_and_gives_back_to_it() {
    let world = stocked(1).await;
    receive(&world, "asn", "s0", "a", 10).await;
    set_buckets(&world, "1", &[("live", 4)]).await.unwrap();
    let live = Demand { channel: "live".into(), ..demand(1, "s0", 3) };
    reserve(&world, &request(1, vec![live.clone()], soon(&world)), 1).await.unwrap().unwrap();
    assert!(reserve(&world, &request(2, vec![live], soon(&world)), 2).await.unwrap().is_err());
    let rest = request(3, vec![demand(1, "s0", 6)], soon(&world));
    reserve(&world, &rest, 3).await.unwrap().unwrap();
    let stand = get(&world, "s0", "a").await;
    assert_eq!((stand.available, stand.unassigned, stand.buckets[0].quantity), (1, 0, 1));
    let now = world.clock.now();
    let mut tx = tx(&world).await;
    stock::commit(&mut tx, order(1), &[part(1, 1)], now, &ids(4)).await.unwrap().unwrap();
    stock::release(&mut tx, order(1), ReleaseCause::Cancelled, now, &ids(5)).await.unwrap();
    stock::release(&mut tx, order(3), ReleaseCause::Cancelled, now, &ids(6)).await.unwrap();
    tx.commit().await.unwrap();
    let stand = get(&world, "s0", "a").await;
    assert_eq!((stand.on_hand, stand.unassigned, stand.buckets[0].quantity), (9, 6, 3));
    sound(&world).await;
}
