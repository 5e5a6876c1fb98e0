//! What the facts of an order say about who bought what. Pure.

use chrono::{DateTime, Utc};
use siyu_events::is_sale;
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, LocalDay, Zone, kind};
use siyu_proto::order::v1::{Domain as ProtoDomain, OrderFacts};

use crate::person::PersonId;

/// The id of an order of the order service.
pub type OrderId = Id<kind::Order>;

/// Who owns the traffic that an order came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// The merchant's own field (私域).
    Private,
    /// A marketplace (公域).
    Public,
    /// The till of a store.
    Pos,
}

/// An order as of one revision, by who bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub person_id: PersonId,
    /// The store.
    pub store_id: Option<Id<kind::Store>>,
    /// The platform.
    pub platform: String,
    /// The channel within the domain; may be empty.
    pub channel: String,
    /// Who owns the traffic.
    pub domain: Domain,
    /// When it was paid.
    pub paid_at: DateTime<Utc>,
    /// The day of the payment in the merchant's zone.
    pub paid_day: LocalDay,
    /// What was paid, in minor units.
    pub paid_minor: i64,
    /// Paid, and neither cancelled nor wholly refunded.
    pub counts: bool,
    /// The revision of the order.
    pub revision: i64,
    /// What was bought; none when the order does not count.
    pub lines: Vec<Line>,
}

/// What was bought: one line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number.
    pub line_no: i32,
    /// The SKU; may be empty.
    pub sku: String,
    /// The top-level category; may be empty.
    pub category: String,
    /// The pieces.
    pub quantity: i64,
    /// What was paid for the line, in minor units.
    pub paid_minor: i64,
}

impl Domain {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Pos => "pos",
        }
    }

    /// Reads a value of the contract; one that is not given is private.
    pub const fn of(domain: ProtoDomain) -> Self {
        match domain {
            ProtoDomain::Unspecified | ProtoDomain::Private => Self::Private,
            ProtoDomain::Public => Self::Public,
            ProtoDomain::Pos => Self::Pos,
        }
    }
}

impl Purchase {
    /// What the facts of an order say, with days cut in a zone.
    pub fn of(facts: &OrderFacts, zone: Zone) -> Result<Self, Fault> {
        let pay_time = facts.pay_time.ok_or_else(|| Fault::field("pay_time", "is required"))?;
        let paid_at = parse::instant("pay_time", pay_time)?;
        let counts = is_sale(facts.state());
        let line = |line: &siyu_proto::order::v1::LineFacts| Line {
            line_no: line.line_no,
            sku: line.sku.clone(),
            category: line.category.clone(),
            quantity: line.quantity,
            paid_minor: line.paid_minor,
        };
        Ok(Self {
            order_id: parse::id("order_id", &facts.order_id)?,
            person_id: parse::id("person_id", &facts.person_id)?,
            store_id: parse::optional_id("store_id", &facts.store_id)?,
            platform: facts.platform.clone(),
            channel: facts.channel.clone(),
            domain: Domain::of(facts.domain()),
            paid_at,
            paid_day: zone.day(paid_at),
            paid_minor: facts.paid_minor,
            counts,
            revision: facts.revision,
            lines: if counts { facts.lines.iter().map(line).collect() } else { Vec::new() },
        })
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;
    use siyu_proto::order::v1::{LineFacts, OrderState};
    use uuid::Uuid;

    use super::*;

    fn facts(state: OrderState) -> OrderFacts {
        OrderFacts {
            order_id: OrderId::from_uuid(Uuid::from_u128(1)).to_string(),
            person_id: PersonId::from_uuid(Uuid::from_u128(2)).to_string(),
            revision: 3,
            state: state.into(),
            // 2024-05-31 16:30 in London's winter is the first of June in Shanghai.
            pay_time: Some(Timestamp { seconds: 1_717_173_000, nanos: 0 }),
            paid_minor: 1_999,
            lines: vec![LineFacts { line_no: 1, category: "cake".into(), ..Default::default() }],
            ..Default::default()
        }
    }

    #[test]
    fn the_day_of_a_purchase_is_cut_in_the_zone_of_the_merchant() {
        let day = |zone| Purchase::of(&facts(OrderState::Paid), zone).unwrap().paid_day.to_string();
        assert_eq!(
            (day(Zone::SHANGHAI), day(Zone::UTC)),
            ("2024-06-01".into(), "2024-05-31".into())
        );
    }

    #[test]
    fn an_order_that_does_not_count_bought_nothing() {
        let of = |state| Purchase::of(&facts(state), Zone::UTC).unwrap();
        for state in
            [OrderState::Paid, OrderState::Shipped, OrderState::Completed, OrderState::Closed]
        {
            assert!(of(state).counts && of(state).lines.len() == 1, "{state:?}");
        }
        for state in [OrderState::Created, OrderState::Cancelled, OrderState::Refunded] {
            assert!(!of(state).counts && of(state).lines.is_empty(), "{state:?}");
        }
    }
}
