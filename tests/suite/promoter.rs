//! Who brings customers earns from what they buy: exactly, for as long as it is bought, and never from a marketplace.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::Clock;
use siyu_proto::{
    distribution::v1::{
        BindCustomerRequest, BindOutcome, CommissionRule, CreatePromoterRequest,
        GetPromoterRequest, ListCommissionsRequest, SetCommissionRuleRequest,
        binding_service_client::BindingServiceClient,
        promoter_service_client::PromoterServiceClient,
    },
    member::v1::{
        Asset, GetPersonRequest, Identity, IdentityKind, IdentitySet, ListEntriesRequest, Person,
        ResolvePersonsRequest, person_service_client::PersonServiceClient,
    },
    order::v1::{Domain, ExternalOrder},
};
use siyu_runtime::SystemClock;
use siyu_tests::support::{Merchant, ask, books, order, run_until_idle, story, suite};

/// A merchant with a customer whom B brought, and A, who invited B.
struct Field {
    merchant: Merchant,
    customer: String,
    a: String,
    b: String,
    paid_at: DateTime<Utc>,
}

#[test]
fn commission_follows_the_order_to_the_cent_and_ends_with_it() {
    story(async {
        let field = Field::open().await;
        let (m, paid_at) = (&field.merchant, field.paid_at);
        let first = order("1", "customer", paid_at, &[9_990, 3_335]);
        let id = m.take_in(vec![first.clone()]).await[0].order_id.clone();
        // Ten percent and five, floored line by line.
        field.earned(&id, 13_325, 999 + 333, 499 + 166).await;

        m.take_in(vec![later(&first, 1, |order| order.lines[0] = line(&first, 6_660))]).await;
        field.earned(&id, 9_995, 666 + 333, 333 + 166).await;
        // The same again, and an older word after it, change nothing.
        m.take_in(vec![first.clone()]).await;
        field.earned(&id, 9_995, 999, 499).await;

        let public = ExternalOrder { domain: Domain::Public.into(), ..first.clone() };
        let public = ExternalOrder { order_no: "2".to_owned(), ..public };
        let public_id = m.take_in(vec![public]).await[0].order_id.clone();
        run_until_idle(&m.place).await;
        assert_eq!(field.commissions(&public_id).await, []);

        m.take_in(vec![later(&first, 2, |order| "refunded".clone_into(&mut order.status))]).await;
        field.earned(&id, 0, 0, 0).await;
        assert_eq!((field.balance(&field.a).await, field.balance(&field.b).await), (0, 0));
        // Accrued, clawed back in part, clawed back in whole: once for each level.
        assert_eq!(books(m).await.commission_transfers, 6);
    });
}

#[test]
fn an_order_that_turns_out_to_be_of_a_marketplace_earns_nothing_any_more() {
    story(async {
        let field = Field::open().await;
        let m = &field.merchant;
        let private = order("1", "customer", field.paid_at, &[10_000]);
        let id = m.take_in(vec![private.clone()]).await[0].order_id.clone();
        field.earned(&id, 10_000, 1_000, 500).await;
        let public = later(&private, 1, |order| order.domain = Domain::Public.into());
        m.take_in(vec![public]).await;
        field.earned(&id, 0, 0, 0).await;
        let again = later(&private, 2, |order| order.domain = Domain::Private.into());
        m.take_in(vec![again]).await;
        field.earned(&id, 10_000, 1_000, 500).await;
    });
}

#[test]
fn points_growth_and_tier_of_a_buyer_follow_the_order() {
    story(async {
        let field = Field::open().await;
        let (m, paid_at) = (&field.merchant, field.paid_at);
        let small = order("1", "customer", paid_at, &[9_999]);
        let large = order("2", "customer", paid_at, &[100_050]);
        m.take_in(vec![small.clone()]).await;
        field.owns(99, 1).await;
        m.take_in(vec![large.clone()]).await;
        field.owns(99 + 1_000, 2).await;
        m.take_in(vec![later(&large, 1, |order| order.lines[0] = line(&large, 90_150))]).await;
        field.owns(99 + 901, 2).await;
        m.take_in(vec![later(&small, 1, |order| "cancelled".clone_into(&mut order.status))]).await;
        // A tier that was reached holds until it expires.
        let person = field.owns(901, 2).await;
        assert_eq!(person.points_available, 0, "points vest after the after-sale window");
        let request = ListEntriesRequest {
            person_id: field.customer.clone(),
            asset: Asset::Growth.into(),
            ..Default::default()
        };
        let client = m.caller.client();
        let page = ask(request, async |q| client.accounts().list_entries(q).await).await;
        let amounts: Vec<i64> = page.entries.iter().map(|entry| entry.amount).collect();
        assert_eq!(amounts, [-99, 901, -1_000, 1_000, 99], "{page:?}");
        assert_eq!(page.entries[0].balance_after, 901);
        books(m).await;
    });
}

/// A later version of an order.
fn later(
    order: &ExternalOrder,
    hours: i64,
    change: impl FnOnce(&mut ExternalOrder),
) -> ExternalOrder {
    let paid_at = order.pay_time.expect("it is paid");
    let version = prost_types::Timestamp { seconds: paid_at.seconds + hours * 3600, ..paid_at };
    let mut order = ExternalOrder { update_time: Some(version), ..order.clone() };
    change(&mut order);
    order
}

/// The first line of an order with another amount.
fn line(order: &ExternalOrder, minor_units: i64) -> siyu_proto::order::v1::OrderLine {
    let mut line = order.lines[0].clone();
    line.paid =
        Some(siyu_proto::r#type::v1::Money { currency_code: "CNY".to_owned(), minor_units });
    line
}

impl Field {
    async fn open() -> Self {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let rule = CommissionRule {
            level1_bp: 1_000,
            level2_bp: 500,
            binding_valid_days: 0,
            protect_days: 30,
            imported_private_orders: true,
        };
        let client = merchant.caller.client();
        let request = SetCommissionRuleRequest { rule: Some(rule) };
        ask(request, async |q| client.commissions().set_commission_rule(q).await).await;
        let [a, b, customer] = persons(&merchant).await;
        let a = promoter(&merchant, &a, "").await;
        let b = promoter(&merchant, &b, &a).await;
        let request = BindCustomerRequest {
            person_id: customer.clone(),
            promoter_id: b.clone(),
            ..Default::default()
        };
        let mut bindings = BindingServiceClient::new(merchant.caller.grpc());
        let reply = ask(request, async |q| bindings.bind_customer(q).await).await;
        assert_eq!(reply.outcome(), BindOutcome::Bound, "{reply:?}");
        // A platform's clock knows no more than milliseconds, and must not be before the binding.
        let paid_at = SystemClock.now() + TimeDelta::milliseconds(1);
        Self { merchant, customer, a, b, paid_at }
    }

    /// Asserts what B (who brought the customer) and A (who invited B) earned from an order.
    async fn earned(&self, order_id: &str, base: i64, of_b: i64, of_a: i64) {
        run_until_idle(&self.merchant.place).await;
        let wanted = [(self.b.clone(), 1, base, of_b), (self.a.clone(), 2, base, of_a)];
        assert_eq!(self.commissions(order_id).await, wanted);
    }

    /// Promoter, level, base and earned of an order's commissions, by level.
    async fn commissions(&self, order_id: &str) -> Vec<(String, i32, i64, i64)> {
        let request =
            ListCommissionsRequest { order_id: order_id.to_owned(), ..Default::default() };
        let client = self.merchant.caller.client();
        let page = ask(request, async |q| client.commissions().list_commissions(q).await).await;
        let mut found: Vec<_> = page
            .commissions
            .into_iter()
            .map(|c| {
                let minor =
                    |money: Option<siyu_proto::r#type::v1::Money>| money.unwrap().minor_units;
                (c.promoter_id, c.level, minor(c.base), minor(c.earned))
            })
            .collect();
        found.sort_by_key(|(_, level, ..)| *level);
        found
    }

    async fn balance(&self, promoter_id: &str) -> i64 {
        let request = GetPromoterRequest { promoter_id: promoter_id.to_owned() };
        let mut client = PromoterServiceClient::new(self.merchant.caller.grpc());
        let reply = ask(request, async |q| client.get_promoter(q).await).await;
        reply.promoter.unwrap().commission_minor
    }

    /// Asserts growth, points and tier of the customer.
    async fn owns(&self, growth: i64, tier: i32) -> Person {
        run_until_idle(&self.merchant.place).await;
        let request = GetPersonRequest { person_id: self.customer.clone(), brief: false };
        let mut client = PersonServiceClient::new(self.merchant.caller.grpc());
        let person = ask(request, async |q| client.get_person(q).await).await.person.unwrap();
        assert_eq!((person.growth, person.points_total, person.tier), (growth, growth, tier));
        person
    }
}

/// Two persons known by phone, and the customer of the shop.
async fn persons(merchant: &Merchant) -> [String; 3] {
    let set = |kind: IdentityKind, scope: &str, value: &str| IdentitySet {
        identities: vec![Identity {
            kind: kind.into(),
            scope: scope.to_owned(),
            value: value.to_owned(),
            ..Default::default()
        }],
    };
    let sets = vec![
        set(IdentityKind::Phone, "", "+8613800000001"),
        set(IdentityKind::Phone, "", "+8613800000002"),
        set(IdentityKind::PlatformBuyer, "shop/main", "customer"),
    ];
    let mut client = PersonServiceClient::new(merchant.caller.grpc());
    let request = ResolvePersonsRequest { sets };
    let reply = ask(request, async |q| client.resolve_persons(q).await).await;
    let ids: Vec<String> = reply.persons.into_iter().map(|p| p.person_id).collect();
    ids.try_into().expect("one for each set")
}

async fn promoter(merchant: &Merchant, person_id: &str, inviter: &str) -> String {
    let request = CreatePromoterRequest {
        person_id: person_id.to_owned(),
        inviter_promoter_id: inviter.to_owned(),
        ..Default::default()
    };
    let mut client = PromoterServiceClient::new(merchant.caller.grpc());
    let reply = ask(request, async |q| client.create_promoter(q).await).await;
    reply.promoter.unwrap().id
}
