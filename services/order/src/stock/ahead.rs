//! Pieces that are reserved before their order is stored: claimed by it, or given back.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, Ids, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::Progress;

use super::{
    demand::{Demand, ReleaseCause, Request, Reservation, Shortage},
    hold::of_reservations,
    plan,
    store::{self, Write},
};
use crate::{
    App, job, limits,
    order::{domain::OrderId, store as orders},
};

const ACTOR: &str = "order.orphan_reservations";

/// What is short at this moment for an order that is to reserve ahead, without a lock: good for a refusal, not for a promise.
/// Nothing is for one that holds something already, by an earlier call.
pub async fn shortage(
    tx: &mut Tx,
    order_id: OrderId,
    demand: &Demand,
) -> Result<Option<Shortage>, Fault> {
    let (place, holds) = store::look_for(tx, &demand.key, order_id).await?;
    let available = place.available_to(&demand.channel);
    if holds || place.is_not_counted() || available >= demand.quantity {
        return Ok(None);
    }
    let (line_no, key, asked) = (demand.line_no, demand.key.clone(), demand.quantity);
    Ok(Some(Shortage { line_no, key, asked, available }))
}

/// Makes what was reserved ahead of an order the order's own, for as long as it wants to hold it: in the transaction that
/// stores the order. What is held is exactly what the order asks for: an earlier call with the same id may have reserved
/// something else, and died.
///
/// # Errors
/// `RESERVATION_LOST` when it is not there any more, for the order came too late, or when it is another.
pub async fn claim(tx: &mut Tx, wanted: &Request, now: DateTime<Utc>) -> Result<(), Fault> {
    let held = store::claim(tx, wanted.order_id, wanted.expires_at, now).await?;
    if wanted.is_held_by(&held) {
        return Ok(());
    }
    let message = "the pieces that were reserved are not those of the order, try again";
    Err(Fault::new(Code::Unavailable, "RESERVATION_LOST", message))
}

/// Gives back what was reserved ahead, unless the order came to be. A repeat changes nothing.
pub async fn give_back_ahead(
    tx: &mut Tx,
    order_id: OrderId,
    cause: ReleaseCause,
    now: DateTime<Utc>,
    ids: &dyn Ids,
) -> Result<(), Fault> {
    let mut reservations = store::lock_reservations(tx, order_id).await?;
    reservations.retain(|reservation| reservation.held > 0);
    // Looked up under the lock that an order takes when it claims.
    if reservations.is_empty() || orders::find(tx, order_id).await?.is_some() {
        return Ok(());
    }
    let is_due = |reservation: &Reservation| reservation.expires_at.is_some_and(|at| at <= now);
    if cause == ReleaseCause::Expired && !reservations.iter().all(is_due) {
        return Ok(());
    }
    let mut book = of_reservations(tx, &reservations).await?;
    plan::release(&mut book, &reservations, cause);
    Ok(store::save(tx, &book, Write::Set, now, ids).await?)
}

/// Gives back what was reserved ahead of orders that never came to be: their process died.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system(ACTOR).await?;
    let due = store::orphans(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    job::each(ACTOR, due, |merchant: Id<Merchant>, id| async move {
        let mut tx = app.db.tenant(merchant).await?;
        give_back_ahead(&mut tx, id, ReleaseCause::Expired, now, &*app.ids).await?;
        Ok(tx.commit().await?)
    })
    .await
}
