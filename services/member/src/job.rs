//! The jobs: what the service does without being asked. A step is whole or has no effect that a later one does not find, so
//! a process may die at any point. Every process runs every job.

use std::{fmt, pin::Pin};

use siyu_kernel::Fault;
use siyu_runtime::{CancellationToken, Progress, Steps, steps};

use crate::{App, handover, limits};

/// One step of a job.
type Step = fn(&App) -> Pin<Box<dyn Future<Output = Result<Progress, Fault>> + Send + '_>>;

/// One job, to be run as a named task.
#[derive(Clone)]
pub struct Job {
    app: App,
    name: &'static str,
    step: Step,
}

/// The jobs of the service.
pub(crate) fn all(app: &App) -> Vec<Job> {
    let jobs: [(&'static str, Step); 1] =
        [("member.finish_handovers", |app| Box::pin(handover::finish::once(app)))];
    jobs.map(|(name, step)| Job { app: app.clone(), name, step }).into()
}

impl Job {
    /// The name of its task.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs until it is cancelled, never in the middle of a step. An error is one of the database: run it again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Fault> {
        steps(&self, limits::IDLE_PAUSE, cancel).await
    }
}

impl Steps for Job {
    type Error = Fault;

    async fn step(&self) -> Result<Progress, Fault> {
        (self.step)(&self.app).await
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).finish_non_exhaustive()
    }
}
