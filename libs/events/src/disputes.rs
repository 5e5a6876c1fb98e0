//! What the events of disputes say: whoever gives something for an order gives nothing for good while a buyer objects (rule
//! 30).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, kind};
use siyu_proto::order::v1::{self as proto, DisputeClosed, DisputeOpened};

use crate::{Event, HandlerError, Subscription};

/// An objection of a buyer to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The dispute.
    pub id: Id<kind::Dispute>,
    /// The order.
    pub order_id: Id<kind::Order>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When somebody decided; none while it is open.
    pub closed_at: Option<DateTime<Utc>>,
}

impl Subscription {
    /// Takes every event that tells how a dispute is.
    #[must_use]
    pub fn on_disputes(self) -> Self {
        self.on::<DisputeOpened>().on::<DisputeClosed>()
    }
}

impl Dispute {
    fn of(told: &proto::Dispute) -> Result<Self, Fault> {
        let opened = told.open_time.ok_or_else(|| Fault::field("open_time", "is required"))?;
        Ok(Self {
            id: parse::id("id", &told.id)?,
            order_id: parse::id("order_id", &told.order_id)?,
            opened_at: parse::instant("open_time", opened)?,
            closed_at: parse::optional_instant("close_time", told.close_time)?,
        })
    }
}

/// The disputes among the events, each as it is last, by order. One that is closed is never open again.
pub fn latest_disputes(events: &[&Event]) -> Result<Vec<Dispute>, HandlerError> {
    let mut latest = BTreeMap::new();
    for event in events {
        let told = match event.decode::<DisputeOpened>()? {
            Some(opened) => opened.dispute,
            None => event.decode::<DisputeClosed>()?.and_then(|closed| closed.dispute),
        };
        let Some(told) = told else { continue };
        let dispute = Dispute::of(&told).map_err(HandlerError::park)?;
        let known = latest.entry((dispute.order_id, dispute.id)).or_insert_with(|| dispute.clone());
        known.closed_at = known.closed_at.or(dispute.closed_at);
    }
    Ok(latest.into_values().collect())
}

#[cfg(test)]
mod tests {
    use prost::{Message, Name};
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;

    fn event<M: Message + Name>(fact: &M) -> Event {
        Event {
            id: Id::from_uuid(Uuid::nil()),
            source: "order".into(),
            type_name: M::full_name().into(),
            subject: "ord_1".into(),
            merchant: Id::from_uuid(Uuid::nil()),
            occurred_at: DateTime::UNIX_EPOCH,
            position: 1,
            trace_parent: "".into(),
            data: fact.encode_to_vec().into(),
        }
    }

    fn told(n: u128, close_time: Option<i64>) -> proto::Dispute {
        let at = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
        proto::Dispute {
            id: Id::<kind::Dispute>::from_uuid(Uuid::from_u128(n)).to_string(),
            order_id: Id::<kind::Order>::from_uuid(Uuid::from_u128(1)).to_string(),
            open_time: Some(at(10)),
            close_time: close_time.map(at),
            ..Default::default()
        }
    }

    #[test]
    fn a_dispute_that_is_closed_stays_closed_whatever_order_events_are_in() {
        let events = [
            event(&DisputeClosed { dispute: Some(told(2, Some(20))) }),
            event(&DisputeOpened { dispute: Some(told(1, None)) }),
            event(&DisputeOpened { dispute: Some(told(2, None)) }),
        ];
        let latest = latest_disputes(&events.iter().collect::<Vec<_>>()).unwrap();
        let closed: Vec<Option<i64>> =
            latest.iter().map(|dispute| dispute.closed_at.map(|at| at.timestamp())).collect();
        assert_eq!(closed, [None, Some(20)]);
    }
}
