//! Ends orders whose time to be paid is over.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_runtime::Progress;

use super::{cancel::cancel_unclaimed, store};
use crate::{
    App, job, limits,
    order::{advance::Cause, domain::OrderId},
};

const ACTOR: &str = "order.expire_checkouts";

/// Ends some.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system(ACTOR).await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    job::each(ACTOR, due, |merchant, id| end(app, merchant, id, now)).await
}

async fn end(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let cause = Cause { key: "cancel", actor: ACTOR, reason: "it was not paid in time", now };
    match cancel_unclaimed(app, &mut tx, id, cause).await {
        Ok(_) => Ok(tx.commit().await?),
        // It was paid between the look and the lock, or has got a claim, with which it ends.
        Err(fault) if ["ORDER_STATE_WRONG", "STORE_CONFLICT"].contains(&fault.reason()) => Ok(()),
        Err(fault) => Err(fault),
    }
}
