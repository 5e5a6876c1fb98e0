//! One service in a process: its server, its sequencer, its consumers, its jobs.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use siyu_events::{
    Consumer, Log, NatsPublisher, NatsSettings, NatsSource, Pull, Retention, Source, Subscription,
};
use siyu_grpc::{App, Assertions, Peer, Server, Upstream};
use siyu_kernel::{Clock, Ids};
use siyu_pg::Db;
use siyu_proto::event::v1::event_log_service_client::EventLogServiceClient;
use siyu_runtime::{Policy, Readiness, SystemClock, SystemIds, Tasks};
use siyu_vault::Vault;

use super::{config::Events, services::Service};
use crate::exit::Failure;

/// The long poll of an event log takes up to 15 seconds.
const PULL_TIMEOUT: Duration = Duration::from_secs(40);
/// How often the database is asked whether it is there.
const PING_PAUSE: Duration = Duration::from_secs(1);

/// What every service of a process shares.
#[derive(Clone)]
pub struct Host {
    /// The background tasks.
    pub tasks: Tasks,
    /// Whether the process may be given work.
    pub readiness: Readiness,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// What services trust each other by.
    pub assertions: Arc<Assertions>,
    /// What personal data and secrets are sealed in; only the member and the order service have one.
    pub vault: Option<Vault>,
    /// Where payment companies may be besides their own addresses.
    pub provider_origins: Vec<String>,
    /// The bounds of a server.
    pub limits: siyu_grpc::Settings,
    /// The broker; events are pulled without one.
    pub nats: Option<Nats>,
    /// How long events are kept.
    pub events: Events,
}

/// The broker.
#[derive(Clone)]
pub struct Nats {
    /// Its address.
    pub url: String,
}

/// The ways to the other services.
pub type Upstreams = BTreeMap<Service, Upstream>;

impl Host {
    /// A host with the real clock and ids.
    pub fn new(
        assertions: Arc<Assertions>,
        limits: siyu_grpc::Settings,
        nats: Option<Nats>,
        vault: Option<Vault>,
    ) -> Self {
        Self {
            tasks: Tasks::new(),
            readiness: Readiness::new(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            assertions,
            vault,
            provider_origins: Vec::new(),
            limits,
            nats,
            events: Events::default(),
        }
    }

    /// Starts a service on its database, beside its peers; what comes back answers its calls.
    pub async fn start(
        &self,
        service: Service,
        db: &Db,
        upstreams: &Upstreams,
    ) -> Result<App, Failure> {
        let server = Server::new(
            self.limits.clone(),
            self.assertions.clone(),
            self.clock.clone(),
            self.readiness.clone(),
        );
        let member = || self.peer(service, Service::Member, upstreams);
        let (server, log, subscriptions) = match service {
            Service::Member => {
                let app = self.member(db).await?;
                for job in app.jobs() {
                    self.spawn(job.name(), move |cancel| job.clone().run(cancel));
                }
                (app.serve(server), app.log().clone(), app.subscriptions())
            }
            Service::Order => {
                let app = self.order(db, member()?).await?;
                for job in app.jobs() {
                    self.spawn(job.name(), move |cancel| job.clone().run(cancel));
                }
                (app.serve(server), app.log().clone(), app.subscriptions())
            }
            Service::Distribution => {
                let app =
                    siyu_distribution::App::new(db.clone(), self.ids.clone(), self.clock.clone());
                (app.serve(server), app.log().clone(), app.subscriptions())
            }
            Service::Messaging => {
                let app = siyu_messaging::App::new(
                    db.clone(),
                    member()?,
                    self.ids.clone(),
                    self.clock.clone(),
                );
                for job in app.jobs() {
                    self.spawn(job.name(), move |cancel| job.clone().run(cancel));
                }
                (app.serve(server), app.log().clone(), siyu_messaging::App::subscriptions())
            }
            Service::Metrics => {
                let app = siyu_metrics::App::new(db.clone(), self.clock.clone());
                let followed = self.follow(service, db, app.subscriptions(), upstreams).await?;
                app.follow(followed);
                let fold = app.clone();
                self.spawn("metrics.fold", move |cancel| {
                    siyu_metrics::maintenance::jobs::fold(fold.clone(), cancel)
                });
                (app.serve(server), app.log().clone(), Vec::new())
            }
            Service::Gateway => return Err(Failure::failed("the gateway is started by itself")),
        };
        self.follow(service, db, subscriptions, upstreams).await?;
        self.publish(service, &log).await?;
        self.watch(service, db);
        server.build().map_err(Failure::because)
    }

    /// The member service, with its personal data in order.
    async fn member(&self, db: &Db) -> Result<siyu_member::App, Failure> {
        let vault = self.vault.clone().expect("whoever starts the member service has its vault");
        let app = siyu_member::App::new(db.clone(), vault, self.ids.clone(), self.clock.clone());
        app.prepare().await.map_err(Failure::because)?;
        Ok(app)
    }

    /// The order service, with its secrets in order.
    async fn order(&self, db: &Db, member: Peer) -> Result<siyu_order::App, Failure> {
        let vault = self.vault.clone().expect("whoever starts the order service has its vault");
        let (ids, clock) = (self.ids.clone(), self.clock.clone());
        let app = siyu_order::App::new(db.clone(), member, vault, ids, clock)
            .with_provider_origins(self.provider_origins.iter().cloned());
        app.prepare().await.map_err(Failure::because)?;
        Ok(app)
    }

    fn peer(&self, service: Service, of: Service, upstreams: &Upstreams) -> Result<Peer, Failure> {
        let upstream = upstreams.get(&of).ok_or_else(|| {
            let (key, name) = (format!("peers.{}", of.name()), service.name());
            Failure::usage(format!("{key} is not set: the {name} service asks {}", of.name()))
        })?;
        Ok(Peer::new(upstream.clone(), service.name(), self.assertions.clone(), self.clock.clone()))
    }

    /// Follows the logs of siblings.
    async fn follow(
        &self,
        service: Service,
        db: &Db,
        subscriptions: Vec<Subscription>,
        upstreams: &Upstreams,
    ) -> Result<Vec<(Peer, Consumer)>, Failure> {
        let mut followed = Vec::new();
        for subscription in subscriptions {
            let name = subscription.source();
            let of = Service::of_name(name).expect("services follow services");
            if !of.followers().contains(&service.name()) {
                // A mistake of ours that costs nothing before the first event is old.
                tracing::error!(
                    service = service.name(),
                    of = name,
                    "follows, but is not among the followers"
                );
            }
            let peer = self.peer(service, of, upstreams)?;
            let pull =
                Pull::new(EventLogServiceClient::new(peer.as_service(None).timeout(PULL_TIMEOUT)));
            let pull: Box<dyn Source> = Box::new(pull);
            let source: Box<dyn Source> = match &self.nats {
                Some(nats) => {
                    let client = connect(nats, service).await?;
                    Box::new(NatsSource::new(client, service.name(), name, pull))
                }
                None => pull,
            };
            let consumer = Consumer::new(db.clone(), subscription, source);
            let task = consumer.clone();
            self.spawn(&format!("{}.{}", service.name(), consumer.task_name()), move |cancel| {
                task.clone().run(cancel)
            });
            followed.push((peer, consumer));
        }
        Ok(followed)
    }

    /// Gives the facts of a service their positions, and tells the broker.
    async fn publish(&self, service: Service, log: &Log) -> Result<(), Failure> {
        let sequencer = log.sequencer();
        self.spawn(&format!("{}.sequencer", service.name()), move |cancel| {
            sequencer.clone().run(cancel)
        });
        if self.events.retention_days > 0 {
            let (days, readers) = (self.events.retention_days, service.followers());
            let retention = Retention::new(log.clone(), self.clock.clone(), days, readers);
            self.spawn(&format!("{}.retention", service.name()), move |cancel| {
                retention.clone().run(cancel)
            });
        }
        let Some(nats) = &self.nats else { return Ok(()) };
        let publisher =
            NatsPublisher::new(log.clone(), connect(nats, service).await?, NatsSettings::default());
        self.spawn(&format!("{}.publisher", service.name()), move |cancel| {
            publisher.clone().run(cancel)
        });
        Ok(())
    }

    /// Tells whether the database is there.
    pub fn watch(&self, service: Service, db: &Db) {
        let component = self.readiness.component(&format!("{}.database", service.name()));
        let db = db.clone();
        self.spawn(&format!("{}.watch", service.name()), move |cancel| {
            let (db, component) = (db.clone(), component.clone());
            async move {
                while !cancel.is_cancelled() {
                    match db.ping().await {
                        Ok(()) => component.ready(),
                        Err(error) => component.not_ready(error.to_string()),
                    }
                    cancel.run_until_cancelled(siyu_runtime::pause(PING_PAUSE)).await;
                }
                Ok::<(), Infallible>(())
            }
        });
    }

    fn spawn<W, F, E>(&self, name: &str, work: W)
    where
        W: FnMut(siyu_runtime::CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        drop(self.tasks.spawn(name.to_owned(), Policy::restart(), work));
    }
}

async fn connect(nats: &Nats, service: Service) -> Result<async_nats::Client, Failure> {
    siyu_events::nats::connect(&nats.url, &format!("siyu-{}", service.name()))
        .await
        .map_err(|error| Failure::failed(format!("nats.url: {error}")))
}
