//! How long facts are kept: at least so many days, and until everybody who follows the log has handled them.

use std::{convert::Infallible, sync::Arc};

use chrono::TimeDelta;
use siyu_kernel::Clock;
use siyu_runtime::{CancellationToken, pause};

use crate::{Log, handler::describe, limits};

/// The task. Every process of a service may run it; pruning twice deletes nothing more.
#[derive(Debug, Clone)]
pub struct Retention {
    log: Log,
    clock: Arc<dyn Clock>,
    age: TimeDelta,
    readers: &'static [&'static str],
}

impl Retention {
    /// Keeps the events of a log for `days`, and longer while one of `readers`, the services that follow it, has not handled
    /// them. A service that never asked holds everything.
    pub fn new(
        log: Log,
        clock: Arc<dyn Clock>,
        days: u32,
        readers: &'static [&'static str],
    ) -> Self {
        Self { log, clock, age: TimeDelta::days(days.into()), readers }
    }

    /// Runs until it is cancelled. An outage of the database is waited out.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Infallible> {
        while !cancel.is_cancelled() {
            self.prune().await;
            cancel.run_until_cancelled(pause(limits::RETENTION_PAUSE)).await;
        }
        Ok(())
    }

    async fn prune(&self) {
        let source = self.log.source();
        match self.log.prune_read(self.clock.now() - self.age, self.readers).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(source, events, "old events were pruned"),
            Err(error) => {
                tracing::warn!(source, error = describe(&error), "old events stay for now");
            }
        }
    }
}
