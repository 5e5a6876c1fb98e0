#![doc = include_str!("../README.md")]

pub mod binding;
pub mod buyer;
pub mod commission;
pub mod limits;
pub mod promoter;

use std::sync::Arc;

use siyu_events::{Log, Subscription};
use siyu_grpc::Server;
use siyu_kernel::{Clock, Ids};
use siyu_pg::{Db, Migration};
use siyu_proto::{
    distribution::v1::{
        binding_service_server::BindingServiceServer,
        commission_service_server::CommissionServiceServer,
        promoter_service_server::PromoterServiceServer,
    },
    event::v1::event_log_service_server::EventLogServiceServer,
};

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "distribution";

/// The schema on top of the libraries'.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1000,
        name: "create_promoters",
        sql: include_str!("../migrations/1000_create_promoters.sql"),
    },
    Migration {
        version: 1001,
        name: "create_commissions",
        sql: include_str!("../migrations/1001_create_commissions.sql"),
    },
    Migration {
        version: 1002,
        name: "create_buyer_aliases",
        sql: include_str!("../migrations/1002_create_buyer_aliases.sql"),
    },
    Migration {
        version: 1032,
        name: "create_order_disputes",
        sql: include_str!("../migrations/1032_create_order_disputes.sql"),
    },
];

/// The service: its database, its event log, and where ids and, for work that no request asked for, instants come from.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    log: Log,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

impl App {
    /// The service on a database.
    pub fn new(db: Db, ids: Arc<dyn Ids>, clock: Arc<dyn Clock>) -> Self {
        Self { log: Log::new(db.clone(), NAME), db, ids, clock }
    }

    /// The facts that it tells.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its methods.
    #[must_use]
    pub fn serve(&self, server: Server) -> Server {
        server
            .service(PromoterServiceServer::new(self.clone()))
            .service(BindingServiceServer::new(self.clone()))
            .service(CommissionServiceServer::new(self.clone()))
            .service(EventLogServiceServer::new(self.log.service()))
    }

    /// What it follows of its siblings.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        vec![commission::subscription(self), buyer::subscription()]
    }
}
