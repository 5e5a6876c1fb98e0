//! A shop of a story: goods with stock, a promotion and a coupon, points and stored value that pay, a payment company that
//! is a sandbox, and somebody who brings customers for a tenth.

mod buyer;

use chrono::TimeDelta;
use siyu_kernel::Clock;
use siyu_proto::{
    distribution::v1::{
        CommissionRule, CreatePromoterRequest, SetCommissionRuleRequest,
        promoter_service_client::PromoterServiceClient,
    },
    member::v1::{
        CreateIssuerRequest, CreateRechargePlanRequest, Issuer, IssuerIndustry, RechargePlan,
        issuer_service_client::IssuerServiceClient, recharge_service_client::RechargeServiceClient,
    },
    order::v1::{
        AmountOff, CheckoutPolicy, CouponTemplate, ImportStockKind, ImportStockOutcome,
        ImportStockRequest, ImportStockResult, ImportStockRow, Item, Location, LocationKind,
        Promotion, ProviderAccount, RelativeValidity, SandboxAccount, SetCheckoutPolicyRequest,
        Sku, Threshold, Tier, UpsertCouponTemplatesRequest, UpsertItemsRequest,
        UpsertLocationsRequest, UpsertPromotionsRequest, UpsertProviderAccountsRequest,
        checkout_service_client::CheckoutServiceClient, coupon_service_client::CouponServiceClient,
        coupon_template, item_service_client::ItemServiceClient,
        location_service_client::LocationServiceClient,
        payment_service_client::PaymentServiceClient, promotion,
        promotion_service_client::PromotionServiceClient, provider_account,
        stock_service_client::StockServiceClient,
    },
    r#type::v1::Money,
};
use siyu_runtime::SystemClock;

use super::{
    caller::{Merchant, ask},
    orders::timestamp,
    place::Place,
};
pub use buyer::Buyer;

/// What it sells: SKU and list price in fen.
pub const GOODS: [(&str, i64); 4] =
    [("dress", 19_900), ("scarf", 4_550), ("shoes", 29_999), ("sock", 333)];
/// Where its goods are.
pub const LOCATION: &str = "main";
/// The account with the payment company.
pub const ACCOUNT: &str = "box";
/// The coupon that every buyer may claim: 10.01 off.
pub const COUPON: &str = "ten";

/// The shop.
pub struct Shop {
    /// Whose it is.
    pub merchant: Merchant,
    /// Who brings the customers, for a tenth of what they pay for goods.
    pub promoter_id: String,
    issuer_id: String,
    plan_id: String,
}

impl Shop {
    /// Opens it with so many pieces of each SKU. An order waits so many minutes for its payment.
    pub async fn open(place: &Place, pieces: i64, pay_minutes: i32) -> Self {
        let merchant = Merchant::open(place, "Asia/Shanghai", "CNY").await;
        furnish(&merchant, pieces).await;
        prices(&merchant).await;
        pays(&merchant, pay_minutes).await;
        let (issuer_id, plan_id) = stored_value(&merchant).await;
        let promoter_id = promoter(&merchant).await;
        Self { merchant, promoter_id, issuer_id, plan_id }
    }
}

/// Goods, and pieces of them at the one location.
async fn furnish(m: &Merchant, pieces: i64) {
    let item = |(code, minor_units): (&str, i64)| Item {
        code: format!("item-{code}"),
        name: code.to_owned(),
        categories: vec![format!("c-{code}")],
        skus: vec![Sku {
            code: code.to_owned(),
            price: Some(Money { currency_code: "CNY".to_owned(), minor_units }),
            ..Sku::default()
        }],
        ..Item::default()
    };
    let mut items = ItemServiceClient::new(m.caller.grpc());
    let request = UpsertItemsRequest { items: GOODS.map(item).into() };
    ask(request, async |q| items.upsert_items(q).await).await;
    let location = Location {
        code: LOCATION.to_owned(),
        name: "the warehouse".to_owned(),
        kind: LocationKind::Warehouse.into(),
        ..Location::default()
    };
    let mut locations = LocationServiceClient::new(m.caller.grpc());
    let request = UpsertLocationsRequest { locations: vec![location] };
    ask(request, async |q| locations.upsert_locations(q).await).await;
    let row = |(row_no, (sku, _)): (i32, (&str, i64))| ImportStockRow {
        row_no,
        sku: sku.to_owned(),
        location: LOCATION.to_owned(),
        quantity: pieces,
    };
    let request = ImportStockRequest {
        document_no: "first".to_owned(),
        kind: ImportStockKind::Received.into(),
        rows: (1..).zip(GOODS).map(row).collect(),
    };
    let mut stocks = StockServiceClient::new(m.caller.grpc());
    let reply = ask(request, async |q| stocks.import_stock(q).await).await;
    let applied = |row: &ImportStockResult| row.outcome() == ImportStockOutcome::Applied;
    assert!(reply.results.iter().all(applied), "{reply:?}");
}

/// 20.00 off from 200.00 on, and a coupon.
async fn prices(m: &Merchant) {
    let now = SystemClock.now();
    let tier = Tier { from_minor: 20_000, off_minor: 2_000, ..Tier::default() };
    let threshold = Threshold { tiers: vec![tier], ..Threshold::default() };
    let promotion = Promotion {
        code: "threshold".to_owned(),
        name: "20 off from 200 on".to_owned(),
        valid_time_from: Some(timestamp(now - TimeDelta::days(1))),
        valid_time_to: Some(timestamp(now + TimeDelta::days(30))),
        does: Some(promotion::Does::Threshold(threshold)),
        ..Promotion::default()
    };
    let mut promotions = PromotionServiceClient::new(m.caller.grpc());
    let request = UpsertPromotionsRequest { promotions: vec![promotion] };
    ask(request, async |q| promotions.upsert_promotions(q).await).await;
    let template = CouponTemplate {
        code: COUPON.to_owned(),
        name: "10.01 off".to_owned(),
        per_person: 1_000,
        does: Some(coupon_template::Does::AmountOff(AmountOff { minor_units: 1_001 })),
        validity: Some(coupon_template::Validity::Relative(RelativeValidity {
            start_after_days: 0,
            days: 30,
        })),
        ..CouponTemplate::default()
    };
    let mut coupons = CouponServiceClient::new(m.caller.grpc());
    let request = UpsertCouponTemplatesRequest { templates: vec![template] };
    ask(request, async |q| coupons.upsert_coupon_templates(q).await).await;
}

/// A point is a fen, for half of the goods at most; cash goes to the sandbox.
async fn pays(m: &Merchant, pay_minutes: i32) {
    let policy = CheckoutPolicy {
        pay_minutes,
        points_per: 100,
        points_minor: 100,
        points_share_max_bp: 5_000,
        location_code: LOCATION.to_owned(),
        ..CheckoutPolicy::default()
    };
    let mut checkouts = CheckoutServiceClient::new(m.caller.grpc());
    let request = SetCheckoutPolicyRequest { policy: Some(policy) };
    ask(request, async |q| checkouts.set_checkout_policy(q).await).await;
    let account = ProviderAccount {
        code: ACCOUNT.to_owned(),
        name: "the sandbox".to_owned(),
        with: Some(provider_account::With::Sandbox(SandboxAccount {})),
        ..ProviderAccount::default()
    };
    let mut payments = PaymentServiceClient::new(m.caller.grpc());
    let request = UpsertProviderAccountsRequest { accounts: vec![account] };
    ask(request, async |q| payments.upsert_provider_accounts(q).await).await;
}

/// Who owes the value on cards, and an offer: 1,000.00 with 200.00 on top.
async fn stored_value(m: &Merchant) -> (String, String) {
    let issuer = Issuer {
        name: "a shop company".to_owned(),
        industry: IssuerIndustry::Retail.into(),
        ..Issuer::default()
    };
    let request = CreateIssuerRequest { request_id: "issuer".to_owned(), issuer: Some(issuer) };
    let mut issuers = IssuerServiceClient::new(m.caller.grpc());
    let reply = ask(request, async |q| issuers.create_issuer(q).await).await;
    let plan = RechargePlan {
        name: "1,000 and 200 on top".to_owned(),
        pay_minor: 100_000,
        bonus_minor: 20_000,
        ..RechargePlan::default()
    };
    let request = CreateRechargePlanRequest { request_id: "plan".to_owned(), plan: Some(plan) };
    let mut recharges = RechargeServiceClient::new(m.caller.grpc());
    let offered = ask(request, async |q| recharges.create_recharge_plan(q).await).await;
    (reply.issuer.expect("it was made").id, offered.plan.expect("it was made").id)
}

async fn promoter(m: &Merchant) -> String {
    let rule = CommissionRule { level1_bp: 1_000, protect_days: 30, ..CommissionRule::default() };
    let client = m.caller.client();
    let request = SetCommissionRuleRequest { rule: Some(rule) };
    ask(request, async |q| client.commissions().set_commission_rule(q).await).await;
    let request = CreatePromoterRequest {
        person_id: buyer::person(m, "promoter").await,
        ..Default::default()
    };
    let mut promoters = PromoterServiceClient::new(m.caller.grpc());
    let reply = ask(request, async |q| promoters.create_promoter(q).await).await;
    reply.promoter.expect("it was made").id
}
