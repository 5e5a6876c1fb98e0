//! Disputes: what is disputed is frozen, and nothing of the order is released while one is open.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id};
use siyu_pg::Tx;
use siyu_proto::order::v1 as proto;

use super::{About, Done, TRIES, holds, lock, post, release::raced, standing, tell};
use crate::{
    App,
    guarantee::{
        Error,
        dispute::{Dispute, DisputeId, Outcome},
        domain, store, taking,
    },
    limits,
    order::domain::OrderId,
};

/// Opens a dispute over an amount of an order; 0: over all that is left of it. Freezes what there is of it: what is held,
/// after the release what is the merchant's.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order; `DISPUTE_OPEN`; `NOTHING_TO_DISPUTE`; `EXCEEDS_PAYMENT`.
pub async fn open(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    (amount, reason): (i64, &str),
    now: DateTime<Utc>,
) -> Result<(Dispute, domain::Guarantee), Fault> {
    let mut guarantee = lock(tx, order).await?;
    if guarantee.disputed {
        return Err(Error::DisputeOpen.into());
    }
    let amount_minor = domain::disputed_amount(&guarantee, amount)?;
    let id: DisputeId = Id::from_uuid(app.ids.uuid());
    let books = guarantee.books();
    let subject = id.to_string();
    for _ in 0..TRIES {
        let standing = standing(tx, &books, now).await?;
        let (transfers, frozen_minor) =
            taking::take_dispute(&books, standing, id.uuid(), amount_minor);
        if post(app, tx, &About::of(&guarantee, &subject), transfers, now).await? == Done::Raced {
            continue;
        }
        let dispute = Dispute {
            id,
            order_id: order,
            amount_minor,
            frozen_minor,
            reason: reason.to_owned(),
            outcome: None,
            note: String::new(),
            opened_at: now,
            closed_at: None,
        };
        store::insert_dispute(tx, &dispute).await?;
        guarantee.disputed = true;
        store::save(tx, &guarantee).await?;
        let shown = dispute.show(guarantee.currency.0);
        tell(app, tx, order, &proto::DisputeOpened { dispute: Some(shown) }, now).await?;
        return Ok((dispute, guarantee));
    }
    Err(raced())
}

/// Closes a dispute and frees what it froze. A refund that it leads to is asked for by itself.
///
/// # Errors
/// `NOT_FOUND`; `DISPUTE_CLOSED`.
pub async fn close(
    app: &App,
    tx: &mut Tx,
    id: DisputeId,
    (outcome, note): (Outcome, &str),
    now: DateTime<Utc>,
) -> Result<(Dispute, domain::Guarantee), Fault> {
    let not_found = || Fault::not_found("dispute");
    // The order first: locks are taken in one order.
    let found = store::find_dispute(tx, id).await?.ok_or_else(not_found)?;
    let mut guarantee = lock(tx, found.order_id).await?;
    let mut dispute = store::find_dispute(tx, id).await?.ok_or_else(not_found)?;
    if dispute.closed_at.is_some() {
        return Err(Error::DisputeClosed.into());
    }
    let books = guarantee.books();
    let held = holds(tx, &books, &dispute).await?;
    let ids: Vec<_> = held.open.iter().map(|hold| hold.id).collect();
    let subject = id.to_string();
    let transfers = books.unfreeze(id.uuid(), &ids);
    match post(app, tx, &About::of(&guarantee, &subject), transfers, now).await? {
        Done::Now => {}
        Done::Before | Done::Raced => {
            return Err(Fault::internal("a dispute that froze what it does not hold"));
        }
    }
    dispute.frozen_minor = 0;
    dispute.outcome = Some(outcome);
    note.clone_into(&mut dispute.note);
    dispute.closed_at = Some(now);
    store::save_dispute(tx, &dispute).await?;
    guarantee.disputed = false;
    store::save(tx, &guarantee).await?;
    let shown = dispute.show(guarantee.currency.0);
    tell(app, tx, found.order_id, &proto::DisputeClosed { dispute: Some(shown) }, now).await?;
    Ok((dispute, guarantee))
}

/// Until when an order waits with its end for a dispute: so that what a buyer who was right is owed can be asked for (rule 30).
/// `None`: for nothing.
pub(crate) async fn waits_until(
    tx: &mut Tx,
    order: OrderId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Fault> {
    let until = match store::last_right(tx, order).await? {
        None => return Ok(None),
        Some(None) => now + limits::OPEN_REFUND_PAUSE,
        Some(Some(closed_at)) => closed_at + limits::AFTER_DISPUTE,
    };
    Ok((until > now).then_some(until))
}
