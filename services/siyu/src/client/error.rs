//! What went wrong between here and the suite, in words that say what to do.

use std::{error::Error as StdError, fmt::Write, path::PathBuf};

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::exit::Failure;

/// Why a call was not answered as hoped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no token.
    #[error("no token")]
    NoToken,
    /// The token has characters that no token has.
    #[error("the token has characters that cannot be sent")]
    Token,
    /// The address is none.
    #[error("the server \"{server}\" {reason}")]
    Url {
        /// What was given.
        server: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The authority's certificate cannot be used.
    #[error("the file {} cannot be used as a certificate authority: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Nothing answers.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        server: String,
        /// Why.
        reason: String,
    },
    /// The token is not known, was revoked, or has ended.
    #[error("{server} does not accept the token: {reason}")]
    Unauthenticated {
        /// Who says so.
        server: String,
        /// Its words.
        reason: String,
    },
    /// The token is good, but not for this.
    #[error("the token does not allow this: {reason}")]
    Forbidden {
        /// The suite's words.
        reason: String,
    },
    /// The suite refused.
    #[error("{reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
    /// The reply lacks what it must hold.
    #[error("the suite's reply is empty")]
    Empty,
}

impl Error {
    /// The error that a status is.
    pub(super) fn of(server: &str, status: &Status) -> Self {
        let (server, reason) = (server.to_owned(), words(status));
        if is_local(status) {
            return Self::Unreachable { server, reason };
        }
        match status.code() {
            Code::Unauthenticated => Self::Unauthenticated { server, reason },
            Code::PermissionDenied => Self::Forbidden { reason },
            Code::Unavailable => Self::Unreachable { server, reason },
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::InvalidArgument
            | Code::DeadlineExceeded
            | Code::NotFound
            | Code::AlreadyExists
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss => Self::Refused { reason },
        }
    }

    pub(super) fn unreachable(server: &str, error: &(dyn StdError + 'static)) -> Self {
        Self::Unreachable { server: server.to_owned(), reason: root(error).to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoToken => Self::unreachable(&error).hint(
                "set SIYU_TOKEN to a token; `siyu demo` and `siyu merchant create` print one",
            ),
            Error::Unauthenticated { .. } | Error::Forbidden { .. } => Self::unreachable(&error)
                .hint("look at SIYU_TOKEN: whose token is it, and may it do this?"),
            Error::Unreachable { .. } => Self::unreachable(&error)
                .hint("start the suite with `siyu up`, or say where it is with --server"),
            Error::Token | Error::Url { .. } | Error::CaFile { .. } => Self::usage(&error),
            Error::Refused { .. } | Error::Empty => Self::failed(&error),
        }
    }
}

/// What a status says: its message, the fields that are not as they must be, and the reason for machines.
pub fn words(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = match (status.source(), status.message()) {
        // "Connection refused", where the message says "transport error".
        (Some(cause), _) => root(cause).to_string(),
        (None, "") => status.code().to_string(),
        (None, message) => message.to_owned(),
    };
    // The message names the first field already.
    let fields = details.bad_request().map(|bad| bad.field_violations.as_slice());
    for field in fields.unwrap_or_default().iter().skip(1) {
        let _ = write!(text, "\n  {}: {}", field.field, field.description);
    }
    if let Some(info) = details.error_info() {
        let _ = write!(text, " ({})", info.reason);
    }
    text
}

/// Whether the connection made the status, not the suite.
pub(crate) fn is_local(status: &Status) -> bool {
    status.source().is_some()
}

/// The first cause: "Connection refused" rather than "transport error".
fn root<'a>(mut error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    while let Some(cause) = error.source() {
        error = cause;
    }
    error
}
