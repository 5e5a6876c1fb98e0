//! Somebody asks to be forgotten: no service keeps anything that tells who it was, and what was bought still counts.

use chrono::{DateTime, Utc};
use siyu_proto::{
    distribution::v1::{
        BindCustomerRequest, BindOutcome, CommissionRule, CreatePromoterRequest,
        SetCommissionRuleRequest, binding_service_client::BindingServiceClient,
        promoter_service_client::PromoterServiceClient,
    },
    member::v1::{
        ErasePersonRequest, Identity, IdentityKind, IdentitySet, MergePersonsRequest, Profile,
        ResolvePersonsRequest, UpdateProfileRequest,
        identity_service_client::IdentityServiceClient, person_service_client::PersonServiceClient,
        privacy_service_client::PrivacyServiceClient, profile_service_client::ProfileServiceClient,
    },
    messaging::v1::{
        Audience, CampaignState, CreateCampaignRequest, GetCampaignRequest, StartCampaignRequest,
        campaign_service_client::CampaignServiceClient,
    },
    order::v1::{ExternalOrder, OrderState, SetStatusMappingRequest},
};
use siyu_tests::support::{
    LIMIT, Merchant, ask, order, rows_with, run_until_idle, story, suite, until,
};

use crate::truth::sales;

/// Stands in everything that tells who somebody is, and nowhere else.
const MARK: &str = "zqxstory";

fn key(kind: IdentityKind, scope: &str, value: &str) -> Identity {
    Identity {
        kind: kind.into(),
        scope: scope.to_owned(),
        value: value.to_owned(),
        ..Default::default()
    }
}

struct Shop {
    merchant: Merchant,
    /// Who asks to be forgotten, under the first and the second id.
    person: String,
    second: String,
}

impl Shop {
    /// A customer who bought, waits for an order, was brought by somebody, got a message, and is known by many keys.
    async fn open() -> Self {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let at: DateTime<Utc> = "2024-05-01T04:00:00Z".parse().unwrap();
        let paid = order("1", "zqxstory-buyer", at, &[1_000]);
        let odd = ExternalOrder {
            status: "at_the_door".to_owned(),
            ..order("2", "zqxstory-buyer", at, &[500])
        };
        merchant.take_in(vec![paid, odd]).await;
        let keys = vec![
            key(IdentityKind::PlatformBuyer, "shop/main", "zqxstory-buyer"),
            key(IdentityKind::Phone, "", "+8613866600001"),
            key(IdentityKind::Email, "", "zqxstory@home.cn"),
        ];
        let other = vec![key(IdentityKind::Openid, "wx1", "zqxstory-openid")];
        let [person, second] = persons(&merchant, [keys, other]).await;
        let shop = Self { merchant, person, second };
        shop.describe().await;
        shop.bring().await;
        shop.write().await;
        shop.merge().await;
        run_until_idle(&shop.merchant.place).await;
        shop
    }

    async fn describe(&self) {
        let profile = Profile {
            name: MARK.to_owned(),
            address: format!("{MARK} street"),
            remark: format!("{MARK} likes tea"),
            ..Default::default()
        };
        let request = UpdateProfileRequest {
            person_id: self.person.clone(),
            profile: Some(profile),
            update_mask: None,
        };
        let mut client = ProfileServiceClient::new(self.merchant.caller.grpc());
        ask(request, async |q| client.update_profile(q).await).await;
    }

    async fn bring(&self) {
        let rule = CommissionRule {
            level1_bp: 1_000,
            protect_days: 30,
            imported_private_orders: true,
            ..Default::default()
        };
        let client = self.merchant.caller.client();
        let request = SetCommissionRuleRequest { rule: Some(rule) };
        ask(request, async |q| client.commissions().set_commission_rule(q).await).await;
        let keys = [vec![key(IdentityKind::Openid, "wx1", "promoter")]];
        let [somebody] = persons(&self.merchant, keys).await;
        let mut promoters = PromoterServiceClient::new(self.merchant.caller.grpc());
        let request = CreatePromoterRequest { person_id: somebody, ..Default::default() };
        let reply = ask(request, async |q| promoters.create_promoter(q).await).await;
        let request = BindCustomerRequest {
            person_id: self.person.clone(),
            promoter_id: reply.promoter.unwrap().id,
            source: format!("{MARK} poster"),
            ..Default::default()
        };
        let mut bindings = BindingServiceClient::new(self.merchant.caller.grpc());
        let reply = ask(request, async |q| bindings.bind_customer(q).await).await;
        assert_eq!(reply.outcome(), BindOutcome::Bound);
    }

    /// Sends the person a message; says in which state the campaign ends.
    async fn write(&self) -> CampaignState {
        let audience = Audience { person_ids: vec![self.person.clone()], ..Default::default() };
        let request = CreateCampaignRequest {
            name: "hello".to_owned(),
            channel: "sandbox".to_owned(),
            text: "您好".to_owned(),
            audience: Some(audience),
            ..Default::default()
        };
        let mut client = CampaignServiceClient::new(self.merchant.caller.grpc());
        let campaign_id =
            ask(request, async |q| client.create_campaign(q).await).await.campaign.unwrap().id;
        let request = StartCampaignRequest { campaign_id: campaign_id.clone() };
        ask(request, async |q| client.start_campaign(q).await).await;
        let request = GetCampaignRequest { campaign_id };
        until("the campaign is done", LIMIT, async || {
            let request = request.clone();
            let reply = ask(request, async |q| client.get_campaign(q).await).await;
            let campaign = reply.campaign?;
            let counts = campaign.counts?;
            let is_done = campaign.state() == CampaignState::Done;
            is_done.then_some(if counts.cancelled == 1 {
                CampaignState::Cancelled
            } else {
                CampaignState::Done
            })
        })
        .await
    }

    async fn merge(&self) {
        let request = MergePersonsRequest {
            request_id: "m".to_owned(),
            person_ids: vec![self.person.clone(), self.second.clone()],
            note: format!("{MARK} said so"),
            ..Default::default()
        };
        let mut client = IdentityServiceClient::new(self.merchant.caller.grpc());
        ask(request, async |q| client.merge_persons(q).await).await;
    }

    async fn erase(&self) {
        let request =
            ErasePersonRequest { person_id: self.second.clone(), reason: "asked".to_owned() };
        let mut client = PrivacyServiceClient::new(self.merchant.caller.grpc());
        ask(request, async |q| client.erase_person(q).await).await;
        run_until_idle(&self.merchant.place).await;
    }

    async fn where_is(&self, text: &str) -> Vec<String> {
        rows_with(&self.merchant.place.databases, text).await
    }
}

async fn persons<const N: usize>(merchant: &Merchant, sets: [Vec<Identity>; N]) -> [String; N] {
    let sets = sets.into_iter().map(|identities| IdentitySet { identities }).collect();
    let mut client = PersonServiceClient::new(merchant.caller.grpc());
    let request = ResolvePersonsRequest { sets };
    let reply = ask(request, async |q| client.resolve_persons(q).await).await;
    let ids: Vec<String> = reply.persons.into_iter().map(|p| p.person_id).collect();
    ids.try_into().expect("one for each set")
}

#[test]
fn who_is_erased_is_in_no_row_of_any_service_and_what_was_bought_still_counts() {
    story(async {
        let shop = Shop::open().await;
        let before = shop.where_is(MARK).await;
        for place in [
            "member.identities",
            "member.person_merges",
            "order.quarantined_orders",
            "distribution.bindings",
        ] {
            assert!(before.iter().any(|row| row.starts_with(place)), "{place}: {before:#?}");
        }
        let logs: Vec<&String> = before.iter().filter(|row| row.contains(".event_log")).collect();
        assert_eq!(logs, Vec::<&String>::new(), "facts name persons by id");

        shop.erase().await;
        for text in [MARK, "13866600001"] {
            assert_eq!(shop.where_is(text).await, Vec::<String>::new(), "{text}");
        }
        assert_eq!(shop.write().await, CampaignState::Cancelled, "nobody writes to who was erased");

        // What waited is bought by somebody without a face.
        let merchant = &shop.merchant;
        let request = SetStatusMappingRequest {
            platform: "shop".to_owned(),
            status: "at_the_door".to_owned(),
            state: OrderState::Paid.into(),
        };
        let client = merchant.caller.client();
        let said = ask(request, async |q| client.imports().set_status_mapping(q).await).await;
        assert_eq!(said.released, 1);
        run_until_idle(&merchant.place).await;
        let total = sales(merchant).await.total.unwrap();
        assert_eq!((total.orders, total.gmv_minor, total.buyers), (2, 1_500, 1));
        assert_eq!(shop.where_is(MARK).await, Vec::<String>::new());
    });
}
