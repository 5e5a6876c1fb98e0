//! What is done about payments without being asked: claims whose time is over are closed, attempts without an end are asked for
//! or closed, refunds are sent and asked for, notifications are worked on. One that fails is tried again later and holds up no
//! other.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_runtime::Progress;

use super::{act, notification, refund, store};
use crate::{App, claim, job, limits};

/// Closes claims whose time is over.
pub(crate) async fn close_claims(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.close_claims").await?;
    let due = claim::store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    job::each("order.close_claims", due, |merchant, order_id| async move {
        let mut tx = app.db.tenant(merchant).await?;
        let locked = claim::store::lock(&mut tx, order_id).await?;
        // It may have been paid meanwhile.
        if let Some(mut claim) = locked.filter(|claim| claim.state == claim::domain::State::Open) {
            claim::close_locked(app, &mut tx, &mut claim, now).await?;
            tx.commit().await?;
        }
        Ok(())
    })
    .await
}

/// Asks payment companies for attempts without an end.
pub(crate) async fn payments(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.payments").await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let each = |(merchant, id, due_at): (Id<Merchant>, _, _)| async move {
        let mut tx = app.db.tenant(merchant).await?;
        let leased = store::lease(&mut tx, id, due_at, lease(now)).await?;
        tx.commit().await?;
        let Some(payment) = leased else { return Ok(()) };
        survived(act::once(app, merchant, &payment, now).await, merchant)
    };
    job::at_once(due.into_iter().map(each)).await
}

/// Sends refunds, and asks for those that were sent.
pub(crate) async fn refunds(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.payment_refunds").await?;
    let due = refund::store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let each = |(merchant, id, due_at): (Id<Merchant>, _, _)| async move {
        let mut tx = app.db.tenant(merchant).await?;
        let leased = refund::store::lease(&mut tx, id, due_at, lease(now)).await?;
        tx.commit().await?;
        let Some(refund) = leased else { return Ok(()) };
        survived(refund::send::once(app, merchant, &refund, now).await, merchant)
    };
    job::at_once(due.into_iter().map(each)).await
}

/// Works on what payment companies told, and forgets what was refused long ago.
pub(crate) async fn notifications(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.payment_notifications").await?;
    let due = notification::store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    let old = now - limits::REFUSED_KEPT_FOR;
    notification::store::purge_refused(&mut jobs, old, limits::JOB_BATCH).await?;
    jobs.commit().await?;
    let each = |(merchant, id, due_at): (Id<Merchant>, _, _)| async move {
        let mut tx = app.db.tenant(merchant).await?;
        let leased = notification::store::lease(&mut tx, id, due_at, lease(now)).await?;
        tx.commit().await?;
        let Some(told) = leased else { return Ok(()) };
        let done = notification::process(app, merchant, &told, now).await;
        if done.is_err() {
            notification::postpone(app, merchant, &told, now).await?;
        }
        survived(done.map(drop), merchant)
    };
    job::at_once(due.into_iter().map(each)).await
}

fn lease(now: DateTime<Utc>) -> DateTime<Utc> {
    now + limits::CALL_LEASE
}

/// What goes wrong with one thing is said and holds up no other; only without the database nothing goes on.
fn survived(done: Result<(), Fault>, merchant: Id<Merchant>) -> Result<(), Fault> {
    match done {
        Err(fault) if fault.code() == Code::Unavailable => Err(fault),
        Err(fault) => {
            tracing::error!(%merchant, ?fault, "a payment, refund or notification fails for a reason of ours");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
