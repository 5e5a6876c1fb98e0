//! What the engine counts: one paid order of one person.

use chrono::{DateTime, Utc};
use siyu_kernel::LocalDay;

/// The number of a person within its merchant. Numbers are dealt from 0 without holes, so that bitmaps stay small and
/// per-person tables can be indexed directly.
pub type Person = u32;

/// Where an order was placed (reference §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// The merchant's own field (私域): mini-program, WeCom link, store code, private group.
    Private,
    /// A platform (公域): Tmall, JD, a Douyin shop.
    Public,
    /// The till of a store.
    Pos,
}

/// Which orders a cube counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The whole domain (全域): private, public and tills.
    All,
    /// Orders placed in the private domain.
    Private,
}

/// A paid order that is not fully refunded (rule 109).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Who bought.
    pub person: Person,
    /// The merchant's calendar day of `paid_at`, within the years 1 to 9999.
    pub day: LocalDay,
    /// When it was paid.
    pub paid_at: DateTime<Utc>,
    /// What was paid, net of refunds where the caller's view is net, in minor units.
    pub amount_minor: i64,
    /// Pieces bought.
    pub units: i64,
    /// Where it was placed.
    pub domain: Domain,
    /// Whether the store was closed at `paid_at` ([`siyu_kernel::OpeningHours`]).
    pub off_hours: bool,
}

impl Scope {
    /// Both scopes, for those who fold each fact into every cube it belongs to.
    pub const EVERY: [Self; 2] = [Self::All, Self::Private];

    /// Whether orders of `domain` count in this scope.
    #[must_use]
    pub const fn takes(self, domain: Domain) -> bool {
        match (self, domain) {
            (Self::All, _) | (Self::Private, Domain::Private) => true,
            (Self::Private, Domain::Public | Domain::Pos) => false,
        }
    }
}
