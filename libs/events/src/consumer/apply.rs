//! One batch in one transaction: lock the cursor, handle the events merchant by merchant, move the cursor, commit.

use std::{collections::BTreeMap, panic::AssertUnwindSafe};

use futures::FutureExt;
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::tasks::panic_message;
use tracing::Instrument;

use super::{ConsumeError, Inner, careful::Blocked, step::count};
use crate::{Cursor, Event, HandlerError, Subscription, store, telemetry::handle_span};

/// What became of a batch.
pub(super) enum Applied {
    /// It is committed; this is the cursor now.
    Done(Cursor),
    /// Another process holds the cursor, or has moved it.
    Elsewhere,
    /// The handler failed; nothing is committed.
    Failed(HandlerError),
    /// Events up to the cursor are committed. The next one failed, for this many times now; no number when what it needs
    /// does not answer.
    Stopped { cursor: Cursor, failures: Option<u32> },
}

impl Inner {
    /// Handles a batch. With `failures` (of its first event), or where one of its subjects is blocked, it goes event by event.
    pub(super) async fn apply(
        &self,
        expected: &Cursor,
        events: &[Event],
        failures: Option<u32>,
    ) -> Result<Applied, ConsumeError> {
        let Subscription { consumer, source, .. } = self.subscription;
        let mut tx = self.db.system(consumer).await?;
        let locked = match store::cursors::try_lock(&mut tx, consumer, source).await? {
            Some(locked) if locked.position == expected.position => locked,
            Some(_) | None => return Ok(Applied::Elsewhere),
        };
        let blocked =
            if locked.parked { self.blocked(&mut tx, events).await? } else { Blocked::default() };
        if failures.is_some() || !blocked.is_empty() {
            let failures = failures.unwrap_or(0);
            return self.apply_carefully(tx, expected, events, (failures, blocked)).await;
        }
        for (merchant, events) in by_merchant(&self.subscription, events) {
            let tenant = tx.become_tenant(merchant).await?;
            if let Err(error) = call(&self.subscription, tenant, &events).await {
                return Ok(Applied::Failed(error));
            }
        }
        let cursor = Cursor::at(events.last().expect("a batch is not empty"));
        tx.become_job().await?;
        store::cursors::save(&mut tx, consumer, source, &cursor).await?;
        tx.commit().await?;
        count(&self.subscription, events.len(), 0);
        Ok(Applied::Done(cursor))
    }
}

/// Calls the handler. A panic is an error of the event, not of the consumer.
pub(super) async fn call(
    subscription: &Subscription,
    tx: &mut Tx,
    events: &[&Event],
) -> Result<(), HandlerError> {
    let span = handle_span(subscription.consumer, events);
    // Unwind safety: the transaction is rolled back, as after any error; the handler keeps nothing else between calls.
    let work = AssertUnwindSafe(subscription.handler.handle(tx, events)).catch_unwind();
    work.instrument(span).await.unwrap_or_else(|panic| {
        Err(HandlerError::retry(format!("panicked: {}", panic_message(panic.as_ref()))))
    })
}

/// The wanted events of each merchant, in order; merchants in the order of their ids, in which every transaction of several
/// merchants takes its locks. Across merchants the order of events means nothing: no aggregate belongs to two.
fn by_merchant<'a>(
    subscription: &Subscription,
    events: &'a [Event],
) -> Vec<(Id<Merchant>, Vec<&'a Event>)> {
    let mut groups: BTreeMap<Id<Merchant>, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|event| subscription.wants(event)) {
        groups.entry(event.merchant).or_default().push(event);
    }
    groups.into_iter().collect()
}
