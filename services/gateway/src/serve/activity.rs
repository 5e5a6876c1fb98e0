//! Whether a connection is of use: without a call in time it is closed, so that silent clients cannot take all connections.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use siyu_runtime::pause;
use tokio::time::Instant;

/// The calls of one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    /// When the last call ended; `None` before the first.
    ended: Option<Instant>,
}

/// One call, until it is dropped.
#[derive(Debug)]
pub(super) struct Call(Activity);

impl Activity {
    /// Begins a call.
    pub(super) fn call(&self) -> Call {
        self.state().under_way += 1;
        Call(self.clone())
    }

    /// Returns when there was no call within `first`, or none for as long as `idle` after others.
    pub(super) async fn unused(&self, first: Duration, idle: Duration) {
        pause(first).await;
        while let Some(left) = self.left(idle) {
            pause(left).await;
        }
    }

    /// How long to wait before looking again; `None` when it is enough.
    fn left(&self, idle: Duration) -> Option<Duration> {
        let state = self.state();
        if state.under_way > 0 {
            return Some(idle);
        }
        let left = idle.checked_sub(state.ended?.elapsed())?;
        (!left.is_zero()).then_some(left)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.ended = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(30);
    const IDLE: Duration = Duration::from_mins(5);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_first_call_is_of_no_use() {
        let start = Instant::now();
        Activity::default().unused(FIRST, IDLE).await;
        assert_eq!(start.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_of_use_during_a_call_and_for_a_while_after() {
        let activity = Activity::default();
        let (start, call) = (Instant::now(), activity.call());
        let works = async {
            pause(Duration::from_secs(1000)).await;
            drop(call);
        };
        tokio::join!(works, activity.unused(FIRST, IDLE));
        let (least, most) = (Duration::from_secs(1300), Duration::from_secs(1301));
        assert!((least..most).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
}
