//! Moves gifts back that nobody accepted in time. Nobody waits for it: such a gift cannot be accepted any more.

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_runtime::Progress;

use super::{domain::State, give, store};
use crate::{App, limits};

/// Moves some back.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.value_gifts").await?;
    let due = store::due(&mut jobs, now, limits::HOLDS_BATCH).await?;
    // Each in a transaction of its own: nobody waits for more than one of them.
    drop(jobs);
    let progress = if due.is_empty() { Progress::Idle } else { Progress::Worked };
    for (merchant, id) in due {
        let ctx = Ctx::internal(crate::NAME, Some(merchant), now);
        let mut tx = app.db.tenant(merchant).await?;
        let is_open = store::lock(&mut tx, id).await?.is_some_and(|gift| gift.is_open().is_ok());
        if is_open {
            give::give_back(app, &mut tx, &ctx, id, State::Expired).await?;
            tx.commit().await?;
        }
    }
    Ok(progress)
}
