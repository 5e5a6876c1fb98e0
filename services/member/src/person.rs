//! Persons (客户): human beings as one merchant knows them, found by strong keys. A key belongs to one person for ever.

pub mod domain;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};

pub use domain::PersonId;

/// A person: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    /// The id.
    pub id: PersonId,
    /// The growth value.
    pub growth: i64,
    /// The tier that the growth reaches.
    pub tier: i32,
    /// When the person was first seen.
    pub created_at: DateTime<Utc>,
}
