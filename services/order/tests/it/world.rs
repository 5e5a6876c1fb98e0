//! The service with its database, its clock, and the member service beside it.

use std::sync::Arc;

use prost_types::Timestamp;
use siyu_events::Event;
use siyu_grpc::{Assertions, Call, Caller, Peer, Scopes, Server, Settings, Upstream, fault};
use siyu_kernel::{Clock, Fault, Ids};
use siyu_order::App;
use siyu_pg::{Migration, base_migrations};
use siyu_proto::{
    member::v1::{
        identity_service_server::IdentityServiceServer,
        merchant_service_server::MerchantServiceServer, person_service_server::PersonServiceServer,
        points_service_server::PointsServiceServer, region_service_server::RegionServiceServer,
        store_service_server::StoreServiceServer,
        stored_value_service_server::StoredValueServiceServer,
    },
    order::v1::{
        attribution_service_client::AttributionServiceClient,
        bargain_service_client::BargainServiceClient,
        blind_box_service_client::BlindBoxServiceClient,
        checkout_service_client::CheckoutServiceClient, coupon_service_client::CouponServiceClient,
        flash_sale_service_client::FlashSaleServiceClient,
        fulfilment_service_client::FulfilmentServiceClient, fx_service_client::FxServiceClient,
        group_buy_service_client::GroupBuyServiceClient,
        guarantee_service_client::GuaranteeServiceClient,
        import_service_client::ImportServiceClient, invoice_service_client::InvoiceServiceClient,
        item_service_client::ItemServiceClient, location_service_client::LocationServiceClient,
        order_service_client::OrderServiceClient,
        parcel_card_service_client::ParcelCardServiceClient,
        payment_service_client::PaymentServiceClient,
        price_list_service_client::PriceListServiceClient,
        promotion_service_client::PromotionServiceClient, quote_service_client::QuoteServiceClient,
        reconciliation_service_client::ReconciliationServiceClient,
        red_packet_service_client::RedPacketServiceClient,
        refund_service_client::RefundServiceClient,
        settlement_service_client::SettlementServiceClient,
        stock_service_client::StockServiceClient, *,
    },
    r#type::v1::Money,
};
use siyu_runtime::{Policy, Progress, Readiness, Steps, Tasks, random_bytes};
use siyu_testkit::{Database, FixedClock, SeededIds, merchant, told};
use siyu_vault::Vault;

use crate::member::Member;

const SCHEMA: &[&[Migration]] =
    &[base_migrations(), siyu_events::MIGRATIONS, siyu_ledger::MIGRATIONS, siyu_order::MIGRATIONS];

/// The configured key of the vault.
const VAULT_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// 2024-06-01T00:00:00Z, the instant of the clock.
pub(crate) const NOW: i64 = 1_717_200_000;

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) member: Member,
    pub(crate) app: App,
    pub(crate) clock: FixedClock,
    door: Peer,
}

/// A fact that an order told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Paid(OrderFacts),
    Revised(OrderFacts),
    Voided(OrderFacts),
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&FixedClock::at("2024-06-01T00:00:00Z"), &[]).await
    }

    /// The service by a clock, with payment companies at these addresses.
    pub(crate) async fn with(clock: &FixedClock, origins: &[String]) -> Self {
        let database = Database::fresh(SCHEMA).await;
        let clock = clock.clone();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let assertions = Arc::new(Assertions::new(&[7; 32]).unwrap());
        let server = |assertions: &Arc<Assertions>| {
            Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new())
        };
        let member = Member::default();
        let siblings = server(&assertions)
            .service(PersonServiceServer::new(member.clone()))
            .service(IdentityServiceServer::new(member.clone()))
            .service(StoreServiceServer::new(member.clone()))
            .service(PointsServiceServer::new(member.clone()))
            .service(StoredValueServiceServer::new(member.clone()))
            .service(RegionServiceServer::new(member.clone()))
            .service(MerchantServiceServer::new(member.clone()));
        let siblings = Upstream::in_process(siblings.build().unwrap());
        let peer = Peer::new(siblings, "order", assertions.clone(), shared.clone());
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(1));
        let vault = Vault::new(VAULT_KEY, "", random_bytes::<32>).unwrap();
        let app = App::new(database.db().clone(), peer, vault, ids, shared.clone());
        let app = app.with_provider_origins(origins.iter().cloned());
        run_desk(&app);
        let own = Upstream::in_process(app.serve(server(&assertions)).build().unwrap());
        let door = Peer::new(own, "gateway", assertions, shared.clone());
        Self { database, member, app, clock, door }
    }

    fn call(&self, who: u32) -> Call {
        self.door.call(Caller::Merchant(merchant(who)), "test".into(), Scopes::all())
    }

    pub(crate) fn imports(&self, who: u32) -> ImportServiceClient<Call> {
        ImportServiceClient::new(self.call(who))
    }

    pub(crate) fn coupons(&self, who: u32) -> CouponServiceClient<Call> {
        CouponServiceClient::new(self.call(who))
    }

    pub(crate) fn checkouts(&self, who: u32) -> CheckoutServiceClient<Call> {
        CheckoutServiceClient::new(self.call(who))
    }

    pub(crate) fn guarantees(&self, who: u32) -> GuaranteeServiceClient<Call> {
        GuaranteeServiceClient::new(self.call(who))
    }

    pub(crate) fn attributions(&self, who: u32) -> AttributionServiceClient<Call> {
        AttributionServiceClient::new(self.call(who))
    }

    pub(crate) fn settlements(&self, who: u32) -> SettlementServiceClient<Call> {
        SettlementServiceClient::new(self.call(who))
    }

    pub(crate) fn fulfilment(&self, who: u32) -> FulfilmentServiceClient<Call> {
        FulfilmentServiceClient::new(self.call(who))
    }

    pub(crate) fn invoices(&self, who: u32) -> InvoiceServiceClient<Call> {
        InvoiceServiceClient::new(self.call(who))
    }

    pub(crate) fn rates(&self, who: u32) -> FxServiceClient<Call> {
        FxServiceClient::new(self.call(who))
    }

    pub(crate) fn red_packets(&self, who: u32) -> RedPacketServiceClient<Call> {
        RedPacketServiceClient::new(self.call(who))
    }

    pub(crate) fn groups(&self, who: u32) -> GroupBuyServiceClient<Call> {
        GroupBuyServiceClient::new(self.call(who))
    }

    pub(crate) fn bargains(&self, who: u32) -> BargainServiceClient<Call> {
        BargainServiceClient::new(self.call(who))
    }

    pub(crate) fn flash_sales(&self, who: u32) -> FlashSaleServiceClient<Call> {
        FlashSaleServiceClient::new(self.call(who))
    }

    pub(crate) fn boxes(&self, who: u32) -> BlindBoxServiceClient<Call> {
        BlindBoxServiceClient::new(self.call(who))
    }

    pub(crate) fn items(&self, who: u32) -> ItemServiceClient<Call> {
        ItemServiceClient::new(self.call(who))
    }

    pub(crate) fn promotions(&self, who: u32) -> PromotionServiceClient<Call> {
        PromotionServiceClient::new(self.call(who))
    }

    pub(crate) fn price_lists(&self, who: u32) -> PriceListServiceClient<Call> {
        PriceListServiceClient::new(self.call(who))
    }

    pub(crate) fn quotes(&self, who: u32) -> QuoteServiceClient<Call> {
        QuoteServiceClient::new(self.call(who))
    }

    pub(crate) fn locations(&self, who: u32) -> LocationServiceClient<Call> {
        LocationServiceClient::new(self.call(who))
    }

    pub(crate) fn stocks(&self, who: u32) -> StockServiceClient<Call> {
        StockServiceClient::new(self.call(who))
    }

    pub(crate) fn refunds(&self, who: u32) -> RefundServiceClient<Call> {
        RefundServiceClient::new(self.call(who))
    }

    pub(crate) fn orders(&self, who: u32) -> OrderServiceClient<Call> {
        OrderServiceClient::new(self.call(who))
    }

    pub(crate) fn parcel_cards(&self, who: u32) -> ParcelCardServiceClient<Call> {
        ParcelCardServiceClient::new(self.call(who))
    }

    pub(crate) fn payments(&self, who: u32) -> PaymentServiceClient<Call> {
        PaymentServiceClient::new(self.call(who))
    }

    pub(crate) fn reconciliation(&self, who: u32) -> ReconciliationServiceClient<Call> {
        ReconciliationServiceClient::new(self.call(who))
    }

    /// Runs the jobs until none has anything to do at this instant.
    pub(crate) async fn run_jobs(&self) {
        loop {
            let mut progress = Progress::Idle;
            for job in self.app.jobs() {
                progress = progress.or(job.step().await.unwrap());
            }
            if progress == Progress::Idle {
                return;
            }
        }
    }

    /// Imports orders of merchant 1.
    pub(crate) async fn import(&self, orders: &[ExternalOrder]) -> Vec<ImportResult> {
        self.try_import(1, orders).await.unwrap()
    }

    pub(crate) async fn try_import(
        &self,
        who: u32,
        orders: &[ExternalOrder],
    ) -> Result<Vec<ImportResult>, Fault> {
        let request = ImportOrdersRequest { orders: orders.to_vec() };
        let reply = self.imports(who).import_orders(request).await.map_err(fault)?;
        Ok(reply.into_inner().results)
    }

    pub(crate) async fn get(&self, who: u32, order_id: &str) -> Result<Order, Fault> {
        let request = GetOrderRequest { order_id: order_id.into() };
        let reply = self.orders(who).get_order(request).await.map_err(fault)?;
        Ok(reply.into_inner().order.unwrap())
    }

    /// Everything that orders told, in the order of the log.
    pub(crate) async fn told(&self) -> Vec<Told> {
        let of_orders = |event: &&Event| event.subject.starts_with("ord_");
        told(self.app.log()).await.iter().filter(of_orders).map(read).collect()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut owner = self.database.owner().await;
        sqlx::query_scalar(sql).fetch_one(&mut owner).await.unwrap()
    }
}

/// Works on reservations that callers hand in.
pub(crate) fn run_desk(app: &App) {
    let name = "order.reservations";
    let desk = app.jobs().into_iter().find(|job| job.name() == name).unwrap();
    drop(Tasks::new().spawn(name, Policy::Log, move |cancel| desk.clone().run(cancel)));
}

fn read(event: &Event) -> Told {
    let told = if let Some(fact) = event.decode::<OrderPaid>().unwrap() {
        Told::Paid(fact.facts.unwrap())
    } else if let Some(fact) = event.decode::<OrderRevised>().unwrap() {
        Told::Revised(fact.facts.unwrap())
    } else {
        Told::Voided(event.decode::<OrderVoided>().unwrap().unwrap().facts.unwrap())
    };
    assert_eq!(*event.subject, *told.facts().order_id);
    told
}

impl Told {
    pub(crate) const fn facts(&self) -> &OrderFacts {
        match self {
            Self::Paid(facts) | Self::Revised(facts) | Self::Voided(facts) => facts,
        }
    }

    /// The kind, the amount and the revision.
    pub(crate) const fn brief(&self) -> (&'static str, i64, i64) {
        let kind = match self {
            Self::Paid(_) => "paid",
            Self::Revised(_) => "revised",
            Self::Voided(_) => "voided",
        };
        (kind, self.facts().paid_minor, self.facts().revision)
    }
}

/// An order of Tmall with lines of these amounts, paid an hour ago.
pub(crate) fn order(order_no: &str, amounts: &[i64]) -> ExternalOrder {
    let lines = (1..).zip(amounts).map(|(line_no, &minor)| line(line_no, minor)).collect();
    ExternalOrder {
        platform: "tmall".into(),
        shop_id: "shop".into(),
        order_no: order_no.into(),
        buyer_id: "buyer".into(),
        pay_time: Some(at(-3_600)),
        domain: Domain::Public.into(),
        lines,
        ..Default::default()
    }
}

pub(crate) fn line(line_no: i32, minor: i64) -> OrderLine {
    OrderLine { line_no, quantity: 1, paid: Some(yuan(minor)), ..Default::default() }
}

pub(crate) fn yuan(minor_units: i64) -> Money {
    Money { currency_code: "CNY".into(), minor_units }
}

/// So many seconds after the instant of the clock.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds: NOW + seconds, nanos: 0 }
}

/// The platform's version: so many seconds after payment.
pub(crate) fn version(order: ExternalOrder, seconds: i64) -> ExternalOrder {
    ExternalOrder { update_time: Some(at(seconds - 3_600)), ..order }
}

pub(crate) fn status(order: ExternalOrder, word: &str) -> ExternalOrder {
    ExternalOrder { status: word.into(), ..order }
}

pub(crate) fn outcomes(results: &[ImportResult]) -> Vec<ImportOutcome> {
    results.iter().map(ImportResult::outcome).collect()
}
