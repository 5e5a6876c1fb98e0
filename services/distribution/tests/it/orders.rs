//! An order service that a test plays, and the consumer that follows it.

use siyu_events::{Consumer, NewEvent};
use siyu_kernel::kind;
use siyu_proto::order::v1::{
    Domain, LineFacts, OrderFacts, OrderPaid, OrderRevised, OrderState, OrderVoided,
};
use siyu_testkit::{Sibling, id, merchant};

use crate::world::{World, hour, person, start};

pub(crate) struct Orders {
    pub(crate) sibling: Sibling,
    pub(crate) consumer: Consumer,
}

impl Orders {
    pub(crate) async fn new(world: &World) -> Self {
        let sibling = Sibling::new("order", &world.clock).await;
        let subscription = world.app.subscriptions().remove(0);
        let consumer = sibling.consumer(world.database.db(), subscription);
        Self { sibling, consumer }
    }

    /// Tells revisions to merchant 1's service in one transaction and lets it handle them.
    pub(crate) async fn tell(&self, orders: &[OrderFacts]) {
        let facts: Vec<NewEvent> = orders.iter().map(|order| self.fact(order)).collect();
        self.sibling.tell_all(merchant(1), &facts).await;
        self.sibling.deliver(&self.consumer).await;
        assert_eq!(self.consumer.count_parked().await.unwrap(), 0);
    }

    fn fact(&self, order: &OrderFacts) -> NewEvent {
        let (facts, subject) = (Some(order.clone()), &order.order_id);
        if order.state() == OrderState::Refunded {
            self.sibling.fact(subject, start(), &OrderVoided { facts })
        } else if order.revision == 1 {
            self.sibling.fact(subject, start(), &OrderPaid { facts })
        } else {
            self.sibling.fact(subject, start(), &OrderRevised { facts })
        }
    }
}

pub(crate) fn order_id(n: u32) -> String {
    id::<kind::Order>(n).to_string()
}

/// A private order of the n-th buyer with lines of these amounts, paid so many hours after the start.
pub(crate) fn paid(n: u32, buyer: u32, hours: i64, amounts: &[i64]) -> OrderFacts {
    let line = |(line_no, &paid_minor): (i32, &i64)| LineFacts {
        line_no,
        quantity: 1,
        paid_minor,
        ..Default::default()
    };
    OrderFacts {
        order_id: order_id(n),
        revision: 1,
        person_id: person(buyer),
        state: OrderState::Paid.into(),
        domain: Domain::Private.into(),
        pay_time: Some(hour(hours)),
        currency_code: "CNY".into(),
        paid_minor: amounts.iter().sum(),
        lines: (1..).zip(amounts).map(line).collect(),
        imported: true,
        ..Default::default()
    }
}

/// The next revision with other amounts.
pub(crate) fn now(before: &OrderFacts, amounts: &[i64]) -> OrderFacts {
    let lines = paid(0, 0, 0, amounts).lines;
    let (revision, paid_minor) = (before.revision + 1, amounts.iter().sum());
    OrderFacts { revision, paid_minor, lines, ..before.clone() }
}

/// The next revision: it no longer counts.
pub(crate) fn voided(before: &OrderFacts) -> OrderFacts {
    let (revision, state) = (before.revision + 1, OrderState::Refunded.into());
    OrderFacts { revision, state, ..before.clone() }
}
