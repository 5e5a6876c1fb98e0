//! Routes orders that have been paid, completes those that the buyer did not confirm in time, and closes those whose after-sale
//! window is over.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::Progress;
use tokio::sync::Mutex;

use super::store;
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
    let seen = Mutex::default();
    job::each(ACTOR, ripe, |merchant, due| look(app, merchant, due, (now, &seen))).await
}

/// What a step has seen of stores.
#[derive(Debug, Default)]
struct Seen {
    /// Once the member service does not answer, nobody else of the step waits for it.
    is_away: bool,
    /// What is known of those of a merchant.
    shops: HashMap<Id<Merchant>, Shops>,
}

async fn look(
    app: &App,
    merchant: Id<Merchant>,
    (id, state): (OrderId, State),
    (now, seen): (DateTime<Utc>, &Mutex<Seen>),
) -> Result<(), Fault> {
    let shops = if state == State::Paid {
        shops(app, merchant, id, (now, &mut *seen.lock().await)).await?
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
    (now, seen): (DateTime<Utc>, &mut Seen),
) -> Result<Option<Shops>, Fault> {
    if seen.is_away {
        return Ok(None);
    }
    if let Some(known) = seen.shops.get(&merchant) {
        return Ok(Some(known.clone()));
    }
    let stores = routing::sites(app, merchant).await?;
    let ctx = Ctx::internal(NAME, Some(merchant), now);
    match routing::shops(app, &ctx, &stores).await {
        Ok(shops) => {
            // The first site of a merchant counts from the next order on.
            if !stores.is_empty() {
                seen.shops.insert(merchant, shops.clone());
            }
            Ok(Some(shops))
        }
        Err(fault) => {
            tracing::warn!(order_id = %id, reason = fault.reason(), "an order waits to be routed");
            seen.is_away |= matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded);
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
                return Ok(store::wait(tx, id, Some(until)).await?);
            };
            store::wait(tx, id, None).await?;
            let by = By { actor: ACTOR, reason: "", now };
            routing::begin(app, tx, (order, &shops), by).await?;
        }
        State::PickedUp | State::Delivered | State::Signed => {
            let reason = "the buyer did not object in time";
            step(app, tx, &order, (Event::Completed, reason), now).await?;
        }
        // What is asked for within the window is decided and given back before it is shut (rule 31).
        State::Completed if refund::store::is_open(tx, id).await? => {
            store::wait(tx, id, Some(now + limits::OPEN_REFUND_PAUSE)).await?;
        }
        State::Completed => {
            // Nor while somebody objects, and then for as long as a buyer who was right may ask (rule 30).
            if let Some(until) = guarantee::act::waits_until(tx, id, now).await? {
                return Ok(store::wait(tx, id, Some(until)).await?);
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
        | State::Refunded => store::wait(tx, id, None).await?,
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
