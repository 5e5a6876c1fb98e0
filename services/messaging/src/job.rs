//! The jobs: what the service does without being asked. Each is a chain of steps; a step is whole or has no effect that a
//! later one does not find, so a process may die at any point. Every process runs every job.

use siyu_kernel::Fault;
use siyu_runtime::{CancellationToken, Progress, Steps, steps};
use tokio::sync::Notify;

use crate::{App, campaign, channel, limits, message};

/// One job, to be run as a named task.
#[derive(Debug, Clone)]
pub struct Job {
    app: App,
    work: Work,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Prepare,
    Dispatch,
    Receive,
}

/// Wakes the jobs of this process when one has left work for another.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    /// A campaign was started.
    pub(crate) prepare: Notify,
    /// Messages wait, or a campaign was cancelled.
    pub(crate) dispatch: Notify,
    /// The sandbox was handed messages.
    pub(crate) receive: Notify,
}

impl Job {
    /// The name of its task.
    pub const fn name(&self) -> &'static str {
        match self.work {
            Work::Prepare => "messaging.prepare",
            Work::Dispatch => "messaging.dispatch",
            Work::Receive => "messaging.receive",
        }
    }

    /// Runs until it is cancelled, never in the middle of a step. An error is one of the database: run it again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Fault> {
        steps(&self, limits::IDLE_PAUSE, cancel).await
    }
}

impl Steps for Job {
    type Error = Fault;

    async fn step(&self) -> Result<Progress, Fault> {
        match self.work {
            Work::Prepare => self.app.prepare_once().await,
            Work::Dispatch => self.app.dispatch_once().await,
            Work::Receive => self.app.receive_once().await,
        }
    }

    async fn woken(&self) {
        let wakes = &self.app.wakes;
        match self.work {
            Work::Prepare => wakes.prepare.notified().await,
            Work::Dispatch => wakes.dispatch.notified().await,
            Work::Receive => wakes.receive.notified().await,
        }
    }
}

impl App {
    /// Its jobs, each to be run as a task that is started again.
    pub fn jobs(&self) -> Vec<Job> {
        let job = |work| Job { app: self.clone(), work };
        [Work::Prepare, Work::Dispatch, Work::Receive].map(job).into()
    }

    /// Freezes one page of the audience of one campaign into messages.
    pub async fn prepare_once(&self) -> Result<Progress, Fault> {
        campaign::prepare::once(self).await
    }

    /// Hands one batch of messages of one campaign to its channel, then ends the campaigns that wait for nothing more.
    pub async fn dispatch_once(&self) -> Result<Progress, Fault> {
        let dispatched = message::dispatch::once(self).await?;
        Ok(dispatched.or(campaign::finish::once(self).await?))
    }

    /// Lets the sandbox report on one batch of messages.
    pub async fn receive_once(&self) -> Result<Progress, Fault> {
        channel::sandbox::report_once(self).await
    }

    /// Runs the jobs until none has anything to do at this instant, for tests and tools.
    pub async fn run_until_idle(&self) -> Result<(), Fault> {
        loop {
            let mut progress = Progress::Idle;
            for job in self.jobs() {
                progress = progress.or(job.step().await?);
            }
            if progress == Progress::Idle {
                return Ok(());
            }
        }
    }
}
