//! What an owner is, and the rule that finds one (reference §2.9). Pure.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1 as proto;

use crate::{person::PersonId, shop::StoreId, staff::StaffId};

/// An owner who had nothing to do with the person for so long may lose the person to a guide who serves an order.
const LAPSE: TimeDelta = TimeDelta::days(180);

/// The time during which a person belonged to an employee: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Span {
    /// The person.
    pub person_id: PersonId,
    /// Counts the spans of the person, from 1.
    pub number: i32,
    /// The employee.
    pub staff_id: StaffId,
    /// The store.
    pub store_id: Option<StoreId>,
    /// How it came about.
    pub source: Source,
    /// Since when it held.
    pub since_at: DateTime<Utc>,
    /// Until when, exclusive; none: it holds.
    pub until_at: Option<DateTime<Utc>>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// How an employee came to own a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Source {
    /// By hand.
    Manual,
    /// The employee's channel code was scanned.
    ChannelCode,
    /// It was the guide's turn in the store.
    RoundRobin,
    /// The guide served the last order.
    LastOrder,
    /// The owner before had lapsed.
    Lapsed,
    /// Handed over by a colleague.
    Handover,
    /// Two persons turned out to be one.
    Merge,
    /// A merge was undone.
    Unmerge,
}

/// What stands for a person: the row of `owners`, locked.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    /// The person.
    pub person_id: PersonId,
    /// The number of the latest span.
    pub span: i32,
    /// The owner; none: nobody.
    pub staff_id: Option<StaffId>,
    /// The store of the owner.
    pub store_id: Option<StoreId>,
    /// Since when.
    pub since_at: Option<DateTime<Utc>>,
    /// How it came about.
    pub source: Option<Source>,
}

/// Why a person cannot change hands as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The owner of today became it later.
    #[error("the owner of today became it later")]
    SinceTooEarly,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::SinceTooEarly => {
                Self::new(Code::FailedPrecondition, "OWNER_SINCE_TOO_EARLY", error.to_string())
            }
        }
    }
}

/// The owner of a person as the rule sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The employee.
    pub staff_id: StaffId,
    /// Since when.
    pub since_at: DateTime<Utc>,
    /// The latest interaction of the two.
    pub interacted_at: Option<DateTime<Utc>>,
    /// Whether the employee works here.
    pub presence: Presence,
}

/// Whether an employee works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Works here.
    Here,
    /// Left.
    Left,
}

/// Who might get a person: only employees who work here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Candidates {
    /// The employee of the channel code.
    pub channel: Option<StaffId>,
    /// Somebody serves in the nearest store.
    pub turn: bool,
    /// Who served the last order.
    pub last_order: Option<StaffId>,
    /// Who serves an order now.
    pub serving: Option<StaffId>,
}

/// What the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The owner stays.
    Keep,
    /// The person goes to an employee.
    Give(StaffId, Source),
    /// The person goes to whose turn it is in the store.
    Turn,
    /// Nobody is found.
    Nobody,
}

/// The rule. An owner who left keeps the person as long as nobody is found.
pub fn decide(holder: Option<Holder>, candidates: Candidates, now: DateTime<Utc>) -> Decision {
    if let Some(holder) = holder
        && holder.presence == Presence::Here
    {
        let seen_at = holder.interacted_at.map_or(holder.since_at, |at| at.max(holder.since_at));
        return match candidates.serving {
            Some(guide) if guide != holder.staff_id && now - seen_at >= LAPSE => {
                Decision::Give(guide, Source::Lapsed)
            }
            Some(_) | None => Decision::Keep,
        };
    }
    if let Some(employee) = candidates.channel {
        Decision::Give(employee, Source::ChannelCode)
    } else if candidates.turn {
        Decision::Turn
    } else if let Some(guide) = candidates.serving.or(candidates.last_order) {
        Decision::Give(guide, Source::LastOrder)
    } else {
        Decision::Nobody
    }
}

/// Whose turn it is after `last`, among those who serve, sorted: the next one, whoever came or left meanwhile.
pub fn turn(serving: &[StaffId], last: Option<StaffId>) -> Option<StaffId> {
    let next = serving.iter().find(|id| last.is_none_or(|last| **id > last));
    next.or(serving.first()).copied()
}

/// Whether the owner of the person who disappears in a merge takes the one who stays: who had to do with the person most
/// recently does (reference §2.1). Who had nothing to do with the person counts from when they came to own.
pub fn loser_wins(survivor: Option<DateTime<Utc>>, loser: Option<DateTime<Utc>>) -> bool {
    match (survivor, loser) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(survivor), Some(loser)) => loser > survivor,
    }
}

impl Source {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::ChannelCode => "channel_code",
            Self::RoundRobin => "round_robin",
            Self::LastOrder => "last_order",
            Self::Lapsed => "lapsed",
            Self::Handover => "handover",
            Self::Merge => "merge",
            Self::Unmerge => "unmerge",
        }
    }
}

impl From<Source> for proto::OwnerSource {
    fn from(source: Source) -> Self {
        match source {
            Source::Manual => Self::Manual,
            Source::ChannelCode => Self::ChannelCode,
            Source::RoundRobin => Self::RoundRobin,
            Source::LastOrder => Self::LastOrder,
            Source::Lapsed => Self::Lapsed,
            Source::Handover => Self::Handover,
            Source::Merge => Self::Merge,
            Source::Unmerge => Self::Unmerge,
        }
    }
}

impl From<Span> for proto::OwnerSpan {
    fn from(span: Span) -> Self {
        Self {
            person_id: span.person_id.to_string(),
            staff_id: span.staff_id.to_string(),
            store_id: span.store_id.map(|id| id.to_string()).unwrap_or_default(),
            source: proto::OwnerSource::from(span.source).into(),
            since_time: Some(timestamp(span.since_at)),
            until_time: span.until_at.map(timestamp),
            record_time: Some(timestamp(span.recorded_at)),
        }
    }
}

#[cfg(test)]
mod tests;
