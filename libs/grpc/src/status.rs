//! `Fault` → `Status`: the only place that builds one, and the only place that logs a cause.

use std::collections::HashMap;

use siyu_kernel::{Code, Fault};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::limits;

/// The domain of every reason.
pub(crate) const DOMAIN: &str = "siyu";

/// What a client is told of a fault. The cause goes to the log, here and nowhere else.
#[expect(clippy::needless_pass_by_value, reason = "a fault is told once")]
pub fn status(fault: Fault) -> Status {
    log(&fault);
    let metadata: HashMap<String, String> =
        fault.metadata().iter().map(|(&key, value)| (key.to_owned(), value.clone())).collect();
    let mut details = ErrorDetails::with_error_info(fault.reason(), DOMAIN, metadata);
    for violation in fault.violations() {
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
    if matches!(fault.code(), Code::Unavailable | Code::ResourceExhausted) {
        details.set_retry_info(Some(limits::RETRY_AFTER));
    }
    Status::with_error_details(code(fault.code()), fault.message(), details)
}

fn log(fault: &Fault) {
    let (code, reason) = (fault.code(), fault.reason());
    match (code, fault.cause()) {
        (Code::Internal, cause) => {
            tracing::error!(reason, cause = ?cause, "{}", fault.message());
        }
        (Code::Unavailable | Code::DeadlineExceeded, Some(cause)) => {
            tracing::warn!(?code, reason, ?cause, "{}", fault.message());
        }
        (_, Some(cause)) => tracing::info!(?code, reason, ?cause, "{}", fault.message()),
        // Refusals without a cause are counted by telemetry: a line for each would make an overload worse.
        (_, None) => tracing::debug!(?code, reason, "{}", fault.message()),
    }
}

fn code(code: Code) -> tonic::Code {
    match code {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::Aborted => tonic::Code::Aborted,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Internal => tonic::Code::Internal,
    }
}
