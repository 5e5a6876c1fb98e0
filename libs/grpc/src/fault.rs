//! `Status` → `Fault`: what a peer answered, as a fault of ours that can be read or handed on.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use siyu_kernel::{Code, Fault, Violation};
use tonic::Status;
use tonic_types::StatusExt;

use crate::limits;

/// The text of tonic's own timeouts (0.14).
const TIMEOUT: &str = "Timeout expired";

/// Reads a peer's status. Reason, message, metadata and violations are the peer's, so that a fault passes through a chain of
/// services unchanged; what a peer could not do (`Internal`, `Unknown`, …) is an internal fault with the status as its cause.
pub fn fault(status: Status) -> Fault {
    let code = code(&status);
    let details = status.get_error_details();
    let Some(info) = details.error_info().filter(|_| code != Code::Internal) else {
        return bare(code, status);
    };
    let mut fault = match details.bad_request().map(|bad| &bad.field_violations) {
        Some(bad) if !bad.is_empty() => Fault::invalid(
            bad.iter()
                .map(|v| Violation { field: v.field.clone(), description: v.description.clone() })
                .collect(),
        ),
        _ => Fault::new(code, constant(&info.reason), status.message().to_owned()),
    };
    for (key, value) in &info.metadata {
        fault = fault.with(constant(key), value);
    }
    fault
}

/// How long a peer asks to wait before a repeat.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// A status without our details: from the transport, a proxy, or tonic itself.
fn bare(code: Code, status: Status) -> Fault {
    let fault = match code {
        Code::Internal => return Fault::internal(status),
        Code::Unavailable => Fault::new(code, "PEER_UNAVAILABLE", "a service is not available"),
        Code::DeadlineExceeded => Fault::new(code, "DEADLINE_EXCEEDED", "it took too long"),
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::ResourceExhausted
        | Code::Unimplemented => Fault::new(code, "PEER_REFUSED", status.message().to_owned()),
    };
    fault.caused_by(status)
}

fn code(status: &Status) -> Code {
    // A status with a source did not come over the wire: the connection broke, or our side no longer waited.
    let is_own = std::error::Error::source(status).is_some();
    match status.code() {
        // tonic tells its own expired timeouts as Cancelled.
        tonic::Code::Cancelled if !is_own || status.message() == TIMEOUT => Code::DeadlineExceeded,
        _ if is_own => Code::Unavailable,
        tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Code::InvalidArgument,
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::AlreadyExists => Code::AlreadyExists,
        tonic::Code::FailedPrecondition => Code::FailedPrecondition,
        tonic::Code::Aborted => Code::Aborted,
        tonic::Code::PermissionDenied => Code::PermissionDenied,
        tonic::Code::Unauthenticated => Code::Unauthenticated,
        tonic::Code::ResourceExhausted => Code::ResourceExhausted,
        tonic::Code::Unavailable => Code::Unavailable,
        tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Code::DeadlineExceeded,
        tonic::Code::Ok
        | tonic::Code::Unknown
        | tonic::Code::Unimplemented
        | tonic::Code::DataLoss
        | tonic::Code::Internal => Code::Internal,
    }
}

/// A peer's word as a constant. The words come from a closed set, so each is kept once for the life of the process, and there
/// is a bound for a peer that makes them up.
fn constant(word: &str) -> &'static str {
    static WORDS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    kept(&mut words, limits::FOREIGN_WORDS, word)
}

fn kept(words: &mut HashSet<&'static str>, max: usize, word: &str) -> &'static str {
    if let Some(known) = words.get(word) {
        return known;
    }
    if words.len() >= max {
        return "PEER_REFUSED";
    }
    let constant: &'static str = Box::leak(word.into());
    words.insert(constant);
    constant
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_status_without_our_details_keeps_only_its_code() {
        for (theirs, code, reason) in [
            (tonic::Code::Cancelled, Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (tonic::Code::Unavailable, Code::Unavailable, "PEER_UNAVAILABLE"),
            (tonic::Code::OutOfRange, Code::InvalidArgument, "PEER_REFUSED"),
            (tonic::Code::Unknown, Code::Internal, "INTERNAL"),
            (tonic::Code::Unimplemented, Code::Internal, "INTERNAL"),
        ] {
            let read = fault(Status::new(theirs, "x"));
            assert_eq!((read.code(), read.reason()), (code, reason), "{theirs:?}");
            assert!(read.cause().is_some(), "the status is kept for the log");
        }
    }

    #[test]
    fn a_status_of_our_own_transport_means_that_the_peer_is_not_there() {
        for (text, code) in
            [("Timeout expired", Code::DeadlineExceeded), ("closed", Code::Unavailable)]
        {
            let mut status = Status::cancelled(text);
            status.set_source(Arc::new(std::io::Error::other("the line is dead")));
            assert_eq!(fault(status).code(), code, "{text}");
        }
    }

    #[test]
    fn made_up_words_are_kept_up_to_a_bound() {
        let mut words = HashSet::new();
        assert_eq!(kept(&mut words, 2, "A"), "A");
        assert_eq!(kept(&mut words, 2, "B"), "B");
        assert_eq!(kept(&mut words, 2, "C"), "PEER_REFUSED");
        assert_eq!(kept(&mut words, 2, "A"), "A");
    }
}
