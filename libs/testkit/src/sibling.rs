//! A service that a test plays: it tells facts, and consumers follow it as they would follow the real one.

use std::{fmt::Display, sync::Arc};

use chrono::{DateTime, Utc};
use siyu_events::{Consumer, Event, Fact, Log, MIGRATIONS, NewEvent, Pull, Subscription};
use siyu_grpc::{Assertions, Peer, Server, Settings, Upstream};
use siyu_kernel::{Clock, Id, Ids, kind::Merchant};
use siyu_pg::{Db, Migration, base_migrations};
use siyu_proto::event::v1::{
    event_log_service_client::EventLogServiceClient,
    event_log_service_server::EventLogServiceServer,
};
use siyu_runtime::Readiness;

use crate::{Database, FixedClock, SeededIds};

const SCHEMA: &[&[Migration]] = &[base_migrations(), MIGRATIONS];

/// A service without methods, whose log a test writes.
#[derive(Debug)]
pub struct Sibling {
    database: Database,
    log: Log,
    peer: Peer,
    ids: SeededIds,
}

impl Sibling {
    /// The service of a name, with a database of its own and nothing told yet.
    pub async fn new(name: &'static str, clock: &FixedClock) -> Self {
        let database = Database::fresh(SCHEMA).await;
        let log = Log::new(database.db().clone(), name);
        let assertions = Arc::new(Assertions::new(&[7; 32]).expect("the key is long enough"));
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let server =
            Server::new(Settings::default(), assertions.clone(), clock.clone(), Readiness::new())
                .service(EventLogServiceServer::new(log.service()))
                .build()
                .expect("the contracts can be read");
        let peer = Peer::new(Upstream::in_process(server), "test", assertions, clock);
        Self { database, log, peer, ids: SeededIds::new(99) }
    }

    /// Tells one fact.
    pub async fn tell<F: Fact>(
        &self,
        merchant: Id<Merchant>,
        subject: &impl Display,
        at: DateTime<Utc>,
        fact: &F,
    ) {
        self.tell_all(merchant, &[self.fact(subject, at, fact)]).await;
    }

    /// Tells facts in one transaction.
    pub async fn tell_all(&self, merchant: Id<Merchant>, facts: &[NewEvent]) {
        let mut tx = self.database.db().tenant(merchant).await.expect("the log can be written");
        siyu_events::append(&mut tx, facts).await.expect("facts can be appended");
        tx.commit().await.expect("facts can be told");
    }

    /// A consumer of this service's facts, with its cursor beside the effects.
    #[must_use]
    pub fn consumer(&self, db: &Db, subscription: Subscription) -> Consumer {
        let pull = Pull::new(EventLogServiceClient::new(self.peer.as_service(None)));
        Consumer::new(db.clone(), subscription, Box::new(pull))
    }

    /// Lets a consumer handle everything that was told.
    pub async fn deliver(&self, consumer: &Consumer) {
        let head = self.log.stamp_all().await.expect("the log can be stamped");
        consumer.run_until(head).await.expect("the consumer can go on");
    }

    /// The service as its followers call it.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// A fact, to be told with others.
    #[must_use]
    pub fn fact<F: Fact>(&self, subject: &impl Display, at: DateTime<Utc>, fact: &F) -> NewEvent {
        NewEvent::of(self.ids.uuid(), subject, at, fact)
    }
}

/// Every event in a log, in its order.
pub async fn told(log: &Log) -> Vec<Event> {
    let head = log.stamp_all().await.expect("the log can be stamped");
    let mut events: Vec<Event> = Vec::new();
    while events.last().map_or(0, |event| event.position) < head {
        let after = events.last().map_or(0, |event| event.position);
        events.extend(log.read(after, 5000).await.expect("the log can be read").events);
    }
    events
}
