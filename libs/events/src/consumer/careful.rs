//! Event by event, each under a savepoint: the way through a batch in which one fails, or whose subjects may be blocked.

use std::collections::{HashMap, HashSet};

use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::SystemTx;

use super::{
    ConsumeError, Inner,
    apply::{Applied, call},
    step::count,
};
use crate::{
    Cursor, Event, HandlerError, Subscription,
    handler::describe,
    store::{self, parked::Reason},
};

/// The first parked event of each blocked subject.
pub(super) type Blocked = HashMap<(Id<Merchant>, String), i64>;

/// What became of one event.
enum Outcome {
    Done,
    Skipped,
    Parked,
    /// It stays the first behind the cursor, having failed this often; no number when what it needs does not answer.
    Again(Option<u32>),
}

impl Inner {
    /// Goes through a batch whose cursor `tx` has locked: with how often its first event has failed before, and which of its
    /// subjects are blocked.
    pub(super) async fn apply_carefully(
        &self,
        mut tx: SystemTx,
        expected: &Cursor,
        events: &[Event],
        (mut failures, mut blocked): (u32, Blocked),
    ) -> Result<Applied, ConsumeError> {
        let Subscription { consumer, source, .. } = self.subscription;
        let mut cursor = *expected;
        let mut again = None;
        let (mut handled, mut parked) = (0, 0);
        for event in events {
            match self.apply_one(&mut tx, event, &mut blocked, failures).await? {
                Outcome::Done | Outcome::Skipped => handled += 1,
                Outcome::Parked => parked += 1,
                Outcome::Again(failures) => {
                    again = Some(failures);
                    break;
                }
            }
            cursor = Cursor::at(event);
            failures = 0;
        }
        if cursor != *expected {
            tx.become_job().await?;
            store::cursors::save(&mut tx, consumer, source, &cursor).await?;
            tx.commit().await?;
            count(&self.subscription, handled, parked);
        }
        Ok(match again {
            Some(failures) => Applied::Stopped { cursor, failures },
            None => Applied::Done(cursor),
        })
    }

    /// Which subjects of a batch are blocked.
    pub(super) async fn blocked(
        &self,
        tx: &mut SystemTx,
        events: &[Event],
    ) -> Result<Blocked, ConsumeError> {
        let Subscription { consumer, source, .. } = self.subscription;
        let subjects: HashSet<&str> = events.iter().map(|event| &*event.subject).collect();
        let rows = store::parked::blocked(tx, consumer, source, &subjects).await?;
        Ok(rows.into_iter().map(|(merchant, subject, at)| ((merchant, subject), at)).collect())
    }

    async fn apply_one(
        &self,
        tx: &mut SystemTx,
        event: &Event,
        blocked: &mut Blocked,
        failures: u32,
    ) -> Result<Outcome, ConsumeError> {
        let Subscription { consumer, source, retries, .. } = self.subscription;
        if !self.subscription.wants(event) {
            return Ok(Outcome::Skipped);
        }
        let subject = (event.merchant, event.subject.to_string());
        if let Some(&before) = blocked.get(&subject) {
            tx.become_job().await?;
            let reason = Reason::Behind(before);
            store::parked::insert(tx, consumer, source, event, &reason).await?;
            return Ok(Outcome::Parked);
        }
        // The tenant is set outside of the savepoint: undoing would take it back.
        let tenant = tx.become_tenant(event.merchant).await?;
        store::savepoint(tenant).await?;
        let Err(error) = call(&self.subscription, tenant, &[event]).await else {
            store::release(tenant).await?;
            return Ok(Outcome::Done);
        };
        store::undo(tenant).await?;
        let attempts = failures + 1;
        let text = match &error {
            HandlerError::Unavailable(cause) => {
                let error = describe(cause.as_ref());
                tracing::debug!(consumer, source, error, "waiting for what the handler needs");
                return Ok(Outcome::Again(None));
            }
            HandlerError::Retry(_) if attempts < retries.attempts => {
                let (position, error) = (event.position, error.describe());
                tracing::info!(consumer, source, position, attempts, error, "an event failed");
                return Ok(Outcome::Again(Some(attempts)));
            }
            HandlerError::Retry(_) | HandlerError::Park(_) => error.describe(),
        };
        tx.become_job().await?;
        let reason = Reason::Failed { attempts, error: &text };
        store::parked::insert(tx, consumer, source, event, &reason).await?;
        blocked.insert(subject, event.position);
        tracing::error!(
            consumer,
            source,
            position = event.position,
            event = %event.id,
            r#type = %event.type_name,
            subject = %event.subject,
            attempts,
            error = text,
            "parked an event"
        );
        Ok(Outcome::Parked)
    }
}
