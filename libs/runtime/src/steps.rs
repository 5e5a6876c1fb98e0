//! Work that is done in steps, each whole or without an effect that a later one does not find: so a process may die between
//! any two of them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{jitter, pause};

/// Whether a step found something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It did, and there may be more.
    Worked,
    /// There is nothing to do at this instant.
    Idle,
}

impl Progress {
    /// Worked, if one of two did.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Idle, Self::Idle) => Self::Idle,
            (Self::Worked, _) | (_, Self::Worked) => Self::Worked,
        }
    }
}

/// Work in steps.
pub trait Steps: Sync {
    /// What may go wrong in a step.
    type Error: Send;

    /// Does one step.
    fn step(&self) -> impl Future<Output = Result<Progress, Self::Error>> + Send;

    /// Ends when there may be work before the usual pause is over; never, where nothing tells.
    fn woken(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Takes steps until it is cancelled, never cutting one. Without work it waits until it is woken or `idle` is over. An
/// error of a step ends it: start it again.
pub async fn steps<W: Steps>(
    work: &W,
    idle: Duration,
    cancel: CancellationToken,
) -> Result<(), W::Error> {
    while !cancel.is_cancelled() {
        if work.step().await? == Progress::Idle {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = work.woken() => {}
                () = pause(jitter(idle)) => {}
            }
        }
    }
    Ok(())
}
