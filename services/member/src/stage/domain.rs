//! Which stages facts lead to, and how awake somebody is. Pure.

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_proto::member::v1 as proto;

use crate::person::PersonId;

/// How far a person came beyond consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[repr(i16)]
pub enum Stage {
    /// Connected to an account.
    Connected = 2,
    /// Registered.
    Member = 3,
    /// Bought on a second day.
    Repeat = 4,
    /// Brought a new buyer.
    Advocate = 5,
    /// May promote and sold something.
    Partner = 6,
}

/// What is known of a person: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Facts {
    /// The person.
    pub person_id: PersonId,
    /// When the first connection began.
    pub connected_at: Option<DateTime<Utc>>,
    /// When the first key of a member was seen.
    pub registered_at: Option<DateTime<Utc>>,
    /// When the first order of the second day was paid.
    pub repeated_at: Option<DateTime<Utc>>,
    /// When the first new buyer who was brought paid; told beside the row.
    #[sqlx(default)]
    pub referred_at: Option<DateTime<Utc>>,
    /// When, as a promoter, the person had sold something.
    pub sold_at: Option<DateTime<Utc>>,
}

/// When a stage was entered: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// The person.
    pub person_id: PersonId,
    /// The stage.
    pub stage: Stage,
    /// When.
    pub entered_at: DateTime<Utc>,
    /// Only a later stage says so.
    pub implied: bool,
}

/// The stages that facts lead to. A stage that no fact of its own leads to is implied by the next one that one does, with
/// its time; and one whose own fact is later than that is entered with it, too.
pub fn entries(facts: &Facts) -> Vec<Entry> {
    let own = [
        (Stage::Connected, facts.connected_at),
        (Stage::Member, facts.registered_at),
        (Stage::Repeat, facts.repeated_at),
        (Stage::Advocate, facts.referred_at),
        (Stage::Partner, facts.sold_at),
    ];
    let mut entries = Vec::new();
    let mut later: Option<DateTime<Utc>> = None;
    for (stage, at) in own.into_iter().rev() {
        let (entered_at, implied) = match (at, later) {
            (None, None) => continue,
            (Some(at), None) => (at, false),
            (Some(at), Some(later)) if at <= later => (at, false),
            (_, Some(later)) => (later, true),
        };
        later = Some(entered_at);
        entries.push(Entry { person_id: facts.person_id, stage, entered_at, implied });
    }
    entries.reverse();
    entries
}

/// How long ago somebody last bought, or was first seen (reference §2.8).
pub fn activity(since: DateTime<Utc>, reach: Reach, now: DateTime<Utc>) -> proto::Activity {
    let days = (now - since).num_days();
    match reach {
        Reach::Gone => proto::Activity::Lost,
        Reach::Some if days > 730 => proto::Activity::Lost,
        Reach::Some if days > 365 => proto::Activity::Dormant,
        Reach::Some if days > 180 => proto::Activity::Drowsy,
        Reach::Some if days > 90 => proto::Activity::Quiet,
        Reach::Some => proto::Activity::Active,
    }
}

/// Whether somebody can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A connection holds, or there never was one.
    Some,
    /// Every connection ended.
    Gone,
}

/// How awake a person is: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Traces {
    /// When the person last bought; never: when first seen.
    pub since_at: DateTime<Utc>,
    /// There are connections, and every one ended.
    pub is_gone: bool,
}

impl Traces {
    /// How awake that is.
    pub fn activity(self, now: DateTime<Utc>) -> proto::Activity {
        let reach = if self.is_gone { Reach::Gone } else { Reach::Some };
        activity(self.since_at, reach, now)
    }
}

impl Stage {
    /// The number of the contract and of the column.
    pub const fn rank(self) -> u8 {
        self as u8
    }
}

impl From<Entry> for proto::StageEntry {
    fn from(entry: Entry) -> Self {
        Self {
            stage: i32::from(entry.stage.rank()),
            enter_time: Some(timestamp(entry.entered_at)),
            implied: entry.implied,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    fn facts(days: [Option<i64>; 5]) -> Facts {
        let [connected_at, registered_at, repeated_at, referred_at, sold_at] =
            days.map(|at| at.map(day));
        Facts {
            person_id: Id::from_uuid(Uuid::nil()),
            connected_at,
            registered_at,
            repeated_at,
            referred_at,
            sold_at,
        }
    }

    fn shown(days: [Option<i64>; 5]) -> Vec<(u8, i64, bool)> {
        let show = |entry: &Entry| {
            (entry.stage.rank(), (entry.entered_at - day(0)).num_days(), entry.implied)
        };
        entries(&facts(days)).iter().map(show).collect()
    }

    #[test]
    fn a_later_stage_implies_the_earlier_ones_at_its_time() {
        assert_eq!(shown([None; 5]), []);
        assert_eq!(shown([Some(1), Some(2), None, None, None]), [(2, 1, false), (3, 2, false)]);
        let repeated = [(2, 5, true), (3, 5, true), (4, 5, false)];
        assert_eq!(shown([None, None, Some(5), None, None]), repeated);
        // A connection that came after the second purchase: the stage is older than its own fact.
        let late = [(2, 3, true), (3, 3, false), (4, 5, false)];
        assert_eq!(shown([Some(9), Some(3), Some(5), None, None]), late);
        let partner = shown([Some(1), None, None, None, Some(8)]);
        assert_eq!(
            partner,
            [(2, 1, false), (3, 8, true), (4, 8, true), (5, 8, true), (6, 8, false)]
        );
    }

    #[test]
    fn activity_is_counted_in_whole_days() {
        use proto::Activity::{Active, Dormant, Drowsy, Lost, Quiet};
        let cases = [
            (0, Active),
            (90, Active),
            (91, Quiet),
            (180, Quiet),
            (181, Drowsy),
            (365, Drowsy),
            (366, Dormant),
            (730, Dormant),
            (731, Lost),
        ];
        for (days, expected) in cases {
            assert_eq!(activity(day(0), Reach::Some, day(days)), expected, "{days}");
        }
        assert_eq!(activity(day(0), Reach::Gone, day(1)), Lost);
    }
}
