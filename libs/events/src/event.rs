//! What a fact looks like: before it is appended, and when it is read.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use prost::{Message, Name};
use siyu_kernel::{
    Id,
    kind::{self, Merchant},
};
use siyu_proto::event::v1 as proto;
use uuid::Uuid;

use crate::HandlerError;

/// A protobuf message that tells a fact; its full name is the event's type. Every message of the contracts can be one.
pub trait Fact: Message + Name + Default {}

impl<M: Message + Name + Default> Fact for M {}

/// A fact that is about to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The id, new for each fact.
    pub id: Id<kind::Event>,
    /// The full name of the message in `data`.
    pub type_name: String,
    /// The aggregate that the fact is about, as a prefixed id. The transaction must hold that aggregate's row lock before
    /// it appends: then the log keeps the order of its changes.
    pub subject: String,
    /// When the fact became true.
    pub occurred_at: DateTime<Utc>,
    /// The encoded message, at most [`crate::limits::MAX_DATA_BYTES`].
    pub data: Bytes,
}

/// A fact as a consumer gets it. Clones share its texts and its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id; the same over every delivery.
    pub id: Id<kind::Event>,
    /// The service that tells it.
    pub source: Arc<str>,
    /// The full name of the message in `data`.
    pub type_name: Arc<str>,
    /// The aggregate that it is about.
    pub subject: Arc<str>,
    /// The merchant that it belongs to.
    pub merchant: Id<Merchant>,
    /// When it became true.
    pub occurred_at: DateTime<Utc>,
    /// Its place in the source's log: from 1, without gaps.
    pub position: i64,
    /// The W3C trace context of the request that caused it; empty if there was none.
    pub trace_parent: Arc<str>,
    /// The encoded message.
    pub data: Bytes,
}

/// An envelope that no producer of the suite writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event at position {position} is malformed: {what}")]
pub struct Malformed {
    position: i64,
    what: &'static str,
}

impl NewEvent {
    /// A fact about `subject`.
    pub fn of<F: Fact>(
        id: Uuid,
        subject: &impl fmt::Display,
        occurred_at: DateTime<Utc>,
        fact: &F,
    ) -> Self {
        Self {
            id: Id::from_uuid(id),
            type_name: F::full_name(),
            subject: subject.to_string(),
            occurred_at,
            data: fact.encode_to_vec().into(),
        }
    }
}

impl Event {
    /// Whether it tells an `F`.
    pub fn is<F: Fact>(&self) -> bool {
        let name = self.type_name.strip_prefix(F::PACKAGE).and_then(|rest| rest.strip_prefix('.'));
        name == Some(F::NAME)
    }

    /// The fact, if it is an `F`. One that cannot be decoded is parked: a repeat would fail again.
    pub fn decode<F: Fact>(&self) -> Result<Option<F>, HandlerError> {
        if !self.is::<F>() {
            return Ok(None);
        }
        F::decode(self.data.clone()).map(Some).map_err(HandlerError::park)
    }

    /// Reads the envelope of the contract.
    pub fn parse(event: proto::Event) -> Result<Self, Malformed> {
        let position = event.position;
        let bad = |what| move || Malformed { position, what };
        if position < 1 {
            return Err(bad("position must be at least 1")());
        }
        let time = event.occurred_time.ok_or_else(bad("occurred_time is missing"))?;
        Ok(Self {
            id: Id::from_uuid(event.id.parse().map_err(|_| bad("id must be a UUID")())?),
            source: event.source.into(),
            type_name: event.r#type.into(),
            subject: event.subject.into(),
            merchant: event.merchant_id.parse().map_err(|_| bad("merchant_id is no id")())?,
            occurred_at: u32::try_from(time.nanos)
                .ok()
                .and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos))
                .ok_or_else(bad("occurred_time is out of range"))?,
            position,
            trace_parent: event.trace_parent.into(),
            data: event.data,
        })
    }

    /// Reads a run of envelopes.
    pub fn parse_all(events: Vec<proto::Event>) -> Result<Vec<Self>, Malformed> {
        events.into_iter().map(Self::parse).collect()
    }

    /// The envelope of the contract.
    pub fn to_proto(&self) -> proto::Event {
        proto::Event {
            id: self.id.uuid().to_string(),
            source: self.source.to_string(),
            r#type: self.type_name.to_string(),
            subject: self.subject.to_string(),
            merchant_id: self.merchant.to_string(),
            occurred_time: Some(timestamp(self.occurred_at)),
            position: self.position,
            trace_parent: self.trace_parent.to_string(),
            data: self.data.clone(),
        }
    }
}

fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).expect("below two thousand million");
    prost_types::Timestamp { seconds: time.timestamp(), nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            id: Id::from_uuid(Uuid::from_u128(7)),
            source: "order".into(),
            type_name: "siyu.event.v1.EventBatch".into(),
            subject: "ord_1".into(),
            merchant: Id::from_uuid(Uuid::from_u128(8)),
            occurred_at: DateTime::from_timestamp(-5, 250_000_000).unwrap(),
            position: 3,
            trace_parent: "00-1-2-01".into(),
            data: proto::EventBatch::default().encode_to_vec().into(),
        }
    }

    #[test]
    fn an_envelope_reads_back_as_the_event_it_was_made_from() {
        assert_eq!(Event::parse(event().to_proto()), Ok(event()));
    }

    #[test]
    fn an_envelope_with_a_bad_attribute_is_refused() {
        let broken: [fn(&mut proto::Event); 5] = [
            |e| e.id = "evt".to_owned(),
            |e| e.merchant_id = "ord_1".to_owned(),
            |e| e.position = 0,
            |e| e.occurred_time = None,
            |e| e.occurred_time.as_mut().unwrap().nanos = -1,
        ];
        for (case, breaks) in broken.iter().enumerate() {
            let mut envelope = event().to_proto();
            breaks(&mut envelope);
            assert!(Event::parse(envelope).is_err(), "case {case}");
        }
    }

    #[test]
    fn a_fact_is_decoded_by_its_full_name_only() {
        let mut event = event();
        assert_eq!(
            event.decode::<proto::EventBatch>().unwrap(),
            Some(proto::EventBatch::default())
        );
        assert_eq!(event.decode::<proto::Event>().unwrap(), None);
        event.type_name = "other.siyu.event.v1.EventBatch".into();
        assert!(!event.is::<proto::EventBatch>());
        event.type_name = "siyu.event.v1.EventBatch".into();
        event.data = Bytes::from_static(&[0xff]);
        let error = event.decode::<proto::EventBatch>().unwrap_err();
        assert!(matches!(error, HandlerError::Park(_)), "{error:?}");
    }
}
