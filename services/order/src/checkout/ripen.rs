//! Routes orders that have been paid, completes those that the buyer did not confirm in time, and closes those whose after-sale
//! window is over.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::Progress;

use super::store::{self, Wait};
use crate::{
    App, NAME,
    fulfilment::{
        pickup::By,
        routing::{self, Shops},
    },
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
    let ripe = ripe.into_iter().map(|(merchant, id, state)| (merchant, (id, state))).collect();
    // Once the member service does not answer, nobody else of this step waits for it.
    let away = AtomicBool::new(false);
    job::each(ACTOR, ripe, |merchant, due| look(app, merchant, due, (now, &away))).await
}

async fn look(
    app: &App,
    merchant: Id<Merchant>,
    (id, state): (OrderId, State),
    (now, away): (DateTime<Utc>, &AtomicBool),
) -> Result<(), Fault> {
    let shops = if state == State::Paid && !away.load(Ordering::Relaxed) {
        shops(app, merchant, id, (now, away)).await?
    } else {
        None
    };
    let mut tx = app.db.tenant(merchant).await?;
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    // Another process may have been faster while the lock was waited for.
    if store::is_ripe(&mut tx, id, now).await? {
        ripen(app, &mut tx, (order, shops), now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What has to be known of stores before an order is routed, asked for while nothing is locked; nothing where the member service
/// is away.
async fn shops(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    (now, away): (DateTime<Utc>, &AtomicBool),
) -> Result<Option<Shops>, Fault> {
    let stores = routing::sites(app, merchant).await?;
    let ctx = Ctx::internal(NAME, Some(merchant), now);
    match routing::shops(app, &ctx, &stores).await {
        Ok(shops) => Ok(Some(shops)),
        Err(fault) => {
            tracing::warn!(order_id = %id, reason = fault.reason(), "an order waits to be routed");
            let is_away = matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded);
            away.fetch_or(is_away, Ordering::Relaxed);
            Ok(None)
        }
    }
}

/// Lets happen to one order what its time has come for.
async fn ripen(
    app: &App,
    tx: &mut Tx,
    (order, shops): (Order, Option<Shops>),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let id = order.id;
    match order.state {
        State::Paid => {
            let Some(shops) = shops else {
                let until = app.clock.now() + limits::ROUTE_PAUSE;
                return Ok(store::postpone(tx, id, until).await?);
            };
            store::ripen(tx, id, Wait::Never, now).await?;
            let by = By { actor: ACTOR, reason: "", now };
            routing::begin(app, tx, (order, &shops), by).await?;
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
