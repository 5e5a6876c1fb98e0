//! Ends campaigns that wait for no message any more, and only those (rule 91).

use siyu_kernel::Fault;
use siyu_runtime::Progress;

use super::{domain::Event, store};
use crate::{App, limits};

/// Ends some.
pub async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("messaging.finish").await?;
    let settled = store::lock_settled(&mut jobs, limits::FINISH_BATCH).await?;
    if settled.is_empty() {
        return Ok(Progress::Idle);
    }
    for (merchant, id) in settled {
        let tx = jobs.become_tenant(merchant).await?;
        let mut campaign = store::lock(tx, id).await?.expect("it is locked");
        campaign.take(Event::Settled, now)?;
        store::save(tx, &campaign).await?;
    }
    jobs.commit().await?;
    Ok(Progress::Worked)
}
