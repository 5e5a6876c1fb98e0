//! An order service that a test plays, and the consumer that follows it.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_events::{Consumer, NewEvent};
use siyu_kernel::kind;
use siyu_proto::order::v1::{OrderFacts, OrderPaid, OrderRevised, OrderState, OrderVoided};
use siyu_testkit::{Sibling, id};

use crate::world::{MerchantId, World};

pub(crate) struct Orders {
    pub(crate) sibling: Sibling,
    pub(crate) consumer: Consumer,
}

/// One revision of an order, in few words.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) n: u32,
    pub(crate) revision: i64,
    pub(crate) person: String,
    pub(crate) paid_minor: i64,
    pub(crate) state: OrderState,
}

impl Orders {
    pub(crate) async fn new(world: &World) -> Self {
        let sibling = Sibling::new("order", &world.clock).await;
        let subscription = world.app.subscriptions().remove(0);
        let consumer = sibling.consumer(world.database.db(), subscription);
        Self { sibling, consumer }
    }

    /// Tells revisions in one transaction and lets the service handle them.
    pub(crate) async fn tell(&self, who: MerchantId, orders: &[Order]) {
        let facts: Vec<NewEvent> = orders.iter().map(|order| self.fact(order)).collect();
        self.sibling.tell_all(who, &facts).await;
        self.sibling.deliver(&self.consumer).await;
    }

    /// Tells the first revision of an order that was paid at another instant.
    pub(crate) async fn tell_at(&self, who: MerchantId, order: Order, at: DateTime<Utc>) {
        let pay_time = Some(Timestamp { seconds: at.timestamp(), nanos: 0 });
        let facts = Some(OrderFacts { pay_time, ..order.facts() });
        let subject = id::<kind::Order>(order.n);
        let fact = self.sibling.fact(&subject, at, &OrderPaid { facts });
        self.sibling.tell_all(who, &[fact]).await;
        self.sibling.deliver(&self.consumer).await;
    }

    /// The fact that a revision makes true: paid first, voided when it no longer counts, revised otherwise.
    fn fact(&self, order: &Order) -> NewEvent {
        let facts = Some(order.facts());
        let subject = id::<kind::Order>(order.n);
        let at = paid_at();
        match order.revision {
            _ if !siyu_events::is_sale(order.state) => {
                self.sibling.fact(&subject, at, &OrderVoided { facts })
            }
            1 => self.sibling.fact(&subject, at, &OrderPaid { facts }),
            _ => self.sibling.fact(&subject, at, &OrderRevised { facts }),
        }
    }
}

pub(crate) fn paid_at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_717_200_000)
}

/// The first revision of an order that is paid.
pub(crate) fn paid(n: u32, person: &str, paid_minor: i64) -> Order {
    Order { n, revision: 1, person: person.into(), paid_minor, state: OrderState::Paid }
}

impl Order {
    /// The next revision with another amount.
    pub(crate) fn now(&self, paid_minor: i64) -> Self {
        Self { revision: self.revision + 1, paid_minor, ..self.clone() }
    }

    /// The next revision: it no longer counts.
    pub(crate) fn voided(&self) -> Self {
        Self { revision: self.revision + 1, state: OrderState::Refunded, ..self.clone() }
    }

    /// The next revision: another buyer.
    pub(crate) fn of(&self, person: &str) -> Self {
        Self { revision: self.revision + 1, person: person.into(), ..self.clone() }
    }

    pub(crate) fn facts(&self) -> OrderFacts {
        OrderFacts {
            order_id: id::<kind::Order>(self.n).to_string(),
            revision: self.revision,
            person_id: self.person.clone(),
            state: self.state.into(),
            pay_time: Some(Timestamp { seconds: paid_at().timestamp(), nanos: 0 }),
            currency_code: "CNY".into(),
            paid_minor: self.paid_minor,
            imported: true,
            ..Default::default()
        }
    }
}
