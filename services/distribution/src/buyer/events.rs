//! Follows the member service's merges, and forgets where persons came from whose data were erased.

use std::sync::Arc;

use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_pg::Tx;
use siyu_proto::member::v1::{PersonErased, PersonMerged, PersonUnmerged};
use tonic::async_trait;

use super::store::{self, Merge};
use crate::{NAME, promoter::PersonId};

/// What the distribution service follows of the member service.
pub fn subscription() -> Subscription {
    Subscription::new(NAME, "member", Arc::new(Buyers))
        .on::<PersonMerged>()
        .on::<PersonUnmerged>()
        .on::<PersonErased>()
}

struct Buyers;

#[async_trait]
impl Handler for Buyers {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        for event in events {
            if let Some(fact) = event.decode::<PersonMerged>()? {
                let told = fact.merge.unwrap_or_default();
                let merge = Merge {
                    id: parse::id("merge.id", &told.id).map_err(HandlerError::park)?,
                    survivor: read("survivor_person_id", &told.survivor_person_id)?,
                    loser: read("loser_person_id", &told.loser_person_id)?,
                    at: event.occurred_at,
                };
                store::lock(tx).await?;
                store::alias(tx, &merge).await?;
                store::end_later(tx, &merge).await?;
                store::move_over(tx, &merge).await?;
            } else if let Some(fact) = event.decode::<PersonUnmerged>()? {
                let told = fact.merge.unwrap_or_default();
                let merge = Merge {
                    id: parse::id("merge.id", &told.id).map_err(HandlerError::park)?,
                    survivor: read("survivor_person_id", &fact.survivor_person_id)?,
                    loser: read("loser_person_id", &told.loser_person_id)?,
                    at: event.occurred_at,
                };
                let origins = fact.person_ids.iter().map(|id| read("person_ids", id));
                let origins: Vec<PersonId> = origins.collect::<Result<_, _>>()?;
                store::lock(tx).await?;
                store::unalias(tx, merge.loser, &origins).await?;
                store::move_back(tx, &merge, &origins).await?;
                store::reopen(tx, &merge).await?;
            } else if let Some(fact) = event.decode::<PersonErased>()? {
                let ids = std::iter::once(&fact.person_id).chain(&fact.alias_ids);
                let ids = ids.map(|id| read("person_ids", id));
                let ids: Vec<PersonId> = ids.collect::<Result<_, _>>()?;
                store::forget_sources(tx, &ids).await?;
            }
        }
        Ok(())
    }
}

fn read(field: &str, id: &str) -> Result<PersonId, HandlerError> {
    parse::id(field, id).map_err(HandlerError::park)
}
