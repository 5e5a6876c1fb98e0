//! The producer's task: brings its stamped events to the broker.

use std::{collections::VecDeque, convert::Infallible, error::Error, time::Duration};

use async_nats::{
    Client, HeaderMap,
    connection::State,
    jetstream::{self, context::PublishAckFuture, message::PublishMessage, stream::Stream},
};
use futures::TryFutureExt;
use siyu_runtime::{CancellationToken, jitter, pause};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::{NatsSettings, Parcel, cut, decode, stream_config, subject};
use crate::{Cursor, Event, Log, handler::describe, leader, limits, log, store};

/// The cursor under which the publisher notes how far the broker has acknowledged.
const CONSUMER: &str = "nats";

/// How often the log is looked at when nothing wakes the publisher: no sequencer may run in this process.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// The first wait after an error; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The task. Every process of a service that has a broker runs it; one of them at a time publishes.
#[derive(Debug, Clone)]
pub struct NatsPublisher {
    log: Log,
    client: Client,
    settings: NatsSettings,
}

#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("the database does not answer")]
    Store(#[from] siyu_pg::Error),
    #[error("the broker does not answer")]
    Broker(#[source] Box<dyn Error + Send + Sync>),
}

impl PublishError {
    fn broker(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broker(cause.into())
    }
}

impl From<sqlx::Error> for PublishError {
    fn from(err: sqlx::Error) -> Self {
        Self::Store(err.into())
    }
}

impl NatsPublisher {
    /// Publishes a log.
    pub fn new(log: Log, client: Client, settings: NatsSettings) -> Self {
        Self { log, client, settings }
    }

    /// Runs until it is cancelled. Outages of the database and of the broker are waited out: meanwhile consumers read the log.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Infallible> {
        let mut wait = FIRST_PAUSE;
        loop {
            let mut progress = false;
            let session = self.session(&mut progress);
            let Some(Err(error)) = cancel.run_until_cancelled(session).await else {
                return Ok(());
            };
            if progress {
                wait = FIRST_PAUSE;
            }
            let error = describe(&error);
            tracing::warn!(error, source = self.log.source(), "publishing events stopped");
            if cancel.run_until_cancelled(pause(jitter(wait))).await.is_none() {
                return Ok(());
            }
            wait = (wait * 2).min(limits::OUTAGE_PAUSE);
        }
    }

    async fn session(&self, progress: &mut bool) -> Result<Infallible, PublishError> {
        // Nothing is asked of the database while the broker is away.
        while self.client.connection_state() != State::Connected {
            pause(limits::IDLE_PAUSE).await;
        }
        let mut conn = leader::open(&self.log.db, "publisher").await?;
        while !store::try_lead(&mut conn, leader::PUBLISHER).await? {
            pause(limits::LEAD_PAUSE).await;
        }
        let source = self.log.source();
        store::cursors::ensure(&mut conn, CONSUMER, source).await?;
        let mut cursor = store::cursors::load(&mut conn, CONSUMER, source).await?;
        let context = jetstream::new(self.client.clone());
        self.prepare_stream(&mut conn, &context).await?;
        tracing::info!(source, position = cursor.position, "publishes events");
        let mut heads = self.log.heads();
        loop {
            heads.mark_unchanged();
            let rows = store::log::read(
                &mut conn,
                cursor.position,
                limits::MAX_READ_EVENTS,
                limits::MAX_READ_BYTES,
            );
            let source: std::sync::Arc<str> = source.into();
            let events: Vec<Event> =
                rows.await?.into_iter().map(|row| log::event(row, &source)).collect();
            let Some(last) = events.last() else {
                let _ = timeout(LOOK_PAUSE, heads.changed()).await;
                continue;
            };
            cursor = Cursor::at(last);
            self.publish(&context, cut(&source, &events)).await?;
            store::cursors::save(&mut conn, CONSUMER, &source, &cursor).await?;
            *progress = true;
        }
    }

    /// Publishes messages in their order, several under way at once, and returns when all are acknowledged.
    async fn publish(
        &self,
        context: &jetstream::Context,
        parcels: Vec<Parcel>,
    ) -> Result<(), PublishError> {
        let subject = subject(self.log.source());
        let mut under_way: VecDeque<PublishAckFuture> = VecDeque::new();
        for Parcel { id, payload } in parcels {
            if under_way.len() == limits::RUNS_IN_FLIGHT
                && let Some(oldest) = under_way.pop_front()
            {
                oldest.into_future().await.map_err(PublishError::broker)?;
            }
            let message =
                PublishMessage::build().headers(HeaderMap::new()).message_id(id).payload(payload);
            let ack = context.send_publish(subject.clone(), message);
            under_way.push_back(ack.await.map_err(PublishError::broker)?);
        }
        for ack in under_way {
            ack.into_future().await.map_err(PublishError::broker)?;
        }
        Ok(())
    }

    /// Creates the stream, or brings its settings up to date; empties it if it holds events that this log does not have.
    async fn prepare_stream(
        &self,
        conn: &mut PgConnection,
        context: &jetstream::Context,
    ) -> Result<(), PublishError> {
        let config = stream_config(self.log.source(), &self.settings);
        context.create_or_update_stream(config.clone()).await.map_err(PublishError::broker)?;
        let stream = context.get_stream(&config.name).map_err(PublishError::broker).await?;
        let Some(last) = self.last_published(&stream).await? else { return Ok(()) };
        let rows = store::log::read(conn, last.position - 1, 1, limits::MAX_READ_BYTES).await?;
        let known = match rows.first() {
            Some(row) => row.position > last.position || row.event_id == last.id,
            None => store::log::head(conn).await? >= last.position,
        };
        if !known {
            tracing::error!(
                source = self.log.source(),
                position = last.position,
                "the broker holds events that this log does not have, as after a restore from a \
                backup: emptying the stream; consumers that have handled them will stop and say so"
            );
            stream.purge().await.map_err(PublishError::broker)?;
        }
        Ok(())
    }

    async fn last_published(&self, stream: &Stream) -> Result<Option<Event>, PublishError> {
        use jetstream::stream::LastRawMessageErrorKind as Kind;
        let source = self.log.source();
        match stream.get_last_raw_message_by_subject(&subject(source)).await {
            Ok(message) => Ok(decode(source, message.payload).unwrap_or_default().pop()),
            Err(error) if error.kind() == Kind::NoMessageFound => Ok(None),
            Err(error) => Err(PublishError::broker(error)),
        }
    }
}
