//! Facts of orders: the rows from which every aggregate is computed, and the dense number of each person.

pub mod events;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_events::is_sale;
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, Zone, kind};
use siyu_proto::order::v1::{self as proto, OrderFacts};

use crate::engine::{Domain, MAX_AMOUNT_MINOR, MAX_UNITS, Person};

/// The id of an order of the order service.
pub type OrderId = Id<kind::Order>;
/// The id of a person of the member service.
pub type PersonId = Id<kind::Person>;

/// What an order says, before its buyer has a number.
#[derive(Debug, Clone)]
pub struct Told {
    /// The order.
    pub order_id: OrderId,
    /// Its revision.
    pub revision: i64,
    /// It is a sale.
    pub counts: bool,
    /// The buyer.
    pub person_id: PersonId,
    /// When it was paid.
    pub paid_at: DateTime<Utc>,
    /// What the buyer paid, in minor units.
    pub amount_minor: i64,
    /// Pieces.
    pub units: i64,
    /// Who owns the traffic.
    pub domain: Domain,
    /// The store.
    pub store_id: Option<Id<kind::Store>>,
    /// The distinct categories of its lines, sorted.
    pub categories: Vec<String>,
}

impl Told {
    /// Reads the facts of an order; an order that the engine cannot count is refused as a whole.
    pub fn of(facts: &OrderFacts) -> Result<Self, Fault> {
        let pay_time = facts.pay_time.ok_or_else(|| Fault::field("pay_time", "is required"))?;
        if !(0..=MAX_AMOUNT_MINOR).contains(&facts.paid_minor) {
            return Err(Fault::field("paid_minor", "is out of bounds"));
        }
        if !(0..=MAX_UNITS).contains(&facts.quantity) {
            return Err(Fault::field("quantity", "is out of bounds"));
        }
        let mut categories: Vec<String> = facts
            .lines
            .iter()
            .map(|line| line.category.clone())
            .filter(|category| !category.is_empty())
            .collect();
        categories.sort_unstable();
        categories.dedup();
        Ok(Self {
            order_id: parse::id("order_id", &facts.order_id)?,
            revision: facts.revision,
            counts: is_sale(facts.state()),
            person_id: parse::id("person_id", &facts.person_id)?,
            paid_at: parse::instant("pay_time", pay_time)?,
            amount_minor: facts.paid_minor,
            units: facts.quantity,
            domain: domain(facts.domain()),
            store_id: parse::optional_id("store_id", &facts.store_id)?,
            categories,
        })
    }

    /// The merchant's calendar day of payment.
    pub fn day(&self, zone: Zone) -> i32 {
        zone.day(self.paid_at).0
    }
}

/// The number of a person as a column.
pub fn column(person: Person) -> i32 {
    i32::try_from(person).expect("numbers are dealt from an integer column")
}

/// The number of a person from a column.
pub fn number(column: i32) -> Person {
    Person::try_from(column).expect("numbers are dealt from 0")
}

/// The word of a domain in columns.
pub const fn domain_word(domain: Domain) -> &'static str {
    match domain {
        Domain::Private => "private",
        Domain::Public => "public",
        Domain::Pos => "pos",
    }
}

/// The domain of a word in columns.
pub fn domain_of(word: &str) -> Domain {
    match word {
        "public" => Domain::Public,
        "pos" => Domain::Pos,
        _ => Domain::Private,
    }
}

const fn domain(domain: proto::Domain) -> Domain {
    match domain {
        proto::Domain::Unspecified | proto::Domain::Private => Domain::Private,
        proto::Domain::Public => Domain::Public,
        proto::Domain::Pos => Domain::Pos,
    }
}
