//! Who handles events, and what can become of one.

use std::{error::Error, sync::Arc, time::Duration};

use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use crate::{Event, Fact, limits};

/// Handles the events of one merchant, inside the transaction that moves the cursor.
///
/// `tx` acts as the merchant: row-level security shows nothing else, and what is appended to the log belongs to it. The
/// events are in the order of the log and of the types that the subscription names. A call has all of its effects or none;
/// after an error the same events come again, alone or in other groups. No work on the outside world here: write a job.
#[tonic::async_trait]
pub trait Handler: Send + Sync {
    /// Applies the events.
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError>;
}

/// Why an event could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// Something that every event needs does not answer: the stream waits, and nothing is parked for it.
    #[error("something the handler needs does not answer")]
    Unavailable(#[source] Cause),
    /// It may succeed later: the stream waits and tries again, some times, then parks it.
    #[error("the event could not be handled")]
    Retry(#[source] Cause),
    /// It will never succeed as things are: it is parked at once.
    #[error("the event cannot be handled")]
    Park(#[source] Cause),
}

/// What is behind an error.
pub type Cause = Box<dyn Error + Send + Sync>;

/// What one consumer takes from one source. Clones share the handler.
#[derive(Clone)]
pub struct Subscription {
    pub(crate) consumer: &'static str,
    pub(crate) source: &'static str,
    pub(crate) types: Option<Vec<String>>,
    pub(crate) retries: Retries,
    pub(crate) handler: Arc<dyn Handler>,
}

/// How often and after which waits a failed event is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The number of tries, the first included; at least 1.
    pub attempts: u32,
    /// The wait after the first; it doubles.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl HandlerError {
    /// Park the event, because of this.
    pub fn park(cause: impl Into<Cause>) -> Self {
        Self::Park(cause.into())
    }

    /// Try the event again later, because of this.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry(cause.into())
    }

    /// The error with what is behind it, for an operator.
    pub(crate) fn describe(&self) -> String {
        describe(self)
    }
}

/// An error and all that is behind it in one line, cut to what is kept.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    // PostgreSQL keeps no NUL in a text.
    text.chars().filter(|&c| c != '\0').take(limits::MAX_ERROR_CHARS).collect()
}

impl From<siyu_pg::Error> for HandlerError {
    fn from(err: siyu_pg::Error) -> Self {
        use siyu_pg::Error as E;
        match err {
            E::Unavailable(_) => Self::Unavailable(err.into()),
            // A statement that is always too slow, or always in conflict, must not hold up its stream for ever.
            E::Conflict(_) | E::Timeout(_) | E::Constraint { .. } | E::Other(_) => {
                Self::Retry(err.into())
            }
        }
    }
}

impl From<sqlx::Error> for HandlerError {
    fn from(err: sqlx::Error) -> Self {
        siyu_pg::Error::from(err).into()
    }
}

impl From<Fault> for HandlerError {
    fn from(fault: Fault) -> Self {
        match fault.code() {
            Code::Unavailable => Self::Unavailable(fault.into()),
            // What is missing or wrong now may come with another stream's events.
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::ResourceExhausted
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal => Self::Retry(fault.into()),
        }
    }
}

impl Subscription {
    /// A subscription without types yet: name them with [`Self::on`], or take [`Self::all`].
    ///
    /// `consumer` names the cursor and must be the same for ever: a new name starts from the beginning of the log.
    pub fn new(consumer: &'static str, source: &'static str, handler: Arc<dyn Handler>) -> Self {
        let types = Some(Vec::new());
        Self { consumer, source, types, retries: Retries::default(), handler }
    }

    /// Takes the events that tell an `F`, besides those named before.
    #[must_use]
    pub fn on<F: Fact>(mut self) -> Self {
        if let Some(types) = &mut self.types {
            types.push(F::full_name());
        }
        self
    }

    /// Takes every event.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.types = None;
        self
    }

    /// Other waits after failures.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Who handles the events.
    pub fn consumer(&self) -> &'static str {
        self.consumer
    }

    /// Whose events they are.
    pub fn source(&self) -> &'static str {
        self.source
    }

    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|name| **name == *event.type_name))
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: limits::RETRY_ATTEMPTS,
            first: limits::RETRY_FIRST,
            max: limits::RETRY_MAX,
        }
    }
}

impl Retries {
    /// The wait after that many failures in a row.
    pub(crate) fn wait(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retries = Retries::default();
        let waits: Vec<u128> = [1, 2, 3, 6, 7, 8, u32::MAX]
            .into_iter()
            .map(|failures| retries.wait(failures).as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 3200, 5000, 5000, 5000]);
    }

    #[test]
    fn only_an_outage_stops_the_stream_without_counting() {
        let gone = HandlerError::from(sqlx::Error::PoolTimedOut);
        assert!(matches!(gone, HandlerError::Unavailable(_)), "{gone:?}");
        let broken = HandlerError::from(sqlx::Error::RowNotFound);
        assert!(matches!(broken, HandlerError::Retry(_)), "{broken:?}");
        let missing = HandlerError::from(Fault::not_found("order"));
        assert!(matches!(missing, HandlerError::Retry(_)), "{missing:?}");
    }

    #[test]
    fn a_description_names_the_causes_and_is_cut() {
        let error = HandlerError::park(Fault::not_found("order").caused_by("a\0b"));
        let text = error.describe();
        assert!(text.starts_with("the event cannot be handled: order not found"), "{text}");
        assert!(text.ends_with(": ab"), "{text}");
        let long = HandlerError::park("x".repeat(9000)).describe();
        assert_eq!(long.chars().count(), limits::MAX_ERROR_CHARS);
    }
}
