//! What the events of orders say. Three services follow orders, and all of them want the same: each order as it is now.

use std::collections::BTreeMap;

use siyu_proto::order::v1::{OrderFacts, OrderPaid, OrderRevised, OrderState, OrderVoided};

use crate::{Event, HandlerError, Subscription};

impl Subscription {
    /// Takes every event that tells how an order is.
    #[must_use]
    pub fn on_orders(self) -> Self {
        self.on::<OrderPaid>().on::<OrderRevised>().on::<OrderVoided>()
    }
}

/// The facts of each order among the events, as of its latest revision, by order id.
pub fn latest_order_facts(events: &[&Event]) -> Result<Vec<OrderFacts>, HandlerError> {
    let mut latest: BTreeMap<String, OrderFacts> = BTreeMap::new();
    for event in events {
        let Some(facts) = facts(event)? else { continue };
        if latest.get(&facts.order_id).is_none_or(|known| known.revision < facts.revision) {
            latest.insert(facts.order_id.clone(), facts);
        }
    }
    Ok(latest.into_values().collect())
}

/// Whether an order in this state is a sale: paid, and not wholly given back (rule 109). A group-buy that is not full yet is
/// none.
#[must_use]
pub const fn is_sale(state: OrderState) -> bool {
    match state {
        OrderState::Paid
        | OrderState::Accepted
        | OrderState::ReadyForPickup
        | OrderState::PickedUp
        | OrderState::Delivering
        | OrderState::Delivered
        | OrderState::Shipped
        | OrderState::Signed
        | OrderState::Completed
        | OrderState::Closed => true,
        OrderState::Unspecified
        | OrderState::Created
        | OrderState::GroupPending
        | OrderState::Cancelled
        | OrderState::Refunded => false,
    }
}

fn facts(event: &Event) -> Result<Option<OrderFacts>, HandlerError> {
    if let Some(fact) = event.decode::<OrderPaid>()? {
        return Ok(fact.facts);
    }
    if let Some(fact) = event.decode::<OrderRevised>()? {
        return Ok(fact.facts);
    }
    Ok(event.decode::<OrderVoided>()?.and_then(|fact| fact.facts))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
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

    fn facts(order: &str, revision: i64) -> OrderFacts {
        OrderFacts { order_id: order.into(), revision, ..Default::default() }
    }

    #[test]
    fn the_latest_revision_of_each_order_stands_whatever_order_events_are_in() {
        let events = [
            event(&OrderVoided { facts: Some(facts("a", 3)) }),
            event(&OrderPaid { facts: Some(facts("b", 1)) }),
            event(&OrderPaid { facts: Some(facts("a", 1)) }),
            event(&OrderRevised { facts: Some(facts("a", 2)) }),
        ];
        let latest = latest_order_facts(&events.iter().collect::<Vec<_>>()).unwrap();
        let told: Vec<(&str, i64)> =
            latest.iter().map(|f| (f.order_id.as_str(), f.revision)).collect();
        assert_eq!(told, [("a", 3), ("b", 1)]);
    }
}
