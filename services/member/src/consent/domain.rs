//! Which of many decisions counts. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_proto::member::v1 as proto;

use crate::person::PersonId;

/// What data are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Purpose {
    /// The service itself.
    Service,
    /// To advertise.
    Marketing,
    /// To tell persons apart by what they do.
    Profiling,
    /// To give data to somebody else.
    ThirdPartySharing,
    /// To give data abroad.
    CrossBorder,
    /// To keep what is said.
    ConversationArchive,
    /// To know a face.
    Face,
    /// To know where somebody is.
    PreciseLocation,
    /// To publish data.
    Publishing,
}

/// What was decided. Of two decisions at the same instant the greater one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// Allowed.
    Granted,
    /// Not allowed, or not any more.
    Withdrawn,
}

/// A decision: what it is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Decision {
    /// Who decided.
    pub person_id: PersonId,
    /// What for.
    pub purpose: Purpose,
    /// The channel; empty: none for a grant, all for a withdrawal.
    pub channel: String,
    /// What was decided.
    pub status: Status,
    /// Which text the person saw.
    pub text_version: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// A person, a purpose, a channel.
pub type Subject<'a> = (PersonId, Purpose, &'a str);

impl Decision {
    /// What it is about.
    pub fn subject(&self) -> Subject<'_> {
        (self.person_id, self.purpose, &self.channel)
    }

    /// Whether it counts, of two about the same.
    pub fn beats(&self, other: &Self) -> bool {
        (self.decided_at, self.status) > (other.decided_at, other.status)
    }
}

/// The decision that counts for each person, purpose and channel, in that order.
pub fn latest(decisions: Vec<Decision>) -> Vec<Decision> {
    let mut known: BTreeMap<(PersonId, Purpose, String), Decision> = BTreeMap::new();
    for decision in decisions {
        let subject = (decision.person_id, decision.purpose, decision.channel.clone());
        if known.get(&subject).is_none_or(|known| decision.beats(known)) {
            known.insert(subject, decision);
        }
    }
    known.into_values().collect()
}

/// What counts for a channel: what was decided for exactly it, unless everything was withdrawn since; none where nothing was
/// decided. Only what is granted is allowed.
pub fn in_force(exact: Option<&Decision>, all: Option<&Decision>) -> Option<Status> {
    let withdrawn = all.filter(|all| all.status == Status::Withdrawn);
    match (exact, withdrawn) {
        (None, None) => None,
        (None, Some(_)) => Some(Status::Withdrawn),
        (Some(exact), Some(all)) if all.decided_at >= exact.decided_at => Some(Status::Withdrawn),
        (Some(exact), _) => Some(exact.status),
    }
}

/// The instant of a withdrawal: now, and later than anything that it withdraws, whose clock may have been ahead.
pub fn withdrawn_at<'a>(
    now: DateTime<Utc>,
    known: impl Iterator<Item = &'a Decision>,
) -> DateTime<Utc> {
    let newest = known.map(|decision| decision.decided_at).max();
    newest.map_or(now, |newest| now.max(newest + TimeDelta::microseconds(1)))
}

impl Purpose {
    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        Some(match proto::ConsentPurpose::try_from(value).ok()? {
            proto::ConsentPurpose::Unspecified => return None,
            proto::ConsentPurpose::Service => Self::Service,
            proto::ConsentPurpose::Marketing => Self::Marketing,
            proto::ConsentPurpose::Profiling => Self::Profiling,
            proto::ConsentPurpose::ThirdPartySharing => Self::ThirdPartySharing,
            proto::ConsentPurpose::CrossBorder => Self::CrossBorder,
            proto::ConsentPurpose::ConversationArchive => Self::ConversationArchive,
            proto::ConsentPurpose::Face => Self::Face,
            proto::ConsentPurpose::PreciseLocation => Self::PreciseLocation,
            proto::ConsentPurpose::Publishing => Self::Publishing,
        })
    }

    /// The purpose of a word in columns.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [
            Self::Service,
            Self::Marketing,
            Self::Profiling,
            Self::ThirdPartySharing,
            Self::CrossBorder,
            Self::ConversationArchive,
            Self::Face,
            Self::PreciseLocation,
            Self::Publishing,
        ];
        all.into_iter().find(|purpose| purpose.as_str() == word)
    }

    /// Whether the law asks for a consent of its own (PIPL art. 23, 25, 29, 39).
    pub const fn is_separate(self) -> bool {
        match self {
            Self::ThirdPartySharing
            | Self::CrossBorder
            | Self::Face
            | Self::PreciseLocation
            | Self::Publishing => true,
            Self::Service | Self::Marketing | Self::Profiling | Self::ConversationArchive => false,
        }
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Marketing => "marketing",
            Self::Profiling => "profiling",
            Self::ThirdPartySharing => "third_party_sharing",
            Self::CrossBorder => "cross_border",
            Self::ConversationArchive => "conversation_archive",
            Self::Face => "face",
            Self::PreciseLocation => "precise_location",
            Self::Publishing => "publishing",
        }
    }
}

impl From<Purpose> for proto::ConsentPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Service => Self::Service,
            Purpose::Marketing => Self::Marketing,
            Purpose::Profiling => Self::Profiling,
            Purpose::ThirdPartySharing => Self::ThirdPartySharing,
            Purpose::CrossBorder => Self::CrossBorder,
            Purpose::ConversationArchive => Self::ConversationArchive,
            Purpose::Face => Self::Face,
            Purpose::PreciseLocation => Self::PreciseLocation,
            Purpose::Publishing => Self::Publishing,
        }
    }
}

impl Status {
    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        match proto::ConsentStatus::try_from(value).ok()? {
            proto::ConsentStatus::Unspecified => None,
            proto::ConsentStatus::Granted => Some(Self::Granted),
            proto::ConsentStatus::Withdrawn => Some(Self::Withdrawn),
        }
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl From<Status> for proto::ConsentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Granted => Self::Granted,
            Status::Withdrawn => Self::Withdrawn,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use siyu_testkit::id;

    use super::*;

    fn decision(channel: &str, status: Status, seconds: i64) -> Decision {
        Decision {
            person_id: id(1),
            purpose: Purpose::Marketing,
            channel: channel.into(),
            status,
            text_version: "v1".into(),
            decided_at: DateTime::from_timestamp(seconds, 0).unwrap(),
        }
    }

    #[test]
    fn only_an_exact_grant_that_nothing_withdrew_since_allows() {
        use Status::{Granted, Withdrawn};
        let allowed = |exact: Option<(Status, i64)>, all: Option<(Status, i64)>| {
            let of = |channel, decided: Option<(Status, i64)>| {
                decided.map(|(status, at)| decision(channel, status, at))
            };
            in_force(of("sms", exact).as_ref(), of("", all).as_ref()) == Some(Granted)
        };
        assert!(!allowed(None, None), "the default is no");
        assert!(!allowed(None, Some((Granted, 1))), "a grant for no channel is none for all");
        assert!(allowed(Some((Granted, 1)), None));
        assert!(!allowed(Some((Withdrawn, 1)), None));
        assert!(!allowed(Some((Granted, 1)), Some((Withdrawn, 1))), "the withdrawal counts");
        assert!(!allowed(Some((Granted, 1)), Some((Withdrawn, 2))));
        assert!(allowed(Some((Granted, 3)), Some((Withdrawn, 2))), "granted anew since");
    }

    #[test]
    fn a_withdrawal_is_later_than_what_it_withdraws() {
        let now = DateTime::from_timestamp(10, 0).unwrap();
        assert_eq!(withdrawn_at(now, [].iter()), now);
        let ahead = [decision("sms", Status::Granted, 11)];
        assert!(withdrawn_at(now, ahead.iter()) > ahead[0].decided_at);
    }

    proptest! {
        #[test]
        fn what_counts_does_not_depend_on_the_order_of_decisions(
            mut decisions in prop::collection::vec(("[ab]?", any::<bool>(), 0_i64..5), 0..12),
            seed in any::<u64>(),
        ) {
            let of = |(channel, granted, at): &(String, bool, i64)| {
                decision(channel, if *granted { Status::Granted } else { Status::Withdrawn }, *at)
            };
            let one = latest(decisions.iter().map(of).collect());
            let shift = usize::try_from(seed % 12).unwrap().min(decisions.len());
            decisions.rotate_left(shift);
            decisions.reverse();
            prop_assert_eq!(one, latest(decisions.iter().map(of).collect()));
        }
    }
}
