//! Ends orders whose time to be paid is over.

use siyu_kernel::Fault;
use siyu_runtime::Progress;

use super::{cancel::cancel, store};
use crate::{App, limits, order::advance::Cause};

/// Ends some.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.expire_checkouts").await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let progress = if due.is_empty() { Progress::Idle } else { Progress::Worked };
    for (merchant, id) in due {
        let mut tx = app.db.tenant(merchant).await?;
        let cause = Cause {
            key: "cancel",
            actor: "order.expire_checkouts",
            reason: "it was not paid in time",
            now,
        };
        match cancel(app, &mut tx, id, cause).await {
            Ok(_) => tx.commit().await?,
            // It was paid between the look and the lock.
            Err(fault) if fault.reason() == "ORDER_STATE_WRONG" => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(progress)
}
