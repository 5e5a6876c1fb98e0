//! Completes orders that the buyer did not confirm in time, and closes those whose after-sale window is over.

use siyu_kernel::Fault;
use siyu_runtime::Progress;

use super::store;
use crate::{
    App, limits,
    order::{
        advance::{self, Cause, advance},
        domain::State,
        lifecycle::Event,
    },
};

/// Completes and closes some.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.ripen").await?;
    let ripe = store::ripe(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let progress = if ripe.is_empty() { Progress::Idle } else { Progress::Worked };
    for (merchant, id) in ripe {
        let mut tx = app.db.tenant(merchant).await?;
        let (order, _) = advance::lock(&mut tx, id, "").await?;
        let (event, reason) = match order.state {
            State::PickedUp | State::Delivered | State::Signed => {
                (Event::Completed, "the buyer did not object in time")
            }
            State::Completed => (Event::Closed, "the after-sale window is over"),
            State::Created
            | State::GroupPending
            | State::Paid
            | State::Accepted
            | State::ReadyForPickup
            | State::Delivering
            | State::Shipped
            | State::Closed
            | State::Cancelled
            | State::Refunded => continue,
        };
        let key = format!("{} {}", event.as_str(), order.revision);
        let cause = Cause { key: &key, actor: "order.ripen", reason, now };
        advance(app, &mut tx, id, event, cause).await?;
        tx.commit().await?;
    }
    Ok(progress)
}
