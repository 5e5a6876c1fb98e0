#![doc = include_str!("../README.md")]

pub mod buyer;
pub mod checkout;
pub mod coupon;
pub mod directory;
pub mod import;
pub mod item;
pub mod job;
pub mod limits;
pub mod order;
pub mod price;
pub mod promotion;
pub mod quote;
pub mod refund;
pub mod tender;

use std::sync::Arc;

use directory::Directory;
use job::Job;
use siyu_events::{Log, Subscription};
use siyu_grpc::{Peer, Server};
use siyu_kernel::{Clock, Ids};
use siyu_pg::{Db, Migration};
use siyu_proto::{
    event::v1::event_log_service_server::EventLogServiceServer,
    order::v1::{
        checkout_service_server::CheckoutServiceServer, coupon_service_server::CouponServiceServer,
        import_service_server::ImportServiceServer, item_service_server::ItemServiceServer,
        order_service_server::OrderServiceServer, promotion_service_server::PromotionServiceServer,
        quote_service_server::QuoteServiceServer,
    },
};

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "order";

/// The schema on top of the libraries'.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1000,
        name: "create_orders",
        sql: include_str!("../migrations/1000_create_orders.sql"),
    },
    Migration {
        version: 1001,
        name: "create_import",
        sql: include_str!("../migrations/1001_create_import.sql"),
    },
    Migration {
        version: 1002,
        name: "add_paid_version",
        sql: include_str!("../migrations/1002_add_paid_version.sql"),
    },
    Migration {
        version: 1003,
        name: "create_buyer_aliases",
        sql: include_str!("../migrations/1003_create_buyer_aliases.sql"),
    },
    Migration {
        version: 1010,
        name: "create_catalogue",
        sql: include_str!("../migrations/1010_create_catalogue.sql"),
    },
    Migration {
        version: 1011,
        name: "create_coupons",
        sql: include_str!("../migrations/1011_create_coupons.sql"),
    },
    Migration {
        version: 1020,
        name: "create_checkouts",
        sql: include_str!("../migrations/1020_create_checkouts.sql"),
    },
];

/// The service: its database, its event log, the member service and what is remembered of it, and where ids and, for work that
/// no request asked for, instants come from.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    log: Log,
    member: Peer,
    directory: Directory,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

impl App {
    /// The service on a database, beside the member service.
    pub fn new(db: Db, member: Peer, ids: Arc<dyn Ids>, clock: Arc<dyn Clock>) -> Self {
        let (log, directory) = (Log::new(db.clone(), NAME), Directory::new(member.clone()));
        Self { db, log, member, directory, ids, clock }
    }

    /// The facts that it tells.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its methods.
    #[must_use]
    pub fn serve(&self, server: Server) -> Server {
        let import = ImportServiceServer::new(self.clone())
            .max_decoding_message_size(siyu_grpc::limits::IMPORT_MESSAGE_BYTES);
        server
            .service(OrderServiceServer::new(self.clone()))
            .service(import)
            .service(CheckoutServiceServer::new(self.clone()))
            .service(CouponServiceServer::new(self.clone()))
            .service(ItemServiceServer::new(self.clone()))
            .service(PromotionServiceServer::new(self.clone()))
            .service(QuoteServiceServer::new(self.clone()))
            .service(EventLogServiceServer::new(self.log.service()))
    }

    /// What it does by itself.
    pub fn jobs(&self) -> Vec<Job> {
        job::all(self)
    }

    /// What it follows of its siblings.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        vec![buyer::subscription(self)]
    }
}
