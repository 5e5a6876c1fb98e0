//! Passes offers that nobody answered on, in steps.

use siyu_kernel::Fault;
use siyu_runtime::Progress;

use super::assignment::act;
use crate::App;

/// Passes some on.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let passed = act::time_out_due(app, app.clock.now()).await?;
    Ok(if passed == 0 { Progress::Idle } else { Progress::Worked })
}
