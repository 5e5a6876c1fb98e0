//! Persons who turn out to be one, or not after all: what is known of them follows. Their orders come from the order service as
//! new revisions, so sales need nothing but the alias; here are connections, messages and referrals.

pub mod store;

use siyu_events::HandlerError;
use siyu_grpc::parse;
use siyu_pg::Tx;
use siyu_proto::member::v1::{PersonMerged, PersonUnmerged};

use crate::{
    fact::{self, PersonId},
    merchant,
};

/// The loser's number counts no more: all that bears it goes to the survivor's.
pub async fn keep_merge(tx: &mut Tx, fact: PersonMerged) -> Result<(), HandlerError> {
    let merge = fact.merge.unwrap_or_default();
    let survivor = read("survivor_person_id", &merge.survivor_person_id)?;
    let loser = read("loser_person_id", &merge.loser_person_id)?;
    merchant::lock_told(tx).await?;
    let (from, to) = numbers(tx, loser, survivor).await?;
    store::alias(tx, survivor, loser).await?;
    store::move_connections(tx, from, to).await?;
    store::move_messages(tx, from, to).await?;
    store::move_brought(tx, from, to).await?;
    Ok(store::move_referrers(tx, from, to).await?)
}

/// What had come from the loser or its aliases goes back.
pub async fn keep_unmerge(tx: &mut Tx, fact: PersonUnmerged) -> Result<(), HandlerError> {
    let merge = fact.merge.unwrap_or_default();
    let survivor = read("survivor_person_id", &fact.survivor_person_id)?;
    let loser = read("loser_person_id", &merge.loser_person_id)?;
    let origins = fact.person_ids.iter().map(|id| read("person_ids", id));
    let origins: Vec<PersonId> = origins.collect::<Result<_, _>>()?;
    merchant::lock_told(tx).await?;
    store::unalias(tx, loser, &origins).await?;
    let (to, from) = numbers(tx, loser, survivor).await?;
    let origins = store::numbers(tx, &origins).await?;
    store::return_connections(tx, from, to, &origins).await?;
    store::return_messages(tx, from, to, &origins).await?;
    store::return_brought(tx, from, to, &origins).await?;
    Ok(store::return_referrers(tx, from, to, &origins).await?)
}

/// The numbers of two persons of their own.
async fn numbers(tx: &mut Tx, one: PersonId, other: PersonId) -> Result<(i32, i32), HandlerError> {
    let numbers = fact::store::own_numbers(tx, &[one, other]).await?;
    Ok((fact::column(numbers[&one]), fact::column(numbers[&other])))
}

fn read(field: &str, id: &str) -> Result<PersonId, HandlerError> {
    parse::id(field, id).map_err(HandlerError::park)
}
