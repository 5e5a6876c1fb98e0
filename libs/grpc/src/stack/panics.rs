//! A panic is one failed call.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use http::Response;
use siyu_kernel::Fault;
use siyu_runtime::tasks::panic_message;
use tonic::body::Body;

use crate::status::status;

/// The answer of `work`, or an internal error when it panics.
pub(super) async fn caught(work: impl Future<Output = Response<Body>>) -> Response<Body> {
    // Unwind safety: all that outlives the call is behind locks that ignore poisoning, or in the database.
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let cause = format!("panicked: {}", panic_message(panic.as_ref()));
            status(Fault::internal(cause)).into_http()
        }
    }
}
