//! Where a consumer gets events from. Two transports bring them; the position tells what is missing, double or late.

mod nats;
mod pull;

use std::{error::Error, time::Duration};

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};

use crate::{Event, event::Malformed};

pub use nats::NatsSource;
pub use pull::Pull;

/// A transport. It may bring an event twice, late, or in a run with gaps; it may not invent one.
#[tonic::async_trait]
pub trait Source: Send {
    /// Events behind a cursor, waiting up to `wait` for a first one; none when the wait ended without.
    async fn fetch(
        &mut self,
        cursor: &Cursor,
        max_events: usize,
        wait: Duration,
    ) -> Result<Run, SourceError>;

    /// Events after a position straight from the producer's log, which is the truth that a broker is measured by.
    async fn reread(&mut self, after: i64, max_events: usize) -> Result<Run, SourceError>;
}

/// How far a consumer has come in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The last position that is done; 0 before the first.
    pub position: i64,
    /// The event at that position and when it became true; none before the first, or after the cursor was set by hand.
    pub last: Option<(Id<kind::Event>, DateTime<Utc>)>,
}

/// What a read brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// The events, by ascending position.
    pub events: Vec<Event>,
    /// The highest position in the log, as far as the transport knows.
    pub head: i64,
}

/// Why a transport brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It does not answer.
    #[error("the source of events does not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It brought something that no producer of the suite writes.
    #[error("the source brought a malformed event")]
    Malformed(#[from] Malformed),
}

impl SourceError {
    /// The source does not answer, because of this.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// The source said that it stops: another process of it answers, or this one when it is back.
    pub(crate) fn is_draining(&self) -> bool {
        let Self::Unavailable(cause) = self else { return false };
        let status = cause.downcast_ref::<tonic::Status>();
        status
            .is_some_and(|status| siyu_grpc::fault(status.clone()).reason() == siyu_grpc::DRAINING)
    }
}

impl Cursor {
    /// The cursor that stands on an event.
    pub fn at(event: &Event) -> Self {
        Self { position: event.position, last: Some((event.id, event.occurred_at)) }
    }
}

/// The events of `brought` that continue a log after a position: sorted, each once, up to the first gap.
pub(crate) fn continuing(after: i64, mut brought: Vec<Event>) -> Vec<Event> {
    brought.retain(|event| event.position > after);
    if !brought.is_sorted_by_key(|event| event.position) {
        brought.sort_by_key(|event| event.position);
    }
    brought.dedup_by_key(|event| event.position);
    let unbroken = (after + 1..).zip(&brought).take_while(|(n, e)| *n == e.position).count();
    brought.truncate(unbroken);
    brought
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn event(position: i64) -> Event {
        Event {
            id: Id::from_uuid(Uuid::from_u128(position.unsigned_abs().into())),
            source: "order".into(),
            type_name: "t".into(),
            subject: "s".into(),
            merchant: Id::from_uuid(Uuid::nil()),
            occurred_at: DateTime::UNIX_EPOCH,
            position,
            trace_parent: "".into(),
            data: bytes::Bytes::new(),
        }
    }

    proptest! {
        #[test]
        fn what_continues_is_the_longest_unbroken_run_behind_the_cursor(
            after in 0_i64..20,
            brought in prop::collection::vec(1_i64..40, 0..60),
        ) {
            let kept: Vec<i64> = continuing(after, brought.iter().copied().map(event).collect())
                .iter()
                .map(|e| e.position)
                .collect();
            let expected: Vec<i64> = (after + 1..100).take_while(|n| brought.contains(n)).collect();
            prop_assert_eq!(kept, expected);
        }
    }
}
