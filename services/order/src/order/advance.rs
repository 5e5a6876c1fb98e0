//! Moves an order that was placed here from state to state: by compare-and-set under its row lock, once for each cause, with
//! an entry of its history and the fact that its followers hear, all in the caller's transaction.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use super::{
    domain::{Fact, Line, Order, OrderId, State},
    events,
    history::store::{self as history, Entry, Wait},
    lifecycle::Event,
    store,
};
use crate::{
    App, attribution,
    fulfilment::{assignment::follow, pickup::By},
    guarantee::{act, domain::Completion},
    settlement,
};

/// What caused a change.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// The same cause happens to an order once: "cancel", "payment pay_…", "parcel 2".
    pub key: &'a str,
    /// Who did it: the subject of a credential, or a job.
    pub actor: &'a str,
    /// Why, in words; may be empty.
    pub reason: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// An order after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// It moved.
    Moved(Order),
    /// The cause had happened before: nothing changed.
    Repeated(Order),
}

impl Advanced {
    /// The order as it is now.
    pub fn into_order(self) -> Order {
        match self {
            Self::Moved(order) | Self::Repeated(order) => order,
        }
    }
}

/// Lets an event happen to an order. Fails with `NOT_FOUND`, also for orders of other platforms, and with
/// `ORDER_STATE_WRONG` where the table of [`super::lifecycle`] has no such step.
pub async fn advance(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    event: Event,
    cause: Cause<'_>,
) -> Result<Advanced, Fault> {
    let locked = lock(tx, id, cause.key).await?;
    advance_locked(app, tx, locked, event, cause).await
}

/// The same for an order that [`lock`] has locked, with whether the cause had happened to it.
pub async fn advance_locked(
    app: &App,
    tx: &mut Tx,
    (order, happened): (Order, bool),
    event: Event,
    cause: Cause<'_>,
) -> Result<Advanced, Fault> {
    if happened {
        return Ok(Advanced::Repeated(order));
    }
    let id = order.id;
    let Some(to) = event.next(order.state) else { return Err(wrong_state(&order, event)) };
    let from = order.state;
    let mut order = Order { state: to, revision: order.revision + 1, ..order };
    if matches!(event, Event::Paid | Event::GroupJoined | Event::Revived) {
        order.paid_at = Some(cause.now);
    }
    let fact = fact(&mut order);
    let entry = Entry {
        seq: order.revision,
        key: cause.key.to_owned(),
        event: event.as_str().to_owned(),
        from_state: Some(from),
        to_state: to,
        actor: cause.actor.to_owned(),
        reason: cause.reason.to_owned(),
        occurred_at: cause.now,
    };
    history::save(tx, &order, &entry, wait(from, to)).await?;
    if event == Event::Completed {
        act::completed(tx, id, Completion::Confirmed, cause.now).await?;
    } else if event == Event::PickedUp {
        act::completed(tx, id, Completion::PickedUp, cause.now).await?;
    } else if event == Event::Refunded {
        let by = By { actor: cause.actor, reason: cause.reason, now: cause.now };
        follow::withdraw(app, tx, id, by).await?;
    }
    if let Some(fact) = fact {
        let lines = store::lines(tx, id).await?;
        tell(app, tx, (&order, &lines), fact, cause.now).await?;
    }
    Ok(Advanced::Moved(order))
}

/// What an order waits for in a state before it goes on by itself, where that is another thing than before.
fn wait(from: State, to: State) -> Option<Wait> {
    let of = |state| match state {
        State::PickedUp | State::Delivered | State::Signed => Wait::Confirm,
        State::Completed => Wait::AfterSale,
        State::Paid => Wait::Route,
        State::Created
        | State::GroupPending
        | State::Accepted
        | State::ReadyForPickup
        | State::Delivering
        | State::Shipped
        | State::Closed
        | State::Cancelled
        | State::Refunded => Wait::Never,
    };
    (of(from) != of(to)).then(|| of(to))
}

/// Keeps new amounts of an order and of its lines after a part of it was given back, without another state. The cause has
/// not happened before: the caller has seen to that under the row lock.
pub async fn revise(
    app: &App,
    tx: &mut Tx,
    mut order: Order,
    lines: &[Line],
    cause: Cause<'_>,
) -> Result<Order, Fault> {
    order.revision += 1;
    order.paid_minor = lines.iter().map(|line| line.paid_minor).sum();
    order.quantity = lines.iter().map(|line| line.quantity).sum();
    let entry = Entry {
        seq: order.revision,
        key: cause.key.to_owned(),
        event: "revised".to_owned(),
        from_state: Some(order.state),
        to_state: order.state,
        actor: cause.actor.to_owned(),
        reason: cause.reason.to_owned(),
        occurred_at: cause.now,
    };
    let fact = fact(&mut order);
    store::save_amounts(tx, order.id, lines).await?;
    history::save(tx, &order, &entry, None).await?;
    if let Some(fact) = fact {
        tell(app, tx, (&order, lines), fact, cause.now).await?;
    }
    Ok(order)
}

/// Locks an order that was placed here, and says whether a cause has happened to it.
pub async fn lock(tx: &mut Tx, id: OrderId, key: &str) -> Result<(Order, bool), Fault> {
    let found = history::lock(tx, id, key).await?;
    found.filter(|(order, _)| order.is_own()).ok_or_else(|| Fault::not_found("order"))
}

/// The refusal of an event in a state that has no such step.
pub fn wrong_state(order: &Order, event: Event) -> Fault {
    let (state, event) = (order.state.as_str(), event.as_str());
    let message = format!("an order that is {state} cannot be {event}");
    Fault::new(Code::FailedPrecondition, "ORDER_STATE_WRONG", message).with("state", state)
}

/// What is to be told of an order after a change; a sale is told once as paid.
fn fact(order: &mut Order) -> Option<Fact> {
    match (order.told, order.counts()) {
        (false, false) => None,
        (false, true) => {
            order.told = true;
            Some(Fact::Paid)
        }
        (true, true) => Some(Fact::Revised),
        (true, false) => Some(Fact::Voided),
    }
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    (order, lines): (&Order, &[Line]),
    fact: Fact,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let click = attribution::store::of_orders(tx, &[order.id]).await?.remove(&order.id);
    settlement::follow(tx, order, now).await?;
    let event = events::of(fact, (order, click.as_ref()), lines, app.ids.uuid(), now);
    Ok(siyu_events::append(tx, &[event]).await?)
}
