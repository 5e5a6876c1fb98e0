//! What parts of an order mean for the order, and an order for its parts. The order is locked.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{Assignment, Event, State, act, part, store};
use crate::{
    App,
    fulfilment::{
        parcel::{self, Reached},
        pickup::{self, By},
    },
    order::{
        advance::{self, Cause},
        domain::{Order, OrderId, State as OrderState},
        lifecycle::Event as OrderEvent,
    },
};

/// An order is accepted when every part of it is taken on, and paid again when one is given back.
pub(crate) async fn parts(
    app: &App,
    tx: &mut Tx,
    order: Order,
    by: By<'_>,
) -> Result<Order, Fault> {
    let parts = store::list(tx, order.id).await?;
    known_parts(app, tx, order, parts, by).await
}

/// The same where all parts have been read.
pub(crate) async fn known_parts(
    app: &App,
    tx: &mut Tx,
    order: Order,
    mut parts: Vec<Assignment>,
    by: By<'_>,
) -> Result<Order, Fault> {
    parts.retain(|part| part.state != State::Withdrawn);
    let is_taken = !parts.is_empty() && parts.iter().all(Assignment::is_taken);
    let event = match (order.state, is_taken) {
        (OrderState::Paid, true) => OrderEvent::Accepted,
        (OrderState::Accepted, false) => OrderEvent::Rerouted,
        _ => return Ok(order),
    };
    step(app, tx, &order, event, by).await
}

/// An order is signed, or delivered, when everything that is left of it has arrived; a part is done when everything of it was
/// sent.
pub(crate) async fn parcels(
    app: &App,
    tx: &mut Tx,
    order: Order,
    by: By<'_>,
) -> Result<Order, Fault> {
    if parcel::sent_all(tx, order.id).await? == Reached::All {
        for part in store::list(tx, order.id).await? {
            if part.state == State::Accepted {
                act::change(tx, (order.id, part.part), Event::Finish, by).await?;
            }
        }
    }
    let arrives = |event: &OrderEvent| event.next(order.state).is_some();
    let arrived = [OrderEvent::Signed, OrderEvent::Delivered].into_iter().find(arrives);
    let Some(event) = arrived else { return Ok(order) };
    if parcel::signed_all(tx, order.id).await? == Reached::Part {
        return Ok(order);
    }
    step(app, tx, &order, event, by).await
}

/// Where the goods of a refund are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goods {
    /// The buyer sent those back that had left.
    CameBack,
    /// Where they were before.
    Stay,
}

/// Some pieces of an order were given back. Those that came back belong to their part no more, and what was not sent of the
/// others is not to be sent any more.
pub(crate) async fn refund(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    (pieces, goods): (&[(i32, i64)], Goods),
    by: By<'_>,
) -> Result<(), Fault> {
    for &(line_no, pieces) in pieces {
        let mut quantity = pieces;
        if goods == Goods::CameBack {
            let out = part::store::out(tx, id, line_no).await?;
            for (of, back) in part::shrink(&out, quantity) {
                part::store::take_back(tx, (id, of), line_no, back).await?;
                quantity -= back;
            }
        }
        let unsent = part::store::unsent(tx, id, line_no).await?;
        for (of, lost) in part::shrink(&unsent, quantity) {
            part::store::lower(tx, (id, of), line_no, lost).await?;
        }
    }
    let (order, _) = advance::lock(tx, id, "").await?;
    if matches!(order.state, OrderState::Shipped | OrderState::Delivering) {
        parcels(app, tx, order, by).await?;
    }
    Ok(())
}

/// An order is not to be fulfilled any more: nobody is asked for it, and its pick-up code ends.
pub(crate) async fn withdraw(app: &App, tx: &mut Tx, id: OrderId, by: By<'_>) -> Result<(), Fault> {
    for part in store::list(tx, id).await? {
        match part.state {
            State::Offered | State::Accepted | State::Headquarters => {
                act::change(tx, (id, part.part), Event::Withdraw, by).await?;
            }
            State::Done | State::Withdrawn => {}
        }
    }
    for pickup in pickup::store::of_order(tx, id).await? {
        if pickup.state == pickup::State::Issued {
            pickup::void(app, tx, (id, pickup.store_id), by).await?;
        }
    }
    Ok(())
}

/// Lets an event happen to an order that follows from what was done with its parts.
pub(crate) async fn step(
    app: &App,
    tx: &mut Tx,
    order: &Order,
    event: OrderEvent,
    by: By<'_>,
) -> Result<Order, Fault> {
    // A part may be given back and taken on again: each time is a cause of its own.
    let key = format!("{} {}", event.as_str(), order.revision);
    let cause = Cause { key: &key, actor: by.actor, reason: by.reason, now: by.now };
    Ok(advance::advance(app, tx, order.id, event, cause).await?.into_order())
}
