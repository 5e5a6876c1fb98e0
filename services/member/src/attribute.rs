//! Attributes (自定义属性): what a merchant wants to know of its persons besides, typed so that filters can ask for it. The
//! latest value of a person stands; of two persons who are one, the later.

pub mod domain;
mod merge;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
pub use domain::AttributeType;
pub(crate) use merge::{on_merge, on_unmerge};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1 as proto;

use crate::person::PersonId;

/// The id of an attribute.
pub type AttributeId = Id<kind::Attribute>;

/// An attribute: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attribute {
    /// The id.
    pub id: AttributeId,
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// What the values are.
    pub kind: AttributeType,
    /// The values of a choice; empty for other kinds.
    pub choices: Vec<String>,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
}

/// The value of an attribute of a person: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Value {
    /// Whose.
    pub person_id: PersonId,
    /// Which attribute.
    pub attribute_id: AttributeId,
    /// That of a text or a choice.
    pub text_value: Option<String>,
    /// That of a number, a flag or a day.
    pub number_value: Option<i64>,
}

/// Why something cannot be done with an attribute.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another attribute has the code.
    #[error("another attribute has the code")]
    CodeTaken,
    /// The merchant has as many as it may.
    #[error("a merchant has at most {} attributes", crate::limits::ATTRIBUTES_MAX)]
    TooMany,
    /// The database.
    #[error(transparent)]
    Database(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::CodeTaken => Self::new(Code::AlreadyExists, "ATTRIBUTE_CODE_TAKEN", message),
            Error::TooMany => Self::new(Code::FailedPrecondition, "ATTRIBUTES_TOO_MANY", message),
            Error::Database(error) => error.into(),
        }
    }
}

impl From<Attribute> for proto::Attribute {
    fn from(attribute: Attribute) -> Self {
        Self {
            id: attribute.id.to_string(),
            code: attribute.code,
            name: attribute.name,
            r#type: proto::AttributeType::from(attribute.kind).into(),
            choices: attribute.choices,
            create_time: Some(timestamp(attribute.created_at)),
        }
    }
}
