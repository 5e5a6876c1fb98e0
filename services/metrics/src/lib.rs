#![doc = include_str!("../README.md")]

pub mod audience;
pub mod cube;
pub mod engine;
pub mod fact;
pub mod limits;
pub mod look;
pub mod maintenance;
pub mod merchant;
pub mod merge;
pub mod retention;
pub mod sales;
pub mod triangle;
pub mod value;

use std::sync::{Arc, OnceLock};

use cube::cache::Cache;
use siyu_events::{Consumer, Log, Subscription};
use siyu_grpc::{Peer, Server};
use siyu_kernel::{Clock, Fault};
use siyu_pg::{Db, Migration};
use siyu_proto::{
    event::v1::event_log_service_server::EventLogServiceServer,
    metrics::v1::{
        maintenance_service_server::MaintenanceServiceServer,
        retention_service_server::RetentionServiceServer, sales_service_server::SalesServiceServer,
        triangle_service_server::TriangleServiceServer, value_service_server::ValueServiceServer,
    },
};

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "metrics";

/// The schema on top of the libraries'.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1000,
        name: "create_facts",
        sql: include_str!("../migrations/1000_create_facts.sql"),
    },
    Migration {
        version: 1001,
        name: "create_aggregates",
        sql: include_str!("../migrations/1001_create_aggregates.sql"),
    },
    Migration {
        version: 1002,
        name: "create_audience",
        sql: include_str!("../migrations/1002_create_audience.sql"),
    },
    Migration {
        version: 1003,
        name: "create_triangle_baselines",
        sql: include_str!("../migrations/1003_create_triangle_baselines.sql"),
    },
    Migration {
        version: 1004,
        name: "create_person_aliases",
        sql: include_str!("../migrations/1004_create_person_aliases.sql"),
    },
];

/// The service: its database, the figures in memory, and what it follows.
#[derive(Clone)]
pub struct App {
    db: Db,
    log: Log,
    cache: Cache,
    clock: Arc<dyn Clock>,
    followed: Arc<OnceLock<Vec<(Peer, Consumer)>>>,
}

impl App {
    /// The service on a database.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self {
            log: Log::new(db.clone(), NAME),
            cache: Cache::new(db.clone()),
            db,
            clock,
            followed: Arc::default(),
        }
    }

    /// The facts that it tells: none yet, but every service has a log.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its methods.
    #[must_use]
    pub fn serve(&self, server: Server) -> Server {
        server
            .service(SalesServiceServer::new(self.clone()))
            .service(RetentionServiceServer::new(self.clone()))
            .service(ValueServiceServer::new(self.clone()))
            .service(TriangleServiceServer::new(self.clone()))
            .service(MaintenanceServiceServer::new(self.clone()))
            .service(EventLogServiceServer::new(self.log.service()))
    }

    /// What it follows of its siblings.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        vec![
            merchant::events::subscription(self),
            fact::events::subscription(self),
            audience::events::of_messaging(self),
            audience::events::of_distribution(self),
        ]
    }

    /// Tells who follows which sibling, so that progress can be asked for. Only the first word counts.
    pub fn follow(&self, followed: Vec<(Peer, Consumer)>) {
        let _ = self.followed.set(followed);
    }

    /// Runs arithmetic that takes seconds on a thread of its own.
    async fn compute<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Fault> {
        tokio::task::spawn_blocking(work).await.map_err(Fault::internal)
    }
}
