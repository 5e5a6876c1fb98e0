//! Tags (标签): words about persons. People, another system, or a rule decide who carries one; a rule is a filter and is
//! computed chunk by chunk, so that a merchant with millions of persons holds nobody up, and anew for persons of whom
//! something changed.

pub mod compute;
mod merge;
mod persons;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
pub(crate) use merge::{on_merge, on_unmerge};
use prost::Message as _;
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1 as proto;
pub(crate) use store::marks::add as mark;

/// The id of a tag.
pub type TagId = Id<kind::Tag>;
/// The id of a group of tags.
pub type TagGroupId = Id<kind::TagGroup>;

/// A group of tags: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TagGroup {
    /// The id.
    pub id: TagGroupId,
    /// The name.
    pub name: String,
    /// A person carries one tag of it at most.
    pub exclusive: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// A tag: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Tag {
    /// The id.
    pub id: TagId,
    /// The group; none: of no group.
    pub group_id: Option<TagGroupId>,
    /// The name.
    pub name: String,
    /// Who decides.
    pub kind: TagKind,
    /// The rule, encoded; none without one.
    pub rule: Option<Vec<u8>>,
    /// When the rule is to be computed next; none without one.
    pub due_at: Option<DateTime<Utc>>,
    /// When the rule was last computed for everyone.
    pub computed_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Who decides about a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TagKind {
    /// People.
    Manual,
    /// Its rule.
    Rule,
    /// Another system.
    System,
}

/// Why something cannot be done with tags.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another group has the name.
    #[error("another group of tags has the name")]
    GroupNameTaken,
    /// Another tag of the group has the name.
    #[error("another tag of the group has the name")]
    NameTaken,
    /// There is no such group.
    #[error("the group of tags does not exist")]
    GroupNotFound,
    /// The merchant has as many groups as it may.
    #[error("a merchant has at most {} groups of tags", crate::limits::TAG_GROUPS_MAX)]
    TooManyGroups,
    /// The merchant has as many tags as it may.
    #[error("a merchant has at most {} tags", crate::limits::TAGS_MAX)]
    TooMany,
    /// A person would carry more than it may.
    #[error("a person carries at most {} tags", crate::limits::PERSON_TAGS_MAX)]
    TooManyOfPerson,
    /// Two tags of one exclusive group at once.
    #[error("two of the tags are of one exclusive group")]
    Exclusive,
    /// Its rule decides.
    #[error("the rule of the tag decides who carries it")]
    ByRule,
    /// It has no rule.
    #[error("the tag has no rule")]
    WithoutRule,
    /// The database.
    #[error(transparent)]
    Database(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let forbidden = |reason| Self::new(Code::FailedPrecondition, reason, error.to_string());
        match error {
            Error::GroupNameTaken => {
                Self::new(Code::AlreadyExists, "TAG_GROUP_NAME_TAKEN", message)
            }
            Error::NameTaken => Self::new(Code::AlreadyExists, "TAG_NAME_TAKEN", message),
            Error::GroupNotFound => Self::new(Code::NotFound, "TAG_GROUP_NOT_FOUND", message),
            Error::TooManyGroups => forbidden("TAG_GROUPS_TOO_MANY"),
            Error::TooMany => forbidden("TAGS_TOO_MANY"),
            Error::TooManyOfPerson => forbidden("PERSON_TAGS_TOO_MANY"),
            Error::Exclusive => Self::new(Code::InvalidArgument, "TAGS_EXCLUSIVE", message),
            Error::ByRule => forbidden("TAG_BY_RULE"),
            Error::WithoutRule => forbidden("TAG_WITHOUT_RULE"),
            Error::Database(error) => error.into(),
        }
    }
}

impl TagKind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Rule => "rule",
            Self::System => "system",
        }
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        match proto::TagKind::try_from(value).ok()? {
            proto::TagKind::Unspecified | proto::TagKind::Manual => Some(Self::Manual),
            proto::TagKind::Rule => Some(Self::Rule),
            proto::TagKind::System => Some(Self::System),
        }
    }
}

impl From<TagGroup> for proto::TagGroup {
    fn from(group: TagGroup) -> Self {
        Self {
            id: group.id.to_string(),
            name: group.name,
            exclusive: group.exclusive,
            create_time: Some(timestamp(group.created_at)),
        }
    }
}

impl Tag {
    /// The tag as callers see it.
    ///
    /// # Errors
    /// An internal fault when the rule that is stored cannot be decoded.
    pub fn show(self) -> Result<proto::Tag, Fault> {
        let rule = self.rule.map(|rule| proto::Filter::decode(rule.as_slice())).transpose();
        let kind = match self.kind {
            TagKind::Manual => proto::TagKind::Manual,
            TagKind::Rule => proto::TagKind::Rule,
            TagKind::System => proto::TagKind::System,
        };
        Ok(proto::Tag {
            id: self.id.to_string(),
            name: self.name,
            group_id: self.group_id.map(|id| id.to_string()).unwrap_or_default(),
            kind: kind.into(),
            rule: rule.map_err(Fault::internal)?,
            compute_time: self.computed_at.map(timestamp),
            create_time: Some(timestamp(self.created_at)),
        })
    }
}
