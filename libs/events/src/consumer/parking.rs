//! What an operator does with parked events: look, replay, discard.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{
    Id,
    kind::{self, Merchant},
};
use siyu_pg::SystemTx;
use siyu_proto::event::v1 as proto;

use super::{ConsumeError, Consumer, apply::call};
use crate::{
    Event, HandlerError, SourceError, Subscription, handler::describe, limits, store,
    store::parked::Row,
};

/// An event that could not be handled, or that waits behind one.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    /// The event's place in its source's log.
    pub position: i64,
    /// The event's id.
    pub id: Id<kind::Event>,
    /// The merchant it belongs to.
    pub merchant: Id<Merchant>,
    /// The full name of its message.
    pub type_name: String,
    /// The aggregate it is about.
    pub subject: String,
    /// The position of the event it waits behind; none if it failed itself.
    pub behind: Option<i64>,
    /// How often it was tried.
    pub attempts: u32,
    /// What it failed with last.
    pub error: String,
    /// Since when it is parked.
    pub parked_at: DateTime<Utc>,
}

/// Which parked events are meant; by default all of the consumer's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParkedFilter {
    /// Only those of this merchant.
    pub merchant: Option<Id<Merchant>>,
    /// Only those of this aggregate.
    pub subject: Option<String>,
}

/// What a replay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Events that are handled now.
    pub done: usize,
    /// Events that failed again; those behind them were not tried.
    pub failed: usize,
}

impl Consumer {
    /// Parked events by ascending position, after one: page by the last position seen.
    pub async fn parked(
        &self,
        filter: &ParkedFilter,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Parked>, ConsumeError> {
        let mut tx = self.inner.db.system(self.inner.subscription.consumer).await?;
        let rows = self.list_parked(&mut tx, filter, after, limit).await?;
        Ok(rows.into_iter().map(Parked::from).collect())
    }

    /// How many events are parked.
    pub async fn count_parked(&self) -> Result<i64, ConsumeError> {
        let Subscription { consumer, source, .. } = self.inner.subscription;
        let mut tx = self.inner.db.system(consumer).await?;
        Ok(store::parked::count(&mut tx, consumer, source).await?)
    }

    /// Handles parked events again, in their order. One that fails stays, and so do those of its subject behind it.
    pub async fn replay_parked(&self, filter: &ParkedFilter) -> Result<Replayed, ConsumeError> {
        let Subscription { consumer, source, .. } = self.inner.subscription;
        let mut failed: HashSet<(Id<Merchant>, String)> = HashSet::new();
        let mut replayed = Replayed::default();
        let mut after = 0;
        loop {
            let mut tx = self.inner.db.system(consumer).await?;
            // While the cursor is locked no event of the stream can overtake one of its subject here.
            store::cursors::lock(&mut tx, consumer, source).await?;
            let rows = self.list_parked(&mut tx, filter, after, limits::REPLAY_EVENTS).await?;
            let Some(last) = rows.last() else { return Ok(replayed) };
            after = last.position;
            let mut page = Replayed::default();
            for row in rows {
                let subject = (row.merchant_id, row.subject.clone());
                if failed.contains(&subject) {
                    continue;
                }
                if self.replay(&mut tx, row).await? {
                    page.done += 1;
                } else {
                    page.failed += 1;
                    failed.insert(subject);
                }
            }
            tx.commit().await?;
            replayed.done += page.done;
            replayed.failed += page.failed;
        }
    }

    /// Gives up a parked event: it will never be handled, those behind it can be. Tells whether it was there.
    pub async fn discard_parked(
        &self,
        merchant: Id<Merchant>,
        position: i64,
    ) -> Result<bool, ConsumeError> {
        let Subscription { consumer, source, .. } = self.inner.subscription;
        let mut tx = self.inner.db.system(consumer).await?;
        let key = (consumer, source);
        let gone = store::parked::delete(&mut tx, key, (merchant, position)).await?;
        tx.commit().await?;
        tracing::warn!(consumer, source, %merchant, position, gone, "discarded a parked event");
        Ok(gone)
    }

    async fn list_parked(
        &self,
        tx: &mut SystemTx,
        filter: &ParkedFilter,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Row>, ConsumeError> {
        let Subscription { consumer, source, .. } = self.inner.subscription;
        let of = (filter.merchant, filter.subject.as_deref());
        Ok(store::parked::list(tx, (consumer, source), of, after, limit).await?)
    }

    /// Handles one parked event; tells whether it is done.
    async fn replay(&self, tx: &mut SystemTx, row: Row) -> Result<bool, ConsumeError> {
        let Subscription { consumer, source, .. } = self.inner.subscription;
        let envelope = proto::Event::decode(&*row.event)
            .map_err(|error| siyu_pg::Error::Other(sqlx::Error::Decode(error.into())))?;
        let event = Event::parse(envelope).map_err(SourceError::from)?;
        let tenant = tx.become_tenant(event.merchant).await?;
        store::savepoint(tenant).await?;
        let outcome = call(&self.inner.subscription, tenant, &[&event]).await;
        match &outcome {
            Ok(()) => store::release(tenant).await?,
            Err(_) => store::undo(tenant).await?,
        }
        tx.become_job().await?;
        let (stream, key) = ((consumer, source), (event.merchant, event.position));
        match outcome {
            Ok(()) => {
                store::parked::delete(tx, stream, key).await?;
                Ok(true)
            }
            Err(error) => {
                let text = match &error {
                    HandlerError::Unavailable(cause) => describe(cause.as_ref()),
                    HandlerError::Retry(_) | HandlerError::Park(_) => error.describe(),
                };
                store::parked::failed_again(tx, stream, key, &text).await?;
                Ok(false)
            }
        }
    }
}

impl From<Row> for Parked {
    fn from(row: Row) -> Self {
        Self {
            position: row.position,
            id: row.event_id,
            merchant: row.merchant_id,
            type_name: row.type_name,
            subject: row.subject,
            behind: row.behind,
            attempts: row.attempts.unsigned_abs(),
            error: row.error,
            parked_at: row.parked_at,
        }
    }
}
