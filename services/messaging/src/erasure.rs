//! Follows the member service's erasures: what channels said of messages to a person may tell who it was, and is destroyed. That
//! messages were sent, and what became of them, stays with a person without a face.

use std::sync::Arc;

use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_pg::Tx;
use siyu_proto::member::v1::PersonErased;
use tonic::async_trait;

use crate::{NAME, campaign::domain::PersonId, message};

/// What the messaging service follows of the member service.
pub fn subscription() -> Subscription {
    Subscription::new(NAME, "member", Arc::new(Erasures)).on::<PersonErased>()
}

struct Erasures;

#[async_trait]
impl Handler for Erasures {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        for event in events {
            let Some(fact) = event.decode::<PersonErased>()? else { continue };
            let ids = std::iter::once(&fact.person_id).chain(&fact.alias_ids);
            let ids = ids.map(|id| parse::id("person_ids", id).map_err(HandlerError::park));
            let ids: Vec<PersonId> = ids.collect::<Result<_, _>>()?;
            message::store::forget_failures(tx, &ids).await?;
        }
        Ok(())
    }
}
