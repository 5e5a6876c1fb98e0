//! What a server that stops says to those who wait: so that a stop takes no longer than the work under way.

use siyu_kernel::{Code, Fault};
use siyu_runtime::Readiness;

/// The reason of the answer to those whom a stop cuts short.
pub const DRAINING: &str = "SERVER_DRAINING";

/// The answer to a wait or a stream that a stop cuts short. A repeat reaches another process, or this one when it is back.
#[must_use]
pub fn draining() -> Fault {
    Fault::new(Code::Unavailable, DRAINING, "the server stops; repeat what has no answer yet")
}

/// The outcome of a wait for something that need not come, such as an event: cut short when the process drains. The server
/// puts its readiness into the extensions of every request.
///
/// # Errors
/// `SERVER_DRAINING`, or that of the wait.
pub async fn unless_draining<T, E: Into<Fault>>(
    readiness: Option<Readiness>,
    wait: impl Future<Output = Result<T, E>>,
) -> Result<T, Fault> {
    let Some(readiness) = readiness else { return wait.await.map_err(Into::into) };
    tokio::select! {
        biased;
        outcome = wait => outcome.map_err(Into::into),
        () = readiness.drained() => Err(draining()),
    }
}
