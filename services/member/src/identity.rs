//! Merges of persons as an operator sees them (身份合并): which happened, which wait for a decision, which are to be undone.
//! Persons and their keys stand in the room `person`.

pub mod rpc;
pub mod store;
pub(crate) mod unite;

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1 as proto;

use crate::person::{self, MergeId, PersonId, domain::Identity, merge::Cause};

/// The id of a review.
pub type ReviewId = Id<kind::MergeReview>;

/// For how long a merge can be undone (reference §2.1, item 6).
const UNDO_DAYS: i64 = 30;

/// A merge: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Merge {
    /// The id.
    pub id: MergeId,
    /// Who stayed.
    pub survivor_id: PersonId,
    /// Who became an alias.
    pub loser_id: PersonId,
    /// Why.
    pub reason: Reason,
    /// What the operator said.
    pub note: String,
    /// The keys, as they may be shown.
    pub keys: Vec<u8>,
    /// When.
    pub merged_at: DateTime<Utc>,
    /// When it was undone.
    pub unmerged_at: Option<DateTime<Utc>>,
}

/// Why persons were merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Reason {
    /// Keys came together.
    Keys,
    /// Decided after a conflict.
    Review,
    /// An operator asked for it.
    Manual,
}

/// A conflict: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Review {
    /// The id.
    pub id: ReviewId,
    /// The persons, in the order of their ids.
    pub person_ids: Vec<PersonId>,
    /// The keys, as they may be shown.
    pub keys: Vec<u8>,
    /// What became of it.
    pub state: ReviewState,
    /// What who decided said.
    pub note: String,
    /// When it came up.
    pub created_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: Option<DateTime<Utc>>,
}

/// What became of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ReviewState {
    /// It waits.
    Open,
    /// The persons were merged.
    Merged,
    /// They are not the same.
    KeptApart,
}

/// Why a merge or a decision is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// All ids lead to one person.
    #[error("the persons are one already")]
    AlreadyOne,
    /// The merge was undone.
    #[error("the merge was undone already")]
    Undone,
    /// The merge is older than 30 days.
    #[error("the merge is older than {UNDO_DAYS} days")]
    TooOld,
    /// The review had another decision.
    #[error("the review had another decision")]
    Decided,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let reason = match error {
            Error::AlreadyOne => "PERSONS_ALREADY_ONE",
            Error::Undone => "MERGE_UNDONE",
            Error::TooOld => "MERGE_TOO_OLD",
            Error::Decided => "REVIEW_DECIDED",
        };
        Self::new(Code::FailedPrecondition, reason, error.to_string())
    }
}

impl Merge {
    /// A merge that happens now.
    pub fn new(merge: &person::Merge, cause: &Cause<'_>) -> Self {
        let reason = match cause.reason {
            proto::MergeReason::Manual => Reason::Manual,
            proto::MergeReason::Review => Reason::Review,
            proto::MergeReason::Keys | proto::MergeReason::Unspecified => Reason::Keys,
        };
        Self {
            id: merge.id,
            survivor_id: merge.survivor,
            loser_id: merge.loser,
            reason,
            note: cause.note.to_owned(),
            keys: shown(cause.keys),
            merged_at: merge.at,
            unmerged_at: None,
        }
    }

    /// The merge as others are told of it: what an operator said and the values of keys are personal, and the log of facts
    /// forgets nothing.
    pub fn told(&self) -> Result<proto::Merge, Fault> {
        let mut merge: proto::Merge = self.clone().try_into()?;
        merge.note.clear();
        merge.identities.iter_mut().for_each(|key| key.value.clear());
        Ok(merge)
    }

    /// Whether it can be undone at that instant.
    pub fn check_undo(&self, now: DateTime<Utc>) -> Result<(), Error> {
        match () {
            () if self.unmerged_at.is_some() => Err(Error::Undone),
            () if now >= self.merged_at + TimeDelta::days(UNDO_DAYS) => Err(Error::TooOld),
            () => Ok(()),
        }
    }
}

impl Reason {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Review => "review",
            Self::Manual => "manual",
        }
    }
}

impl ReviewState {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::KeptApart => "kept_apart",
        }
    }

    /// Reads a filter of the contract; none for all.
    pub fn read(value: i32) -> Result<Option<Self>, Fault> {
        use proto::MergeReviewState as S;
        Ok(match S::try_from(value) {
            Ok(S::Unspecified) => None,
            Ok(S::Open) => Some(Self::Open),
            Ok(S::Merged) => Some(Self::Merged),
            Ok(S::KeptApart) => Some(Self::KeptApart),
            Err(_) => return Err(Fault::field("state", "is not a known value")),
        })
    }
}

/// Keys as they may be shown, for a column that is only ever shown.
pub fn shown(keys: &[Identity]) -> Vec<u8> {
    proto::IdentitySet { identities: keys.iter().map(|key| key.masked(None)).collect() }
        .encode_to_vec()
}

fn read(keys: &[u8]) -> Result<Vec<proto::Identity>, Fault> {
    Ok(proto::IdentitySet::decode(keys).map_err(Fault::internal)?.identities)
}

impl TryFrom<Merge> for proto::Merge {
    type Error = Fault;
    fn try_from(merge: Merge) -> Result<Self, Fault> {
        let reason = match merge.reason {
            Reason::Keys => proto::MergeReason::Keys,
            Reason::Review => proto::MergeReason::Review,
            Reason::Manual => proto::MergeReason::Manual,
        };
        Ok(Self {
            id: merge.id.to_string(),
            survivor_person_id: merge.survivor_id.to_string(),
            loser_person_id: merge.loser_id.to_string(),
            reason: reason.into(),
            note: merge.note,
            identities: read(&merge.keys)?,
            merge_time: Some(timestamp(merge.merged_at)),
            unmerge_time: merge.unmerged_at.map(timestamp),
        })
    }
}

impl TryFrom<Review> for proto::MergeReview {
    type Error = Fault;
    fn try_from(review: Review) -> Result<Self, Fault> {
        let state = match review.state {
            ReviewState::Open => proto::MergeReviewState::Open,
            ReviewState::Merged => proto::MergeReviewState::Merged,
            ReviewState::KeptApart => proto::MergeReviewState::KeptApart,
        };
        Ok(Self {
            id: review.id.to_string(),
            person_ids: review.person_ids.iter().map(ToString::to_string).collect(),
            identities: read(&review.keys)?,
            state: state.into(),
            create_time: Some(timestamp(review.created_at)),
            decide_time: review.decided_at.map(timestamp),
            note: review.note,
        })
    }
}
