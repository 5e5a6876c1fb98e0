//! A buyer of another platform comes home: the card in the parcel makes who scans it and the buyer one person, with what was
//! bought before and what comes later.

use siyu_kernel::Clock;
use siyu_proto::{
    member::v1::{
        Identity, IdentityKind, IdentitySet, ResolvePersonsRequest,
        person_service_client::PersonServiceClient,
    },
    order::v1::{
        ClaimParcelCardRequest, CreateParcelCardsRequest, ListOrdersRequest, ParcelCard,
        ParcelCardOrder, ParcelCardState, order_service_client::OrderServiceClient,
        parcel_card_service_client::ParcelCardServiceClient,
    },
};
use siyu_runtime::SystemClock;
use siyu_tests::support::{Merchant, ask, order, run_until_idle, story, suite};

async fn card(merchant: &Merchant, order_no: &str) -> ParcelCard {
    let order = ParcelCardOrder {
        platform: "shop".to_owned(),
        shop_id: "main".to_owned(),
        order_no: order_no.to_owned(),
    };
    let request_id = order_no.to_owned();
    let request =
        CreateParcelCardsRequest { request_id, orders: vec![order], ..Default::default() };
    let mut cards = ParcelCardServiceClient::new(merchant.caller.grpc());
    ask(request, async |q| cards.create_parcel_cards(q).await).await.cards.remove(0)
}

async fn claim(merchant: &Merchant, card: &ParcelCard, person_id: &str) -> ParcelCardState {
    let (code, person_id) = (card.code.clone(), person_id.to_owned());
    let request = ClaimParcelCardRequest { code, person_id };
    let mut cards = ParcelCardServiceClient::new(merchant.caller.grpc());
    ask(request, async |q| cards.claim_parcel_card(q).await).await.card.unwrap().state()
}

/// Who signs in with a unionid.
async fn member(merchant: &Merchant, unionid: &str) -> String {
    let identity = Identity {
        kind: IdentityKind::Unionid.into(),
        scope: "open".to_owned(),
        value: unionid.to_owned(),
        ..Default::default()
    };
    let sets = vec![IdentitySet { identities: vec![identity] }];
    let mut persons = PersonServiceClient::new(merchant.caller.grpc());
    let request = ResolvePersonsRequest { sets };
    let reply = ask(request, async |q| persons.resolve_persons(q).await).await;
    reply.persons.into_iter().next().unwrap().person_id
}

/// The numbers of a person's orders.
async fn orders(merchant: &Merchant, person_id: &str) -> Vec<String> {
    run_until_idle(&merchant.place).await;
    let mut client = OrderServiceClient::new(merchant.caller.grpc());
    let request = ListOrdersRequest { person_id: person_id.to_owned(), ..Default::default() };
    let reply = ask(request, async |q| client.list_orders(q).await).await;
    let mut numbers: Vec<String> =
        reply.orders.into_iter().map(|order| order.platform_order_no).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn who_scans_the_card_in_the_parcel_is_the_buyer_of_what_was_and_of_what_comes() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let now = SystemClock.now();
        let bought = |order_no: &str, buyer: &str| order(order_no, buyer, now, &[100]);
        merchant.take_in(vec![bought("A", "anna"), bought("B", "anna"), bought("C", "bo")]).await;

        let one = member(&merchant, "one").await;
        let known = card(&merchant, "A").await;
        assert_eq!(claim(&merchant, &known, &one).await, ParcelCardState::Linked);
        let early = card(&merchant, "D").await;
        let two = member(&merchant, "two").await;
        assert_eq!(claim(&merchant, &early, &two).await, ParcelCardState::Waiting);
        // Somebody else's parcel, whose buyer has another unionid: nobody is merged.
        let given_on = card(&merchant, "B").await;
        assert_eq!(claim(&merchant, &given_on, &two).await, ParcelCardState::Conflict);

        merchant.take_in(vec![bought("D", "bo"), bought("E", "anna")]).await;
        assert_eq!(orders(&merchant, &one).await, ["A", "B", "E"]);
        assert_eq!(orders(&merchant, &two).await, ["C", "D"]);
    });
}
