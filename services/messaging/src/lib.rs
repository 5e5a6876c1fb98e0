#![doc = include_str!("../README.md")]

pub mod campaign;
pub mod channel;
pub mod erasure;
pub mod job;
pub mod limits;
pub mod message;

use std::sync::Arc;

use siyu_events::{Log, Subscription};
use siyu_grpc::{Peer, Server};
use siyu_kernel::{Clock, Ids};
use siyu_pg::{Db, Migration};
use siyu_proto::{
    event::v1::event_log_service_server::EventLogServiceServer,
    messaging::v1::{
        campaign_service_server::CampaignServiceServer,
        message_service_server::MessageServiceServer,
    },
};

use channel::{Channels, Provider};
use job::Wakes;

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "messaging";

/// The schema on top of the libraries'.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1000,
        name: "create_campaigns",
        sql: include_str!("../migrations/1000_create_campaigns.sql"),
    },
    Migration {
        version: 1001,
        name: "create_messages",
        sql: include_str!("../migrations/1001_create_messages.sql"),
    },
    Migration {
        version: 1002,
        name: "create_sandbox",
        sql: include_str!("../migrations/1002_create_sandbox.sql"),
    },
    Migration {
        version: 1003,
        name: "add_campaign_audiences",
        sql: include_str!("../migrations/1003_add_campaign_audiences.sql"),
    },
    Migration {
        version: 1010,
        name: "add_purposes",
        sql: include_str!("../migrations/1010_add_purposes.sql"),
    },
];

/// The service: its database, its event log, the member service beside it, its channels, and where ids and, for work that
/// no request asked for, instants come from.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    log: Log,
    member: Peer,
    channels: Channels,
    wakes: Arc<Wakes>,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

impl App {
    /// The service on a database, beside the member service, with the channel `sandbox`.
    pub fn new(db: Db, member: Peer, ids: Arc<dyn Ids>, clock: Arc<dyn Clock>) -> Self {
        let channels = Channels::sandbox(db.clone());
        let wakes = Arc::default();
        Self { log: Log::new(db.clone(), NAME), db, member, channels, wakes, ids, clock }
    }

    /// The same service with another channel, or another provider of a channel that it has.
    #[must_use]
    pub fn with_channel(mut self, name: &'static str, provider: Arc<dyn Provider>) -> Self {
        self.channels.set(name, provider);
        self
    }

    /// The facts that it tells.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its methods.
    #[must_use]
    pub fn serve(&self, server: Server) -> Server {
        server
            .service(CampaignServiceServer::new(self.clone()))
            .service(MessageServiceServer::new(self.clone()))
            .service(EventLogServiceServer::new(self.log.service()))
    }

    /// What it follows of its siblings.
    pub fn subscriptions() -> Vec<Subscription> {
        vec![erasure::subscription()]
    }
}
