//! Persons (客户): human beings as one merchant knows them, found by strong keys. A key belongs to one person for ever.

pub mod domain;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use uuid::Uuid;

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

/// Two persons who turned out to be one: what every capability that keeps something by person is told, in the transaction
/// of the merge. Rows of the loser go to the survivor and remember where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The merge.
    pub id: Uuid,
    /// Who stays: the person that was there first.
    pub survivor: PersonId,
    /// Whose id is an alias from now on.
    pub loser: PersonId,
    /// When it happens.
    pub at: DateTime<Utc>,
}

/// The person behind an id that a request names. Every method that takes a person begins with it.
pub async fn canonical(tx: &mut Tx, id: PersonId) -> Result<PersonId, Fault> {
    let person = store::find(tx, id).await?.ok_or_else(|| Fault::not_found("person"))?;
    Ok(person.id)
}
