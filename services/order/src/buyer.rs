//! Buyers who turn out to be one person, or not after all: their orders follow. Every order that goes over is a new revision and
//! is told as such, so whoever follows orders needs to know nothing of it.

pub mod events;
pub mod store;

pub use events::subscription;

use siyu_kernel::{Fault, Id, kind::Person};
use siyu_pg::Tx;

/// Whom the id of a person leads to: the person itself, or whoever it turned out to be.
pub(crate) async fn leads(tx: &mut Tx, person: Id<Person>) -> Result<Id<Person>, Fault> {
    let leads = store::canonical(tx, &[person]).await?;
    Ok(leads.get(&person).copied().unwrap_or(person))
}
