//! What the service does by itself, in steps.

use std::{fmt, pin::Pin};

use futures::stream::{self, StreamExt as _};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_runtime::{CancellationToken, Progress, Steps, steps};

use crate::{
    App, checkout, fulfilment, group, guarantee, limits, parcel_card, payment, red_packet, refund,
    stock, tender,
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
    let jobs: [(&'static str, Step); 14] = [
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
        ("order.parcel_cards", |app| Box::pin(parcel_card::link::once(app))),
        ("order.red_packets", |app| Box::pin(red_packet::job::once(app))),
        ("order.orphan_reservations", |app| Box::pin(stock::ahead::once(app))),
    ];
    let job = |name, work| Job { app: app.clone(), name, work };
    let mut all: Vec<Job> = jobs.map(|(name, step)| job(name, Work::Steps(step))).into();
    all.push(job("order.reservations", Work::Reservations));
    all
}

/// Does what is due for merchants, one after the other, each in a transaction of its own: there is work as long as one of
/// them comes off. A fault of one is told and holds up no other; it is due again with the next step.
///
/// # Errors
/// That the database is not available.
pub(crate) async fn each<I, F>(
    name: &'static str,
    due: Vec<(Id<Merchant>, I)>,
    run: impl Fn(Id<Merchant>, I) -> F + Send,
) -> Result<Progress, Fault>
where
    I: fmt::Debug + Copy + Send + Sync,
    F: Future<Output = Result<(), Fault>> + Send,
{
    let mut progress = Progress::Idle;
    for (merchant, id) in due {
        let done = run(merchant, id).await;
        if done.is_ok() {
            progress = Progress::Worked;
        }
        survived(name, merchant, &id, done)?;
    }
    Ok(progress)
}

/// Does what is due and asks others for it, so many at a time: one after the other, each would wait for the answers that the
/// others get. All of it comes to an end, also after a fault.
///
/// # Errors
/// The first fault.
pub(crate) async fn at_once<F>(due: impl Iterator<Item = F> + Send) -> Result<Progress, Fault>
where
    F: Future<Output = Result<(), Fault>> + Send,
{
    let mut under_way = stream::iter(due).buffer_unordered(limits::CALLS_AT_ONCE);
    let mut outcome = Ok(Progress::Idle);
    while let Some(done) = under_way.next().await {
        outcome = outcome.and(done.map(|()| Progress::Worked));
    }
    outcome
}

/// Tells a fault of one thing that a job does; gives it back only where it is that the database is not available, for then
/// nothing else goes on either.
pub(crate) fn survived(
    name: &'static str,
    merchant: Id<Merchant>,
    id: &(dyn fmt::Debug + Sync),
    done: Result<(), Fault>,
) -> Result<(), Fault> {
    match done {
        Err(fault) if fault.reason() == "STORE_UNAVAILABLE" => Err(fault),
        Err(fault) => {
            tracing::error!(job = name, %merchant, ?id, ?fault, "one thing of a job fails, the others go on");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use siyu_kernel::Code;
    use uuid::Uuid;

    use super::*;

    /// Does numbers, of which some fail for a reason; gives how it went and how many came off.
    fn run(numbers: &[i32], reason: &'static str, fails: &[i32]) -> (Option<Progress>, usize) {
        let done = std::sync::atomic::AtomicUsize::new(0);
        let merchant = Id::from_uuid(Uuid::nil());
        let due = numbers.iter().map(|&number| (merchant, number)).collect();
        let each = each("test", due, |_, number| {
            let result = if fails.contains(&number) {
                Err(Fault::new(Code::Unavailable, reason, "not now"))
            } else {
                done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            };
            std::future::ready(result)
        });
        (block_on(each).ok(), done.into_inner())
    }

    #[test]
    fn what_fails_holds_up_no_other_and_is_no_progress() {
        assert_eq!(run(&[1, 2, 3], "SIBLING_UNAVAILABLE", &[1, 3]), (Some(Progress::Worked), 1));
        assert_eq!(run(&[1, 2], "SIBLING_UNAVAILABLE", &[1, 2]), (Some(Progress::Idle), 0));
        assert_eq!(run(&[], "SIBLING_UNAVAILABLE", &[]), (Some(Progress::Idle), 0));
    }

    #[test]
    fn without_the_database_nothing_goes_on() {
        assert_eq!(run(&[1, 2, 3], "STORE_UNAVAILABLE", &[2]), (None, 1));
    }
}
