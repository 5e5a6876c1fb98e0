//! Routes orders that have been paid, completes those that the buyer did not confirm in time, and closes those whose after-sale
//! window is over.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::Progress;

use super::store::{self, Wait};
use crate::{
    App,
    fulfilment::{pickup::By, routing},
    guarantee, job, limits,
    order::{
        advance::{self, Cause, advance},
        domain::{Order, OrderId, State},
        lifecycle::Event,
    },
    refund,
};

const ACTOR: &str = "order.ripen";

/// Routes, completes and closes some.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.ripen").await?;
    let ripe = store::ripe(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    job::each(ACTOR, ripe, |merchant, id| look(app, merchant, id, now)).await
}

async fn look(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    // Another process may have been faster while the lock was waited for.
    if store::is_ripe(&mut tx, id, now).await? {
        ripen(app, &mut tx, order, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Lets happen to one order what its time has come for.
async fn ripen(app: &App, tx: &mut Tx, order: Order, now: DateTime<Utc>) -> Result<(), Fault> {
    let id = order.id;
    match order.state {
        State::Paid => {
            store::ripen(tx, id, Wait::Never, now).await?;
            routing::begin(app, tx, order, By { actor: ACTOR, reason: "", now }).await?;
        }
        State::PickedUp | State::Delivered | State::Signed => {
            let reason = "the buyer did not object in time";
            step(app, tx, &order, (Event::Completed, reason), now).await?;
        }
        // What is asked for within the window is decided and given back before it is shut (rule 31).
        State::Completed if refund::store::is_open(tx, id).await? => {
            store::postpone(tx, id, now + limits::OPEN_REFUND_PAUSE).await?;
        }
        State::Completed => {
            // Nor while somebody objects, and then for as long as a buyer who was right may ask (rule 30).
            if let Some(until) = guarantee::act::waits_until(tx, id, now).await? {
                return Ok(store::postpone(tx, id, until).await?);
            }
            step(app, tx, &order, (Event::Closed, "the after-sale window is over"), now).await?;
        }
        State::Created
        | State::GroupPending
        | State::Accepted
        | State::ReadyForPickup
        | State::Delivering
        | State::Shipped
        | State::Closed
        | State::Cancelled
        | State::Refunded => store::ripen(tx, id, Wait::Never, now).await?,
    }
    Ok(())
}

async fn step(
    app: &App,
    tx: &mut Tx,
    order: &Order,
    (event, reason): (Event, &str),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let key = format!("{} {}", event.as_str(), order.revision);
    let cause = Cause { key: &key, actor: ACTOR, reason, now };
    advance(app, tx, order.id, event, cause).await?;
    Ok(())
}
