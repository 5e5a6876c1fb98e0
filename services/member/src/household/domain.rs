//! What a relation is and how many there may be. Pure.

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1 as proto;

use crate::person::PersonId;

/// What another person is to a person: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Relation {
    /// The person.
    pub person_id: PersonId,
    /// What the other one is.
    pub kind: Kind,
    /// The other one.
    pub other_id: PersonId,
    /// Since when it is known.
    pub since_at: DateTime<Utc>,
    /// Where it came from.
    pub source: String,
}

/// What another person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// Lives in the same household.
    Household,
    /// Comes along.
    Companion,
    /// Invited the person.
    InvitedBy,
    /// Was invited by the person.
    Invited,
}

/// Why a relation cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Both are one person.
    #[error("a person has no relation with itself")]
    WithSelf,
    /// One of the two has too many.
    #[error("one of the two has too many relations of the kind")]
    TooMany,
    /// Somebody else invited the person.
    #[error("somebody else invited the person")]
    InviterTaken,
    /// The person had invited the other one, over others.
    #[error("the inviter was invited by the person, over others")]
    Cycle,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (code, reason) = match error {
            Error::WithSelf => (Code::InvalidArgument, "RELATION_WITH_SELF"),
            Error::TooMany => (Code::ResourceExhausted, "RELATIONS_TOO_MANY"),
            Error::InviterTaken => (Code::FailedPrecondition, "INVITER_TAKEN"),
            Error::Cycle => (Code::FailedPrecondition, "INVITATION_CYCLE"),
        };
        Self::new(code, reason, error.to_string())
    }
}

impl Kind {
    /// What the person is to the other one.
    #[must_use]
    pub const fn inverse(self) -> Self {
        match self {
            Self::Household => Self::Household,
            Self::Companion => Self::Companion,
            Self::InvitedBy => Self::Invited,
            Self::Invited => Self::InvitedBy,
        }
    }

    /// How many a person has at most. A household of more is a firm or a mistake; whom somebody invited has no bound.
    pub const fn max(self) -> i64 {
        match self {
            Self::Household => 10,
            Self::Companion => 50,
            Self::InvitedBy => 1,
            Self::Invited => i64::MAX,
        }
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Companion => "companion",
            Self::InvitedBy => "invited_by",
            Self::Invited => "invited",
        }
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        match proto::RelationKind::try_from(value).ok()? {
            proto::RelationKind::Unspecified => None,
            proto::RelationKind::Household => Some(Self::Household),
            proto::RelationKind::Companion => Some(Self::Companion),
            proto::RelationKind::InvitedBy => Some(Self::InvitedBy),
            proto::RelationKind::Invited => Some(Self::Invited),
        }
    }
}

impl Relation {
    /// The same, seen from the other side.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self {
            person_id: self.other_id,
            kind: self.kind.inverse(),
            other_id: self.person_id,
            ..self.clone()
        }
    }
}

impl From<Relation> for proto::Relation {
    fn from(relation: Relation) -> Self {
        let kind = match relation.kind {
            Kind::Household => proto::RelationKind::Household,
            Kind::Companion => proto::RelationKind::Companion,
            Kind::InvitedBy => proto::RelationKind::InvitedBy,
            Kind::Invited => proto::RelationKind::Invited,
        };
        Self {
            person_id: relation.person_id.to_string(),
            other_person_id: relation.other_id.to_string(),
            kind: kind.into(),
            since_time: Some(timestamp(relation.since_at)),
            source: relation.source,
        }
    }
}
