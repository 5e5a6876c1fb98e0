#![doc = include_str!("../README.md")]

pub mod buyer;
pub mod checkout;
pub mod coupon;
pub mod directory;
pub mod guarantee;
pub mod import;
pub mod item;
pub mod job;
pub mod limits;
pub mod location;
mod migrations;
pub mod order;
pub mod price;
pub mod promotion;
pub mod quote;
pub mod refund;
pub mod stock;
pub mod tender;

pub use migrations::MIGRATIONS;

use std::sync::Arc;

use directory::Directory;
use job::Job;
use siyu_events::{Log, Subscription};
use siyu_grpc::{Peer, Server};
use siyu_kernel::{Clock, Ids};
use siyu_pg::Db;
use siyu_proto::{
    event::v1::event_log_service_server::EventLogServiceServer,
    order::v1::{
        checkout_service_server::CheckoutServiceServer, coupon_service_server::CouponServiceServer,
        guarantee_service_server::GuaranteeServiceServer,
        import_service_server::ImportServiceServer, item_service_server::ItemServiceServer,
        location_service_server::LocationServiceServer, order_service_server::OrderServiceServer,
        promotion_service_server::PromotionServiceServer, quote_service_server::QuoteServiceServer,
        stock_service_server::StockServiceServer,
    },
};

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "order";

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
            .service(LocationServiceServer::new(self.clone()))
            .service(StockServiceServer::new(self.clone()))
            .service(GuaranteeServiceServer::new(self.clone()))
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
