//! A producer and a consumer with a database each, and a handler that does what the test says.

use std::{
    collections::{HashMap, HashSet},
    future::poll_fn,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use siyu_events::{
    Consumer, Event, Handler, HandlerError, Log, MIGRATIONS, NatsPublisher, NatsSettings,
    NatsSource, NewEvent, Pull, Retries, Source, Subscription, append,
};
use siyu_grpc::{Assertions, Peer, Server, Settings, Upstream};
use siyu_kernel::{Clock, Id, Ids, kind};
use siyu_pg::{Migration, Tx, base_migrations};
use siyu_proto::event::v1::{
    event_log_service_client::EventLogServiceClient,
    event_log_service_server::EventLogServiceServer,
};
use siyu_runtime::{Policy, Readiness, Tasks};
use siyu_testkit::{Database, FixedClock, SeededIds, merchant};
use sqlx::Row;

use crate::broker::Broker;

/// The fact of these tests: a number that grows within its subject.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Counted {
    #[prost(int64, tag = "1")]
    pub(crate) n: i64,
}

impl prost::Name for Counted {
    const NAME: &'static str = "Counted";
    const PACKAGE: &'static str = "siyu.test.v1";
}

const EFFECTS: &[Migration] = &[Migration {
    version: 1000,
    name: "create_effects",
    sql: "create table effects (
            merchant_id uuid not null,
            place bigint generated always as identity,
            event_id uuid not null,
            subject text not null,
            n bigint not null,
            constraint effects_pkey primary key (merchant_id, place)
        );
        select siyu_tenant_table('effects');",
}];

pub(crate) static SCHEMA: &[&[Migration]] = &[base_migrations(), MIGRATIONS, EFFECTS];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Pull,
    Nats,
}

/// Two services: one that tells facts, one that handles them.
pub(crate) struct World {
    pub(crate) producer: Database,
    pub(crate) consumer: Database,
    pub(crate) log: Log,
    pub(crate) tasks: Tasks,
    pub(crate) broker: Option<Broker>,
    ids: SeededIds,
    clock: FixedClock,
    peer: Peer,
}

impl World {
    pub(crate) async fn new(transport: Transport) -> Self {
        let (producer, consumer) = (Database::fresh(SCHEMA).await, Database::fresh(SCHEMA).await);
        let clock = FixedClock::at("2024-06-01T00:00:00Z");
        let log = Log::new(producer.db().clone(), "order");
        let assertions = Arc::new(Assertions::new(&[7; 32]).expect("the key is long enough"));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let server =
            Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new())
                .service(EventLogServiceServer::new(log.service()))
                .build()
                .expect("the contracts can be read");
        let peer = Peer::new(Upstream::in_process(server), "distribution", assertions, shared);
        let broker = match transport {
            Transport::Pull => None,
            Transport::Nats => Some(Broker::start().await),
        };
        let tasks = Tasks::new();
        let world =
            Self { producer, consumer, log, tasks, broker, ids: SeededIds::new(1), clock, peer };
        if let Some(broker) = &world.broker {
            let client = broker.client().await;
            let publisher = NatsPublisher::new(world.log.clone(), client, NatsSettings::default());
            let run = move |cancel| publisher.clone().run(cancel);
            world.tasks.spawn("publisher", Policy::Shutdown, run);
        }
        world
    }

    /// Runs a sequencer in the background.
    pub(crate) fn sequence(&self) {
        let sequencer = self.log.sequencer();
        self.tasks.spawn("sequencer", Policy::Shutdown, move |c| sequencer.clone().run(c));
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> &FixedClock {
        &self.clock
    }

    pub(crate) fn fact(&self, subject: &str, n: i64) -> NewEvent {
        NewEvent::of(self.ids.uuid(), &subject, self.clock.now(), &Counted { n })
    }

    /// Tells facts of one merchant in a transaction.
    pub(crate) async fn tell(&self, who: u32, facts: &[(&str, i64)]) {
        let mut tx = self.producer.db().tenant(merchant(who)).await.unwrap();
        let facts: Vec<NewEvent> =
            facts.iter().map(|(subject, n)| self.fact(subject, *n)).collect();
        append(&mut tx, &facts).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The transport of this world.
    pub(crate) async fn source(&self) -> Box<dyn Source> {
        let call = self.peer.as_service(None);
        let pull = Box::new(Pull::new(EventLogServiceClient::new(call)));
        match &self.broker {
            None => pull,
            Some(broker) => {
                Box::new(NatsSource::new(broker.client().await, "distribution", "order", pull))
            }
        }
    }

    pub(crate) async fn consume(&self, handler: &Recorder) -> Consumer {
        self.consume_from(handler, self.source().await)
    }

    pub(crate) fn consume_from(&self, handler: &Recorder, source: Box<dyn Source>) -> Consumer {
        let subscription =
            Subscription::new("distribution", "order", Arc::new(handler.clone())).on::<Counted>();
        let subscription = subscription.retries(QUICK);
        Consumer::new(self.consumer.db().clone(), subscription, source)
    }

    /// The effects in the order in which they happened: event, subject, number.
    pub(crate) async fn effects(&self) -> Vec<Effect> {
        let mut owner = self.consumer.owner().await;
        let rows =
            sqlx::query("select merchant_id, event_id, subject, n from effects order by place")
                .fetch_all(&mut owner)
                .await
                .unwrap();
        let effect = |row: sqlx::postgres::PgRow| Effect {
            merchant: row.get(0),
            event: row.get(1),
            subject: row.get(2),
            n: row.get(3),
        };
        rows.into_iter().map(effect).collect()
    }

    /// Every event told so far had its effects once, in the order of its subject.
    pub(crate) async fn assert_exactly_once(&self) {
        let mut owner = self.producer.owner().await;
        let told: Vec<Id<kind::Event>> =
            sqlx::query_scalar("select event_id from event_log order by position")
                .fetch_all(&mut owner)
                .await
                .unwrap();
        let effects = self.effects().await;
        let mut seen = HashSet::new();
        let mut last: HashMap<(Id<kind::Merchant>, &str), i64> = HashMap::new();
        for effect in &effects {
            assert!(seen.insert(effect.event), "{effect:?} happened twice");
            let before = last.insert((effect.merchant, &effect.subject), effect.n);
            assert!(before.is_none_or(|n| n < effect.n), "{effect:?} after {before:?}");
        }
        let missing: Vec<_> = told.iter().filter(|id| !seen.contains(id)).collect();
        assert!(missing.is_empty() && seen.len() == told.len(), "missing: {missing:?}");
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) merchant: Id<kind::Merchant>,
    pub(crate) event: Id<kind::Event>,
    pub(crate) subject: String,
    pub(crate) n: i64,
}

/// Waits that a test does not notice.
pub(crate) const QUICK: Retries =
    Retries { attempts: 3, first: Duration::from_millis(1), max: Duration::from_millis(2) };

/// Writes down every event, then fails as the test says.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    acts: Arc<Mutex<HashMap<i64, Act>>>,
    /// The numbers of each call.
    pub(crate) calls: Arc<Mutex<Vec<Vec<i64>>>>,
}

/// What the handler does when it has written down a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Fails so many times, then succeeds.
    Retry(u32),
    Unavailable(u32),
    Park,
    Panic,
    /// Cuts its own connection, once.
    CutConnection,
}

impl Recorder {
    pub(crate) fn act(&self, n: i64, act: Act) {
        self.acts.lock().unwrap().insert(n, act);
    }

    pub(crate) fn mend(&self) {
        self.acts.lock().unwrap().clear();
    }

    async fn perform(&self, tx: &mut Tx, n: i64) -> Result<(), HandlerError> {
        let next = {
            let mut acts = self.acts.lock().unwrap();
            let Some(act) = acts.remove(&n) else { return Ok(()) };
            match act {
                Act::Retry(0) | Act::Unavailable(0) => return Ok(()),
                Act::Retry(times) => acts.insert(n, Act::Retry(times - 1)),
                Act::Unavailable(times) => acts.insert(n, Act::Unavailable(times - 1)),
                Act::Park | Act::Panic => acts.insert(n, act),
                Act::CutConnection => None,
            };
            act
        };
        match next {
            Act::Retry(_) => Err(HandlerError::retry(format!("{n} is not ready"))),
            Act::Unavailable(_) => Err(HandlerError::Unavailable("no answer".into())),
            Act::Park => Err(HandlerError::park(format!("{n} is poison"))),
            Act::Panic => panic!("{n} is a bug"),
            Act::CutConnection => {
                sqlx::query("select pg_terminate_backend(pg_backend_pid())")
                    .execute(&mut **tx)
                    .await?;
                Ok(())
            }
        }
    }
}

#[tonic::async_trait]
impl Handler for Recorder {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let mut numbers = Vec::new();
        for event in events {
            assert_eq!(event.merchant, tx.merchant(), "a call has the events of one merchant");
            let Counted { n } = event.decode()?.expect("only this type was asked for");
            numbers.push(n);
            sqlx::query(
                "insert into effects (merchant_id, event_id, subject, n) values ($1, $2, $3, $4)",
            )
            .bind(tx.merchant())
            .bind(event.id)
            .bind(&*event.subject)
            .bind(n)
            .execute(&mut **tx)
            .await?;
            self.perform(tx, n).await?;
        }
        self.calls.lock().unwrap().push(numbers);
        Ok(())
    }
}

/// Polls a future so many times, then drops it: what a crash at that point leaves. Tells whether it came to its end.
pub(crate) async fn cut_after<F: Future>(polls: usize, work: F) -> Option<F::Output> {
    let mut work = Box::pin(work);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(cx).map(Some)
    })
    .await
}
