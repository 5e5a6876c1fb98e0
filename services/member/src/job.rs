//! The jobs: what the service does without being asked. A step is whole or has no effect that a later one does not find, so
//! a process may die at any point. Every process runs every job.

use std::{fmt, pin::Pin};

use siyu_kernel::Fault;
use siyu_runtime::{CancellationToken, Progress, Steps, steps};

use crate::{App, benefit, handover, limits, points, tag, tier, value};

/// One step of a job.
type Step = fn(&App) -> Pin<Box<dyn Future<Output = Result<Progress, Fault>> + Send + '_>>;

/// One job, to be run as a named task.
#[derive(Clone)]
pub struct Job {
    app: App,
    name: &'static str,
    work: Work,
}

#[derive(Clone, Copy)]
enum Work {
    /// One step after the other.
    Steps(Step),
    /// Posts the changes of points that callers hand in.
    Points,
}

/// The jobs of the service.
pub(crate) fn all(app: &App) -> Vec<Job> {
    let jobs: [(&'static str, Work); 13] = [
        ("member.finish_handovers", Work::Steps(|app| Box::pin(handover::finish::once(app)))),
        ("member.points", Work::Points),
        ("member.expire_holds", Work::Steps(|app| Box::pin(points::expire_freezes(app)))),
        ("member.expire_lots", Work::Steps(|app| Box::pin(points::expire_lots(app)))),
        ("member.tag_rules", Work::Steps(|app| Box::pin(tag::compute::once(app)))),
        ("member.tag_marks", Work::Steps(|app| Box::pin(tag::compute::marked(app)))),
        ("member.value_holds", Work::Steps(|app| Box::pin(value::payment::expire::once(app)))),
        ("member.value_bonus", Work::Steps(|app| Box::pin(value::expiry::once(app)))),
        ("member.value_gifts", Work::Steps(|app| Box::pin(value::gift::expire::once(app)))),
        ("member.expire_tiers", Work::Steps(|app| Box::pin(tier::job::expire(app)))),
        ("member.apply_tiers", Work::Steps(|app| Box::pin(tier::job::apply_policies(app)))),
        ("member.expire_cards", Work::Steps(|app| Box::pin(benefit::expire_cards(app)))),
        ("member.tier_gifts", Work::Steps(|app| Box::pin(tier::job::give(app)))),
    ];
    jobs.map(|(name, work)| Job { app: app.clone(), name, work }).into()
}

impl Job {
    /// The name of its task.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs until it is cancelled, never in the middle of a step. An error is one of the database: run it again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Fault> {
        match self.work {
            Work::Steps(_) => steps(&self, limits::IDLE_PAUSE, cancel).await,
            Work::Points => {
                self.app.desk.run(cancel).await;
                Ok(())
            }
        }
    }
}

impl Steps for Job {
    type Error = Fault;

    /// None for a job that waits for callers.
    async fn step(&self) -> Result<Progress, Fault> {
        match self.work {
            Work::Steps(step) => step(&self.app).await,
            Work::Points => Ok(Progress::Idle),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).finish_non_exhaustive()
    }
}
