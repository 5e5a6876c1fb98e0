//! What orders do with stock: each a function in the transaction of the order. The caller holds the row of the order, or has
//! just made it, so that two of these never run for one order at a time; were it otherwise, they would still be right, for
//! reservations are locked first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Ids};
use siyu_pg::Tx;

use super::{
    book::Book,
    demand::{Part, ReleaseCause, Request, Reservation, Restock, Shortage},
    domain::{Key, Place},
    fit, plan,
    store::{self, Write},
};
use crate::order::domain::OrderId;

/// Reserves what an order wants, all of it or nothing, in two statements. An order that has reserved before gets these pieces
/// in addition.
pub async fn reserve(
    tx: &mut Tx,
    request: &Request,
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Result<(), Vec<Shortage>>, Fault> {
    let mut answers = reserve_many(tx, std::slice::from_ref(request), now, ids).await?;
    Ok(answers.pop().expect("a request has an answer"))
}

/// Reserves what many orders want, in the order given, each all or nothing: what one cannot have is there for the next. The
/// statements are as many as for one order, so that a stock that everybody wants is locked once for all of them.
pub async fn reserve_many(
    tx: &mut Tx,
    requests: &[Request],
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Vec<Result<(), Vec<Shortage>>>, Fault> {
    let demands = requests.iter().flat_map(|request| &request.demands);
    let keys: BTreeSet<&Key> = demands.map(|demand| &demand.key).collect();
    let mut book = Book::new(store::lock(tx, &keys).await?);
    let answers = requests.iter().map(|request| plan::reserve(&mut book, request, now)).collect();
    store::save(tx, &book, Write::Add, now, ids).await?;
    Ok(answers)
}

/// Reserves what many orders want that are not stored yet, each all or nothing. One that holds something keeps it, be it
/// something else, and gets nothing in addition: it is looked up under the locks of the stocks, which whoever reserved the same
/// before had.
pub(super) async fn reserve_ahead(
    tx: &mut Tx,
    requests: &[&Request],
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Vec<Result<(), Vec<Shortage>>>, Fault> {
    let demands = requests.iter().flat_map(|request| &request.demands);
    let keys: BTreeSet<&Key> = demands.map(|demand| &demand.key).collect();
    let mut book = Book::new(store::lock(tx, &keys).await?);
    let orders: BTreeSet<OrderId> = requests.iter().map(|request| request.order_id).collect();
    let mut known = store::holding(tx, &orders).await?;
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        if known.contains(&request.order_id) {
            answers.push(Ok(()));
            continue;
        }
        let answer = plan::reserve(&mut book, request, now);
        if answer.is_ok() {
            known.insert(request.order_id);
        }
        answers.push(answer);
    }
    store::save(tx, &book, Write::Add, now, ids).await?;
    Ok(answers)
}

/// Releases everything that an order holds; gives what it was. Whoever comes second finds nothing.
pub async fn release(
    tx: &mut Tx,
    order_id: OrderId,
    cause: ReleaseCause,
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Vec<Reservation>, Fault> {
    let mut reservations = store::lock_reservations(tx, order_id).await?;
    reservations.retain(|reservation| reservation.held > 0);
    let mut book = of_reservations(tx, &reservations).await?;
    plan::release(&mut book, &reservations, cause);
    store::save(tx, &book, Write::Set, now, ids).await?;
    Ok(reservations)
}

/// Releases some pieces of lines, for example after a refund before they were handed over; refuses when less is held. A line
/// that never reserved the SKU is passed over.
pub async fn release_parts(
    tx: &mut Tx,
    order_id: OrderId,
    parts: &[Part],
    cause: ReleaseCause,
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Result<(), Vec<Shortage>>, Fault> {
    let reservations = store::lock_reservations(tx, order_id).await?;
    let mut book = of_reservations(tx, &reservations).await?;
    let done = plan::release_parts(&mut book, &reservations, parts, cause);
    if done.is_ok() {
        store::save(tx, &book, Write::Set, now, ids).await?;
    }
    Ok(done)
}

/// Hands over some pieces of lines: they are neither on hand nor reserved any more. Refuses when less is held or on hand. A
/// line that never reserved the SKU is passed over.
pub async fn commit(
    tx: &mut Tx,
    order_id: OrderId,
    parts: &[Part],
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Result<(), Vec<Shortage>>, Fault> {
    let reservations = store::lock_reservations(tx, order_id).await?;
    let mut book = of_reservations(tx, &reservations).await?;
    let done = plan::commit(&mut book, &reservations, parts);
    if done.is_ok() {
        store::save(tx, &book, Write::Set, now, ids).await?;
    }
    Ok(done)
}

/// Takes back some pieces of lines that were handed over; refuses when fewer are out. A line that never reserved the SKU is
/// passed over.
///
/// # Errors
/// `NOT_FOUND` when the location to put them is unknown.
pub async fn give_back(
    tx: &mut Tx,
    order_id: OrderId,
    parts: &[Part],
    restock: &Restock,
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<Result<(), Vec<Shortage>>, Fault> {
    let reservations = store::lock_reservations(tx, order_id).await?;
    let keys: BTreeSet<Key> =
        reservations.iter().filter_map(|from| plan::destination(from, restock)).collect();
    let wanted: BTreeSet<&str> = keys.iter().map(|key| key.location.as_str()).collect();
    if matches!(restock, Restock::At(_)) {
        fit::locations(tx, &wanted).await?;
        let keys: Vec<&Key> = keys.iter().collect();
        store::ensure(tx, &keys, now).await?;
    }
    let mut book = Book::new(store::lock(tx, &keys.iter().collect()).await?);
    let done = plan::give_back(&mut book, &reservations, parts, restock);
    if done.is_ok() {
        store::save(tx, &book, Write::Set, now, ids).await?;
    }
    Ok(done)
}

/// What an order holds now, by line, SKU and location.
pub async fn held(tx: &mut Tx, order_id: OrderId) -> Result<Vec<Reservation>, Fault> {
    let mut reservations = store::of_order(tx, order_id).await?;
    reservations.retain(|reservation| reservation.held > 0);
    Ok(reservations)
}

/// What there is at places, without a lock: good for an offer, not for a promise.
pub async fn look(tx: &mut Tx, keys: &BTreeSet<&Key>) -> Result<BTreeMap<Key, Place>, Fault> {
    Ok(store::look(tx, keys).await?)
}

pub(super) async fn of_reservations(
    tx: &mut Tx,
    reservations: &[Reservation],
) -> Result<Book, Fault> {
    let keys: BTreeSet<&Key> = reservations.iter().map(|from| &from.key.key).collect();
    Ok(Book::new(store::lock(tx, &keys).await?))
}
