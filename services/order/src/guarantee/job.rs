//! Releases what is due, in steps.

use siyu_kernel::Fault;
use siyu_runtime::Progress;

use super::act;
use crate::App;

/// Releases some.
pub(crate) async fn release(app: &App) -> Result<Progress, Fault> {
    let released = act::release_due(app, app.clock.now()).await?;
    Ok(if released == 0 { Progress::Idle } else { Progress::Worked })
}
