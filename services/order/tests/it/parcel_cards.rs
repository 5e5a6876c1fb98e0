//! Cards in parcels: the member service is asked whether who scans one and the buyer are one person.

use siyu_grpc::fault;
use siyu_kernel::{Fault, kind::Person};
use siyu_proto::order::v1::{ParcelCardState as S, *};
use siyu_testkit::id;
use tokio::task::JoinSet;

use crate::world::{World, order};

fn lies_in(order_no: &str) -> ParcelCardOrder {
    ParcelCardOrder { platform: "tmall".into(), shop_id: "shop".into(), order_no: order_no.into() }
}

/// A person who buys under an id, and is known since.
async fn person(world: &World, buyer_id: &str) -> String {
    let bought = ExternalOrder { buyer_id: buyer_id.into(), ..order(buyer_id, &[100]) };
    let made = world.import(&[bought]).await.remove(0);
    world.get(1, &made.order_id).await.unwrap().person_id
}

async fn create(
    world: &World,
    request: CreateParcelCardsRequest,
) -> Result<Vec<ParcelCard>, Fault> {
    let reply = world.parcel_cards(1).create_parcel_cards(request).await.map_err(fault)?;
    Ok(reply.into_inner().cards)
}

async fn card_of(world: &World, order_no: &str) -> ParcelCard {
    let orders = vec![lies_in(order_no)];
    let request = CreateParcelCardsRequest {
        request_id: order_no.into(),
        orders,
        ..CreateParcelCardsRequest::default()
    };
    create(world, request).await.unwrap().remove(0)
}

async fn card_again(world: &World, order_no: &str) -> ParcelCard {
    let request = CreateParcelCardsRequest {
        request_id: format!("{order_no} again"),
        orders: vec![lies_in(order_no)],
        ..CreateParcelCardsRequest::default()
    };
    create(world, request).await.unwrap().remove(0)
}

async fn claim(world: &World, code: &str, person_id: &str) -> Result<ParcelCard, Fault> {
    let request = ClaimParcelCardRequest { code: code.into(), person_id: person_id.into() };
    let reply = world.parcel_cards(1).claim_parcel_card(request).await.map_err(fault)?;
    Ok(reply.into_inner().card.unwrap())
}

async fn attach(world: &World, code: &str, order_no: &str) -> Result<ParcelCard, Fault> {
    let request = AttachParcelCardRequest { code: code.into(), order: Some(lies_in(order_no)) };
    let reply = world.parcel_cards(1).attach_parcel_card(request).await.map_err(fault)?;
    Ok(reply.into_inner().card.unwrap())
}

async fn make_void(world: &World, code: &str) -> Result<ParcelCard, Fault> {
    let request = VoidParcelCardRequest { code: code.into() };
    let reply = world.parcel_cards(1).void_parcel_card(request).await.map_err(fault)?;
    Ok(reply.into_inner().card.unwrap())
}

async fn listed(world: &World, request: ListParcelCardsRequest) -> Vec<ParcelCard> {
    world.parcel_cards(1).list_parcel_cards(request).await.unwrap().into_inner().cards
}

async fn state(world: &World, code: &str) -> S {
    let cards = listed(world, ListParcelCardsRequest::default()).await;
    cards.iter().find(|card| card.code == code).unwrap().state()
}

fn reason<T: std::fmt::Debug>(done: Result<T, Fault>) -> &'static str {
    done.unwrap_err().reason()
}

#[tokio::test]
async fn who_scans_the_card_of_an_order_that_is_here_is_its_buyer_and_nobody_else_is() {
    let world = World::new().await;
    let buyer = person(&world, "A").await;
    let (own, other) = (person(&world, "mine").await, person(&world, "another").await);
    let card = card_of(&world, "A").await;
    assert_eq!(
        (card.state(), card.code.len(), card.order.clone()),
        (S::Open, 16, Some(lies_in("A")))
    );
    let claimed = claim(&world, &card.code, &own).await.unwrap();
    assert_eq!((claimed.state(), &claimed.person_id), (S::Linked, &own));
    assert_eq!(claim(&world, &card.code, &own).await.unwrap(), claimed);
    // They are one since: the buyer's own id is the same person.
    assert_eq!(claim(&world, &card.code, &buyer).await.unwrap(), claimed);
    assert_eq!(reason(claim(&world, &card.code, &other).await), "PARCEL_CARD_CLAIMED");
    assert_eq!(reason(make_void(&world, &card.code).await), "PARCEL_CARD_CLAIMED");
    assert_eq!(reason(attach(&world, &card.code, "B").await), "PARCEL_CARD_ATTACHED");
    assert_eq!(attach(&world, &card.code, "A").await.unwrap(), claimed);
}

#[tokio::test]
async fn a_card_waits_for_its_order_and_for_being_attached() {
    let world = World::new().await;
    let own = person(&world, "mine").await;
    let early = card_of(&world, "A").await;
    assert_eq!(claim(&world, &early.code, &own).await.unwrap().state(), S::Waiting);
    world.run_jobs().await;
    assert_eq!(state(&world, &early.code).await, S::Waiting);
    world.import(&[order("A", &[100])]).await;
    world.run_jobs().await;
    assert_eq!(state(&world, &early.code).await, S::Linked);

    let request =
        CreateParcelCardsRequest { request_id: "r".into(), count: 2, ..Default::default() };
    let blank = create(&world, request.clone()).await.unwrap();
    assert_eq!(create(&world, request).await.unwrap(), blank, "a repeat makes no others");
    assert!(blank.iter().all(|card| card.order.is_none()));
    assert_eq!(claim(&world, &blank[0].code, &own).await.unwrap().state(), S::Waiting);
    person(&world, "B").await;
    assert_eq!(attach(&world, &blank[0].code, "B").await.unwrap().state(), S::Linked);
    make_void(&world, &blank[1].code).await.unwrap();
    make_void(&world, &blank[1].code).await.unwrap();
    assert_eq!(reason(attach(&world, &blank[1].code, "B").await), "PARCEL_CARD_VOID");
    assert_eq!(reason(claim(&world, &blank[1].code, &own).await), "PARCEL_CARD_VOID");
}

#[tokio::test]
async fn contradictions_are_for_somebody_to_decide_and_the_erased_stay_alone() {
    let world = World::new().await;
    let (buyer, own) = (person(&world, "A").await, person(&world, "mine").await);
    world.member.keep_apart(&buyer, &own);
    let card = card_of(&world, "A").await;
    assert_eq!(claim(&world, &card.code, &own).await.unwrap().state(), S::Conflict);
    assert_eq!(make_void(&world, &card.code).await.unwrap().state(), S::Void);
    let second = card_again(&world, "A").await;
    assert_eq!(claim(&world, &second.code, &own).await.unwrap().state(), S::Conflict);
    let erased = person(&world, "B").await;
    world.member.keep_apart(&erased, &erased);
    let card = card_of(&world, "B").await;
    assert_eq!(claim(&world, &card.code, &own).await.unwrap().state(), S::Erased);
    for wanted in [S::Conflict, S::Erased] {
        let request = ListParcelCardsRequest { state: wanted.into(), ..Default::default() };
        let found = listed(&world, request).await;
        assert_eq!(found.iter().map(ParcelCard::state).collect::<Vec<_>>(), [wanted]);
    }
    let order = Some(lies_in("A"));
    assert_eq!(
        listed(&world, ListParcelCardsRequest { order, ..Default::default() }).await.len(),
        2
    );
}

#[tokio::test]
async fn what_the_member_service_cannot_answer_now_is_asked_again() {
    let world = World::new().await;
    person(&world, "A").await;
    let own = person(&world, "mine").await;
    let card = card_of(&world, "A").await;
    world.member.miss_merges(1);
    assert_eq!(reason(claim(&world, &card.code, &own).await), "MEMBER_AWAY");
    assert_eq!(state(&world, &card.code).await, S::Waiting);
    world.run_jobs().await;
    assert_eq!(state(&world, &card.code).await, S::Linked);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let world = World::new().await;
    let field =
        async |request| create(&world, request).await.unwrap_err().violations()[0].field.clone();
    let base = CreateParcelCardsRequest { request_id: "r".into(), ..Default::default() };
    assert_eq!(field(base.clone()).await, "count");
    let both = CreateParcelCardsRequest { count: 1, orders: vec![lies_in("A")], ..base.clone() };
    assert_eq!(field(both).await, "count");
    let own = ParcelCardOrder { platform: "siyu".into(), ..lies_in("A") };
    assert_eq!(
        field(CreateParcelCardsRequest { orders: vec![own], ..base.clone() }).await,
        "orders[0].platform"
    );
    let late = Some(crate::world::at(-1));
    assert_eq!(
        field(CreateParcelCardsRequest { count: 1, expire_time: late, ..base }).await,
        "expire_time"
    );
    let nobody = id::<Person>(999).to_string();
    assert_eq!(reason(claim(&world, "1234567890123456", &nobody).await), "NOT_FOUND");
}

/// Many who photographed one card, and an order that comes at that moment: one has it, and is the buyer.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_who_claim_at_once_has_the_card() {
    let world = World::new().await;
    let mut persons = Vec::new();
    for n in 0..16 {
        persons.push(person(&world, &format!("p{n}")).await);
    }
    let card = card_of(&world, "A").await;
    let mut calls = JoinSet::new();
    for person_id in &persons {
        let mut cards = world.parcel_cards(1);
        let request =
            ClaimParcelCardRequest { code: card.code.clone(), person_id: person_id.clone() };
        calls.spawn(async move {
            let reply = cards.claim_parcel_card(request).await;
            reply.map(|reply| reply.into_inner().card.unwrap()).map_err(fault)
        });
    }
    let orders = [order("A", &[100])];
    let (done, _) = tokio::join!(calls.join_all(), world.import(&orders));
    let won: Vec<ParcelCard> = done.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    world.run_jobs().await;
    let stands = listed(&world, ListParcelCardsRequest::default()).await.remove(0);
    assert_eq!((stands.state(), &stands.person_id), (S::Linked, &won[0].person_id));
}
