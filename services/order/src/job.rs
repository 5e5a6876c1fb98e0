//! What the service does by itself, in steps.

use std::{fmt, pin::Pin};

use siyu_kernel::Fault;
use siyu_runtime::{CancellationToken, Progress, Steps, steps};

use crate::{
    App, checkout, fulfilment, group, guarantee, limits, payment, red_packet, refund, stock, tender,
};

/// One step of a job.
type Step = fn(&App) -> Pin<Box<dyn Future<Output = Result<Progress, Fault>> + Send + '_>>;

/// A named job, for the owner to run as a task of that name: in every replica, or in one.
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
    /// Reserves what callers hand in.
    Reservations,
}

/// The jobs of the service.
pub(crate) fn all(app: &App) -> Vec<Job> {
    let jobs: [(&'static str, Step); 13] = [
        ("order.tenders", |app| Box::pin(tender::job::once(app))),
        ("order.expire_checkouts", |app| Box::pin(checkout::expire::once(app))),
        ("order.refunds", |app| Box::pin(refund::run::once(app))),
        ("order.ripen", |app| Box::pin(checkout::ripen::once(app))),
        ("order.assignments", |app| Box::pin(fulfilment::job::once(app))),
        ("order.release_guarantees", |app| Box::pin(guarantee::job::release(app))),
        ("order.close_claims", |app| Box::pin(payment::job::close_claims(app))),
        ("order.payment_notifications", |app| Box::pin(payment::job::notifications(app))),
        ("order.payments", |app| Box::pin(payment::job::payments(app))),
        ("order.payment_refunds", |app| Box::pin(payment::job::refunds(app))),
        ("order.groups", |app| Box::pin(group::job::once(app))),
        ("order.red_packets", |app| Box::pin(red_packet::job::once(app))),
        ("order.orphan_reservations", |app| Box::pin(stock::ahead::once(app))),
    ];
    let job = |name, work| Job { app: app.clone(), name, work };
    let mut all: Vec<Job> = jobs.map(|(name, step)| job(name, Work::Steps(step))).into();
    all.push(job("order.reservations", Work::Reservations));
    all
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
            Work::Reservations => {
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
            Work::Reservations => Ok(Progress::Idle),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).finish_non_exhaustive()
    }
}
