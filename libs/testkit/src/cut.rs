//! Calls that are cut short, as by a connection that breaks or a process that dies.

use std::{future::poll_fn, task::Poll};

/// Polls a future so many times, then drops it. Tells whether it came to its end.
pub async fn cut_after<F: Future>(polls: usize, work: F) -> bool {
    let mut work = Box::pin(work);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(cx).map(|_| true)
    })
    .await
}
