#![doc = include_str!("../README.md")]

pub mod attribution;
pub mod bargain;
pub mod blind_box;
pub mod buyer;
pub mod checkout;
pub mod claim;
pub mod condition;
pub mod coupon;
pub mod directory;
pub mod flash_sale;
pub mod fulfilment;
pub mod fx;
pub mod group;
pub mod guarantee;
pub mod import;
pub mod invoice;
pub mod item;
pub mod job;
pub mod limits;
pub mod location;
pub mod market;
mod migrations;
pub mod order;
pub mod parcel_card;
pub mod payment;
pub mod price;
pub mod price_list;
pub mod promotion;
pub mod quote;
pub mod reconciliation;
pub mod red_packet;
pub mod refund;
pub mod settlement;
pub mod stock;
pub mod tender;

pub use migrations::MIGRATIONS;

use std::sync::Arc;

use directory::Directory;
use job::Job;
use payment::wechat::{self, Http};
use siyu_events::{Log, Subscription};
use siyu_grpc::{Peer, Server};
use siyu_kernel::{Clock, Fault, Ids};
use siyu_pg::Db;
use siyu_proto::{
    event::v1::event_log_service_server::EventLogServiceServer,
    order::v1::{
        attribution_service_server::AttributionServiceServer,
        bargain_service_server::BargainServiceServer,
        blind_box_service_server::BlindBoxServiceServer,
        checkout_service_server::CheckoutServiceServer, coupon_service_server::CouponServiceServer,
        flash_sale_service_server::FlashSaleServiceServer,
        fulfilment_service_server::FulfilmentServiceServer, fx_service_server::FxServiceServer,
        group_buy_service_server::GroupBuyServiceServer,
        guarantee_service_server::GuaranteeServiceServer,
        import_service_server::ImportServiceServer, invoice_service_server::InvoiceServiceServer,
        item_service_server::ItemServiceServer, location_service_server::LocationServiceServer,
        order_service_server::OrderServiceServer,
        parcel_card_service_server::ParcelCardServiceServer,
        payment_service_server::PaymentServiceServer,
        price_list_service_server::PriceListServiceServer,
        promotion_service_server::PromotionServiceServer, quote_service_server::QuoteServiceServer,
        reconciliation_service_server::ReconciliationServiceServer,
        red_packet_service_server::RedPacketServiceServer,
        refund_service_server::RefundServiceServer,
        settlement_service_server::SettlementServiceServer,
        stock_service_server::StockServiceServer,
    },
};
use siyu_vault::Vault;
use stock::desk::Desk;

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "order";

/// The service: its database, its event log, the member service and what is remembered of it, the vault of its secrets, its way
/// to payment companies, the desk for reservations that many want, and where ids and, for work that no request asked for,
/// instants come from.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    log: Log,
    member: Peer,
    directory: Directory,
    vault: Vault,
    http: Http,
    provider_origins: Arc<[String]>,
    desk: Desk,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
    random: fn() -> [u8; 32],
    red_packets: Arc<dyn red_packet::provider::Provider>,
}

impl App {
    /// The service on a database, beside the member service.
    pub fn new(
        db: Db,
        member: Peer,
        vault: Vault,
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            log: Log::new(db.clone(), NAME),
            desk: Desk::new(&db, &ids),
            db,
            directory: Directory::new(member.clone()),
            member,
            vault,
            http: Http::new(),
            provider_origins: [wechat::ORIGIN, wechat::ORIGIN_BESIDE].map(str::to_owned).into(),
            ids,
            clock,
            random: siyu_runtime::random_bytes,
            red_packets: Arc::new(red_packet::provider::Sandbox),
        }
    }

    /// The same service, which may reach payment companies at other addresses, too: `https://host:port`. Merchants choose among
    /// them, so none may lead inside.
    #[must_use]
    pub fn with_provider_origins(mut self, origins: impl IntoIterator<Item = String>) -> Self {
        self.provider_origins = self.provider_origins.iter().cloned().chain(origins).collect();
        self
    }

    /// Makes sure that secrets can be read and written, before anything is served.
    pub async fn prepare(&self) -> Result<(), Fault> {
        self.vault.check(&self.db, "order.check_vault").await
    }

    /// The service with other bytes that nobody can guess, for codes and draws: those of a test.
    #[must_use]
    pub fn with_random(self, random: fn() -> [u8; 32]) -> Self {
        Self { random, ..self }
    }

    /// The service with somebody else who pays red packets out than the sandbox.
    #[must_use]
    pub fn with_red_packets(self, red_packets: Arc<dyn red_packet::provider::Provider>) -> Self {
        Self { red_packets, ..self }
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
            .service(ParcelCardServiceServer::new(self.clone()))
            .service(import)
            .service(CheckoutServiceServer::new(self.clone()))
            .service(CouponServiceServer::new(self.clone()))
            .service(InvoiceServiceServer::new(self.clone()))
            .service(ItemServiceServer::new(self.clone()))
            .service(PaymentServiceServer::new(self.clone()))
            .service(AttributionServiceServer::new(self.clone()))
            .service(FulfilmentServiceServer::new(self.clone()))
            .service(FxServiceServer::new(self.clone()))
            .service(RedPacketServiceServer::new(self.clone()))
            .service(SettlementServiceServer::new(self.clone()))
            .service(GroupBuyServiceServer::new(self.clone()))
            .service(BargainServiceServer::new(self.clone()))
            .service(FlashSaleServiceServer::new(self.clone()))
            .service(BlindBoxServiceServer::new(self.clone()))
            .service(PromotionServiceServer::new(self.clone()))
            .service(RefundServiceServer::new(self.clone()))
            .service(QuoteServiceServer::new(self.clone()))
            .service(LocationServiceServer::new(self.clone()))
            .service(PriceListServiceServer::new(self.clone()))
            .service(StockServiceServer::new(self.clone()))
            .service(GuaranteeServiceServer::new(self.clone()))
            .service(ReconciliationServiceServer::new(self.clone()))
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
