//! A buyer with points, coupons and a card of stored value, and what is left of them.

use siyu_proto::{
    distribution::v1::{
        BindCustomerRequest, BindOutcome, binding_service_client::BindingServiceClient,
    },
    member::v1::{
        Asset, GetPointsRequest, GetPointsResponse, GetValueCardRequest, GrantPointsRequest,
        Identity, IdentityKind, IdentitySet, ListEntriesRequest, ListValueCardEntriesRequest,
        OpenValueCardRequest, RechargeRequest, ResolvePersonsRequest, ValueCard,
        person_service_client::PersonServiceClient, points_service_client::PointsServiceClient,
        recharge_service_client::RechargeServiceClient,
        value_card_service_client::ValueCardServiceClient,
    },
    order::v1::{ClaimCouponRequest, coupon_service_client::CouponServiceClient},
};

use super::{COUPON, Shop};
use crate::support::caller::{Merchant, ask};

/// Who buys.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// The person.
    pub person_id: String,
    /// The card of stored value.
    pub card_id: String,
    /// What the card had at first.
    pub value_minor: i64,
    /// The points that were given.
    pub points: i64,
}

/// The person behind the id of a buyer in the shop.
pub(super) async fn person(m: &Merchant, name: &str) -> String {
    let identity = Identity {
        kind: IdentityKind::PlatformBuyer.into(),
        scope: "shop/main".to_owned(),
        value: name.to_owned(),
        ..Identity::default()
    };
    let sets = vec![IdentitySet { identities: vec![identity] }];
    let mut persons = PersonServiceClient::new(m.caller.grpc());
    let request = ResolvePersonsRequest { sets };
    let mut reply = ask(request, async |q| persons.resolve_persons(q).await).await;
    reply.persons.remove(0).person_id
}

impl Shop {
    /// A buyer whom the promoter brought, with so many points and coupons, and a card that was recharged so often: each time
    /// 1,000.00 with 200.00 on top.
    pub async fn buyer(&self, name: &str, points: i64, coupons: u32, recharges: u32) -> Buyer {
        let m = &self.merchant;
        let person_id = person(m, name).await;
        let request = BindCustomerRequest {
            person_id: person_id.clone(),
            promoter_id: self.promoter_id.clone(),
            ..Default::default()
        };
        let mut bindings = BindingServiceClient::new(m.caller.grpc());
        let reply = ask(request, async |q| bindings.bind_customer(q).await).await;
        assert_eq!(reply.outcome(), BindOutcome::Bound, "{reply:?}");
        if points > 0 {
            let request = GrantPointsRequest {
                request_id: format!("points {name}"),
                person_id: person_id.clone(),
                points,
                ..Default::default()
            };
            let mut client = PointsServiceClient::new(m.caller.grpc());
            ask(request, async |q| client.grant_points(q).await).await;
        }
        for n in 0..coupons {
            let request = ClaimCouponRequest {
                request_id: format!("coupon {name} {n}"),
                template_code: COUPON.to_owned(),
                person_id: person_id.clone(),
            };
            let mut client = CouponServiceClient::new(m.caller.grpc());
            ask(request, async |q| client.claim_coupon(q).await).await;
        }
        let card_id = self.card(name, &person_id, recharges).await;
        Buyer { person_id, card_id, value_minor: i64::from(recharges) * 120_000, points }
    }

    async fn card(&self, name: &str, person_id: &str, recharges: u32) -> String {
        let request = OpenValueCardRequest {
            request_id: format!("card {name}"),
            issuer_id: self.issuer_id.clone(),
            person_id: person_id.to_owned(),
            ..Default::default()
        };
        let mut cards = ValueCardServiceClient::new(self.merchant.caller.grpc());
        let reply = ask(request, async |q| cards.open_value_card(q).await).await;
        let card_id = reply.card.expect("it was opened").id;
        for n in 0..recharges {
            let request = RechargeRequest {
                request_id: format!("recharge {name} {n}"),
                card_id: card_id.clone(),
                plan_id: self.plan_id.clone(),
                ..Default::default()
            };
            let mut client = RechargeServiceClient::new(self.merchant.caller.grpc());
            ask(request, async |q| client.recharge(q).await).await;
        }
        card_id
    }

    /// A buyer's card as it is now. Its balances are what its entries add up to.
    pub async fn card_of(&self, buyer: &Buyer) -> ValueCard {
        let mut cards = ValueCardServiceClient::new(self.merchant.caller.grpc());
        let request = GetValueCardRequest { card_id: buyer.card_id.clone() };
        let reply = ask(request, async |q| cards.get_value_card(q).await).await;
        let card = reply.card.expect("it is there");
        let mut request = ListValueCardEntriesRequest {
            card_id: buyer.card_id.clone(),
            page_size: 1_000,
            ..Default::default()
        };
        let (mut principal, mut bonus) = (0, 0);
        loop {
            let page = ask(request.clone(), async |q| cards.list_value_card_entries(q).await).await;
            principal += page.entries.iter().map(|entry| entry.principal_minor).sum::<i64>();
            bonus += page.entries.iter().map(|entry| entry.bonus_minor).sum::<i64>();
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!((card.principal_minor, card.bonus_minor), (principal, bonus), "{card:?}");
        card
    }

    /// A buyer's points as they are now. All of them are what the entries add up to.
    pub async fn points_of(&self, buyer: &Buyer) -> GetPointsResponse {
        let mut client = PointsServiceClient::new(self.merchant.caller.grpc());
        let request = GetPointsRequest { person_id: buyer.person_id.clone(), ..Default::default() };
        let points = ask(request, async |q| client.get_points(q).await).await;
        let mut request = ListEntriesRequest {
            person_id: buyer.person_id.clone(),
            asset: Asset::Points.into(),
            page_size: 1_000,
            ..Default::default()
        };
        let accounts = self.merchant.caller.client().accounts();
        let mut sum = 0;
        loop {
            let page = ask(request.clone(), async |q| accounts.clone().list_entries(q).await).await;
            sum += page.entries.iter().map(|entry| entry.amount).sum::<i64>();
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(points.total, sum, "the entries of {} add up to it", buyer.person_id);
        points
    }
}
