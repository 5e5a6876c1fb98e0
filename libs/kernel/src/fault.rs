//! The one error that crosses a service's edge: transport-neutral, with a closed set of codes, a stable reason, and two
//! messages: one for the client, one for the operator.

use std::{borrow::Cow, collections::BTreeMap, error::Error, fmt};

/// What the reader of an error does next. The closed set that the suite uses of the canonical gRPC codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// Mend the request; a repeat fails again.
    InvalidArgument,
    /// There is no such thing for this caller.
    NotFound,
    /// It exists already, with other content.
    AlreadyExists,
    /// The state of the thing forbids it; do not repeat before the state changes.
    FailedPrecondition,
    /// Someone else was faster: read again, then repeat.
    Aborted,
    /// The credential lacks the right.
    PermissionDenied,
    /// There is no valid credential.
    Unauthenticated,
    /// A limit was reached; repeat later.
    ResourceExhausted,
    /// Not available now; repeat with backoff.
    Unavailable,
    /// It took longer than allowed; whether it had an effect is unknown.
    DeadlineExceeded,
    /// The method does not exist.
    Unimplemented,
    /// A fault of the suite.
    Internal,
}

/// One field of a request that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path from the request's root in proto names, for example `orders[3].lines[0].amount`.
    pub field: String,
    /// What is wrong, for the client.
    pub description: String,
}

/// An error on its way to the client.
pub struct Fault {
    code: Code,
    reason: &'static str,
    message: Cow<'static, str>,
    metadata: BTreeMap<&'static str, String>,
    violations: Vec<Violation>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault with a code, an `UPPER_SNAKE` reason that never changes, and a message for the client.
    #[must_use]
    pub fn new(code: Code, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            cause: None,
        }
    }

    /// The answer for an id that names nothing the caller may see: the same for a foreign and an unknown one (rule 121).
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::new(Code::NotFound, "NOT_FOUND", format!("{what} not found")).with("resource", what)
    }

    /// A request with fields that are not as they must be.
    ///
    /// # Panics
    /// When there is no violation: then there is nothing to refuse.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let first = violations.first().expect("an invalid request has a violation");
        let more = match violations.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        let message = format!("{}: {}{more}", first.field, first.description);
        Self { violations, ..Self::new(Code::InvalidArgument, "INVALID_FIELD", message) }
    }

    /// A request with one bad field.
    #[must_use]
    pub fn field(field: impl Into<String>, description: impl fmt::Display) -> Self {
        Self::invalid(vec![Violation { field: field.into(), description: description.to_string() }])
    }

    /// A fault of the suite itself: the client learns nothing, the operator the cause.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "INTERNAL", "internal error").caused_by(cause)
    }

    /// Adds a variable of the message for machines.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.metadata.insert(key, value.to_string());
        self
    }

    /// Keeps the cause for the operator's log; it is never sent.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The stable reason.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// The message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The variables of the message.
    #[must_use]
    pub const fn metadata(&self) -> &BTreeMap<&'static str, String> {
        &self.metadata
    }

    /// The bad fields.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The cause, for the operator.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.reason)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.code, self.reason, self.message)?;
        self.cause.iter().try_for_each(|cause| write!(f, "; cause: {cause:?}"))
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
