//! A shop under load: a catalogue with stock, buyers, and an account at the sandbox; and the calls of one order, from its
//! placing to its payment.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::try_join_all;
use siyu::client::Authorized;
use siyu_proto::{
    member::v1::{Identity, IdentityKind, IdentitySet, ResolvePersonsRequest},
    order::v1::{
        AdjustStockRequest, CartLine, CheckoutPolicy, Item, Location, LocationKind, OfflineAccount,
        PaymentMethod, PlaceOrderRequest, ProviderAccount, QueryPaymentRequest, QuoteCartRequest,
        RecordPaymentRequest, SandboxAccount, SandboxAct, SetCheckoutPolicyRequest,
        SimulatePaymentRequest, Sku, StartPaymentRequest, UpsertItemsRequest,
        UpsertLocationsRequest, UpsertProviderAccountsRequest,
        checkout_service_client::CheckoutServiceClient, item_service_client::ItemServiceClient,
        location_service_client::LocationServiceClient,
        payment_service_client::PaymentServiceClient, provider_account::With,
        quote_service_client::QuoteServiceClient, stock_service_client::StockServiceClient,
    },
    r#type::v1::Money,
};
use tonic::Status;

use crate::{Bench, Result};

/// SKUs of the catalogue: enough that orders seldom meet at one.
pub(super) const SKUS: usize = 1_000;
/// Buyers, each of whom buys at a flash sale, too.
pub(super) const BUYERS: usize = 5_000;
/// Pieces of each SKU: more than are sold.
const PIECES: i64 = 1_000_000;
/// What a piece costs, in minor units.
const PRICE: i64 = 19_900;
/// The location that everything comes from.
pub(super) const LOCATION: &str = "main";

/// How an order is paid.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// Begun with the sandbox, paid by the buyer, asked for.
    Sandbox,
    /// In cash, and recorded.
    Till,
}

pub(super) struct Shop {
    pub(super) channel: Authorized,
    pub(super) buyers: Vec<String>,
    requests: AtomicUsize,
}

impl Shop {
    pub(super) async fn open(bench: &Bench) -> Result<Self> {
        let channel = bench.client.channel();
        let shop = Self { channel, buyers: buyers(bench).await?, requests: AtomicUsize::new(0) };
        shop.furnish().await?;
        let codes: Vec<String> = (0..SKUS).map(sku).collect();
        shop.sell(&codes).await?;
        try_join_all((0..16).map(|lane| shop.stock_up(lane, &codes))).await?;
        Ok(shop)
    }

    /// Where goods come from and money goes.
    async fn furnish(&self) -> Result<()> {
        let location = Location {
            code: LOCATION.into(),
            name: "the warehouse".into(),
            kind: LocationKind::Warehouse.into(),
            ..Default::default()
        };
        let request = UpsertLocationsRequest { locations: vec![location] };
        LocationServiceClient::new(self.channel.clone()).upsert_locations(request).await?;
        let policy = CheckoutPolicy { location_code: LOCATION.into(), ..Default::default() };
        let request = SetCheckoutPolicyRequest { policy: Some(policy) };
        CheckoutServiceClient::new(self.channel.clone()).set_checkout_policy(request).await?;
        let account = |code: &str, with| ProviderAccount {
            code: code.into(),
            name: code.into(),
            paused: false,
            with: Some(with),
        };
        let accounts = vec![
            account("box", With::Sandbox(SandboxAccount {})),
            account("till", With::Offline(OfflineAccount {})),
        ];
        let request = UpsertProviderAccountsRequest { accounts };
        PaymentServiceClient::new(self.channel.clone()).upsert_provider_accounts(request).await?;
        Ok(())
    }

    /// Puts items of one SKU each into the catalogue.
    pub(super) async fn sell(&self, codes: &[String]) -> Result<()> {
        let item = |code: &String| Item {
            code: code.clone(),
            name: format!("item {code}"),
            categories: vec!["dresses".into()],
            skus: vec![Sku {
                code: code.clone(),
                price: Some(Money { currency_code: "CNY".into(), minor_units: PRICE }),
                ..Default::default()
            }],
            ..Default::default()
        };
        for codes in codes.chunks(500) {
            let request = UpsertItemsRequest { items: codes.iter().map(item).collect() };
            ItemServiceClient::new(self.channel.clone()).upsert_items(request).await?;
        }
        Ok(())
    }

    async fn stock_up(&self, lane: usize, codes: &[String]) -> std::result::Result<(), Status> {
        for code in codes.iter().skip(lane).step_by(16) {
            self.receive(code, PIECES).await?;
        }
        Ok(())
    }

    /// Puts pieces on hand.
    pub(super) async fn receive(&self, code: &str, pieces: i64) -> std::result::Result<(), Status> {
        let request = AdjustStockRequest {
            request_id: self.request_id(),
            sku: code.to_owned(),
            location: LOCATION.into(),
            delta: pieces,
            note: "delivered".into(),
            ..Default::default()
        };
        StockServiceClient::new(self.channel.clone()).adjust_stock(request).await?;
        Ok(())
    }

    pub(super) fn request_id(&self) -> String {
        format!("bench-{}", self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// The `n`-th cart: two lines, three pieces.
    pub(super) fn lines(n: usize) -> Vec<CartLine> {
        let line = |n: usize, quantity| CartLine { sku: sku(n % SKUS), quantity };
        vec![line(n * 7, 1), line(n * 7 + 1 + n % (SKUS - 1), 2)]
    }

    fn buyer(&self, n: usize) -> String {
        self.buyers[(n * 7_919) % self.buyers.len()].clone()
    }

    /// Places the `n`-th order; gives its id.
    pub(super) async fn place(&self, n: usize) -> std::result::Result<String, Status> {
        let request = PlaceOrderRequest {
            request_id: self.request_id(),
            person_id: self.buyer(n),
            lines: Self::lines(n),
            ..Default::default()
        };
        let mut client = CheckoutServiceClient::new(self.channel.clone());
        let reply = client.place_order(request).await?.into_inner();
        Ok(reply.order.unwrap_or_default().id)
    }

    /// Pays an order: begun, paid by the buyer, asked for.
    pub(super) async fn pay(&self, order_id: &str) -> std::result::Result<(), Status> {
        let mut client = PaymentServiceClient::new(self.channel.clone());
        let request = StartPaymentRequest {
            request_id: self.request_id(),
            order_id: order_id.to_owned(),
            account_code: "box".into(),
            method: PaymentMethod::Native.into(),
            description: "a dress".into(),
            payer_id: String::new(),
        };
        let payment = client.start_payment(request).await?.into_inner().payment;
        let payment_id = payment.unwrap_or_default().id;
        let request = SimulatePaymentRequest {
            payment_id: payment_id.clone(),
            act: SandboxAct::PaySilently.into(),
            ..Default::default()
        };
        client.simulate_payment(request).await?;
        client.query_payment(QueryPaymentRequest { payment_id }).await?;
        Ok(())
    }

    /// Pays an order in cash.
    async fn record(&self, order_id: &str) -> std::result::Result<(), Status> {
        let key = self.request_id();
        let request = RecordPaymentRequest {
            request_id: key.clone(),
            order_id: order_id.to_owned(),
            account_code: "till".into(),
            method: PaymentMethod::Cash.into(),
            amount_minor: 3 * PRICE,
            reference: key,
            operator: "ann".into(),
            ..Default::default()
        };
        PaymentServiceClient::new(self.channel.clone()).record_payment(request).await?;
        Ok(())
    }

    /// Places the `n`-th order and pays it; gives its id.
    pub(super) async fn buy(&self, n: usize, way: Way) -> std::result::Result<String, Status> {
        let order_id = self.place(n).await?;
        match way {
            Way::Sandbox => self.pay(&order_id).await?,
            Way::Till => self.record(&order_id).await?,
        }
        Ok(order_id)
    }

    /// Prices the `n`-th cart.
    pub(super) async fn quote(&self, n: usize) -> std::result::Result<(), Status> {
        let request = QuoteCartRequest {
            person_id: self.buyer(n),
            lines: Self::lines(n),
            ..Default::default()
        };
        QuoteServiceClient::new(self.channel.clone()).quote_cart(request).await?;
        Ok(())
    }
}

fn sku(n: usize) -> String {
    format!("sku-{n}")
}

async fn buyers(bench: &Bench) -> Result<Vec<String>> {
    let mut buyers = Vec::with_capacity(BUYERS);
    let set = |n: usize| IdentitySet {
        identities: vec![Identity {
            kind: IdentityKind::PlatformBuyer.into(),
            scope: "bench/orders".into(),
            value: n.to_string(),
            ..Default::default()
        }],
    };
    for from in (0..BUYERS).step_by(1_000) {
        let request = ResolvePersonsRequest { sets: (from..from + 1_000).map(set).collect() };
        let reply = bench.client.persons().resolve_persons(request).await?.into_inner();
        buyers.extend(reply.persons.into_iter().map(|person| person.person_id));
    }
    Ok(buyers)
}
