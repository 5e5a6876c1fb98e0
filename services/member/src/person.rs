//! Persons (客户): human beings as one merchant knows them, found by strong keys. A key belongs to one person for ever.

pub mod address;
pub mod domain;
pub mod merge;
pub mod resolution;
pub mod resolve;
pub mod rpc;
pub mod store;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
pub use domain::PersonId;
use siyu_kernel::{Fault, Id, kind};
use siyu_pg::Tx;

/// The id of a merge.
pub type MergeId = Id<kind::Merge>;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The merge.
    pub id: MergeId,
    /// Who stays: the person that was there first.
    pub survivor: PersonId,
    /// Whose id is an alias from now on.
    pub loser: PersonId,
    /// When it happens.
    pub at: DateTime<Utc>,
}

/// A merge that is undone: rows that the loser brought in go back; what came later stays with the survivor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmerge {
    /// The merge.
    pub id: MergeId,
    /// Who has the rows now: the survivor, or whoever that one was merged into since.
    pub survivor: PersonId,
    /// Who is a person again.
    pub loser: PersonId,
    /// Whose rows go back to the loser: its own, and those of its aliases.
    pub origins: Vec<PersonId>,
    /// When the merge had happened.
    pub merged_at: DateTime<Utc>,
    /// When it is undone.
    pub at: DateTime<Utc>,
}

/// The person behind an id that a request names: an alias leads to the one that it was merged into. Every method that
/// takes a person begins with it, or with [`hold`] if it writes.
pub async fn canonical(tx: &mut Tx, id: PersonId) -> Result<PersonId, Fault> {
    store::canonical(tx, &[id]).await?.get(&id).copied().ok_or_else(|| Fault::not_found("person"))
}

/// The persons behind ids; those that nobody has are not among them.
pub async fn canonical_all(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, PersonId>, Fault> {
    Ok(store::canonical(tx, ids).await?)
}

/// The person behind an id, who will not be merged before the transaction ends: so that nothing is written for an alias.
pub async fn hold(tx: &mut Tx, id: PersonId) -> Result<PersonId, Fault> {
    hold_all(tx, &[id]).await?.get(&id).copied().ok_or_else(|| Fault::not_found("person"))
}

/// The persons behind ids, none of whom will be merged before the transaction ends. To be called once in a transaction,
/// before it locks anything else.
pub async fn hold_all(tx: &mut Tx, ids: &[PersonId]) -> Result<HashMap<PersonId, PersonId>, Fault> {
    keep(tx, ids, Keep::Held).await
}

/// The same for persons of whom nobody else may write anything meanwhile: what is read of them stays so until the
/// transaction ends.
pub(crate) async fn lock_all(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, PersonId>, Fault> {
    keep(tx, ids, Keep::Locked).await
}

enum Keep {
    Held,
    Locked,
}

async fn keep(
    tx: &mut Tx,
    ids: &[PersonId],
    how: Keep,
) -> Result<HashMap<PersonId, PersonId>, Fault> {
    loop {
        let known = store::canonical(tx, ids).await?;
        let persons: BTreeSet<PersonId> = known.values().copied().collect();
        let persons: Vec<PersonId> = persons.into_iter().collect();
        let stand = match how {
            Keep::Held => store::hold(tx, &persons).await?,
            Keep::Locked => store::lock(tx, &persons).await?,
        };
        // Where a merge was faster, it is looked up anew who is left; a person is merged into an older one, so this ends.
        if stand {
            return Ok(known);
        }
    }
}

/// Locks the persons behind ids, each with when it was first seen, to be merged or parted.
pub(crate) async fn lock(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<Vec<(PersonId, DateTime<Utc>)>, Fault> {
    loop {
        let known = store::canonical(tx, ids).await?;
        if ids.iter().any(|id| !known.contains_key(id)) {
            return Err(Fault::not_found("person"));
        }
        let persons: BTreeSet<PersonId> = known.values().copied().collect();
        let persons: Vec<PersonId> = persons.into_iter().collect();
        if store::lock(tx, &persons).await? {
            let standing = store::standing(tx, &persons).await?;
            return Ok(persons.iter().map(|id| (*id, standing[id].created_at)).collect());
        }
    }
}
