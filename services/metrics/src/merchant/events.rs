//! Follows the member service: merchants, stores, connections, merges of persons.

use std::sync::Arc;

use prost::Message;
use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_pg::Tx;
use siyu_proto::member::v1::{
    ConnectionChanged, MerchantCreated, PersonMerged, PersonUnmerged, StoreChanged,
};
use tonic::async_trait;

use super::store;
use crate::{App, audience, merge};

/// What metrics follows of the member service.
pub fn subscription(app: &App) -> Subscription {
    Subscription::new("metrics", "member", Arc::new(Members { app: app.clone() }))
        .on::<MerchantCreated>()
        .on::<StoreChanged>()
        .on::<ConnectionChanged>()
        .on::<PersonMerged>()
        .on::<PersonUnmerged>()
}

struct Members {
    app: App,
}

#[async_trait]
impl Handler for Members {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let mut changes = 0;
        for event in events {
            if let Some(fact) = event.decode::<MerchantCreated>()? {
                let merchant = fact.merchant.unwrap_or_default();
                store::upsert(tx, &merchant.zone, &merchant.currency_code).await?;
            } else if let Some(fact) = event.decode::<StoreChanged>()? {
                self.keep_store(tx, fact).await?;
            } else if let Some(fact) = event.decode::<ConnectionChanged>()? {
                audience::keep_connection(tx, &fact.connection.unwrap_or_default()).await?;
                changes += 1;
            } else if let Some(fact) = event.decode::<PersonMerged>()? {
                merge::keep_merge(tx, fact).await?;
                changes += 1;
            } else if let Some(fact) = event.decode::<PersonUnmerged>()? {
                merge::keep_unmerge(tx, fact).await?;
                changes += 1;
            }
        }
        if changes > 0 {
            store::count_facts(tx, self.app.clock.now()).await?;
        }
        Ok(())
    }
}

impl Members {
    async fn keep_store(&self, tx: &mut Tx, fact: StoreChanged) -> Result<(), HandlerError> {
        let told = fact.store.unwrap_or_default();
        let kept = store::Store {
            store_id: parse::id("store.id", &told.id).map_err(HandlerError::park)?,
            zone: told.zone,
            hours: told.hours.unwrap_or_default().encode_to_vec(),
        };
        // Alone with the merchant: no fold may read the old hours and clear the mark of the new ones.
        store::lock(tx).await?;
        store::upsert_store(tx, &kept).await?;
        store::mark_store_days(tx, kept.store_id).await?;
        store::count_facts(tx, self.app.clock.now()).await?;
        Ok(())
    }
}
