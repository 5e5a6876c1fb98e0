//! Promoters (分销员): people who bring customers. Who invited whom is set once, so no chain can close to a circle.

pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::distribution::v1 as proto;

/// The id of a promoter.
pub type PromoterId = Id<kind::Promoter>;
/// The id of a person of the member service.
pub type PersonId = Id<kind::Person>;

/// A promoter: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Promoter {
    /// The id.
    pub id: PromoterId,
    /// The person.
    pub person_id: PersonId,
    /// Who invited.
    pub inviter_promoter_id: Option<PromoterId>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Why a person cannot become a promoter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person is one already.
    #[error("the person is a promoter already")]
    Exists,
    /// The inviter is not known.
    #[error("the inviter does not exist")]
    InviterNotFound,
    /// The database.
    #[error("the store of promoters failed")]
    Store(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Exists => Self::new(Code::AlreadyExists, "PROMOTER_EXISTS", error.to_string()),
            Error::InviterNotFound => Self::not_found("promoter"),
            Error::Store(source) => source.into(),
        }
    }
}

impl From<Promoter> for proto::Promoter {
    fn from(promoter: Promoter) -> Self {
        Self {
            id: promoter.id.to_string(),
            person_id: promoter.person_id.to_string(),
            inviter_promoter_id: promoter
                .inviter_promoter_id
                .map(|id| id.to_string())
                .unwrap_or_default(),
            create_time: Some(timestamp(promoter.created_at)),
            commission_minor: 0,
            commission_frozen_minor: 0,
        }
    }
}
