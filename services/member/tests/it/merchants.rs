use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::*;
use siyu_testkit::merchant;
use tokio::task::JoinSet;

use crate::world::{World, fields};

fn wanted() -> CreateMerchantRequest {
    CreateMerchantRequest {
        request_id: "one".into(),
        name: "四方茶".into(),
        zone: "Europe/Berlin".into(),
        currency_code: "EUR".into(),
    }
}

async fn create(world: &World, request: CreateMerchantRequest) -> Result<Merchant, Fault> {
    let reply = world.operator().create_merchant(request).await.map_err(fault)?;
    Ok(reply.into_inner().merchant.unwrap())
}

async fn list(world: &World, page_size: i32, page_token: &str) -> (Vec<Merchant>, String) {
    let request = ListMerchantsRequest { page_size, page_token: page_token.into() };
    let reply = world.operator().list_merchants(request).await.unwrap().into_inner();
    (reply.merchants, reply.next_page_token)
}

#[tokio::test]
async fn a_merchant_is_opened_as_asked_and_tells_itself_once() {
    let world = World::empty().await;
    let made = create(&world, wanted()).await.unwrap();
    assert_eq!((made.name.as_str(), made.zone.as_str()), ("四方茶", "Europe/Berlin"));
    assert_eq!(made.currency_code, "EUR");
    assert_eq!(made.create_time.unwrap().seconds, 1_717_200_000);

    let id = made.id.parse().unwrap();
    let own = world.merchants(id).get_merchant(GetMerchantRequest {}).await.unwrap().into_inner();
    assert_eq!(own.merchant.as_ref(), Some(&made));
    let request = LookupMerchantRequest { merchant_id: made.id.clone() };
    let found = world.operator().lookup_merchant(request).await.unwrap().into_inner();
    assert_eq!(found.merchant.as_ref(), Some(&made));

    let told = world.told::<MerchantCreated>().await;
    let fact = MerchantCreated { merchant: Some(made.clone()) };
    assert_eq!(told, [(id, made.id, fact)]);
}

#[tokio::test]
async fn what_is_not_said_is_shanghai_and_yuan() {
    let world = World::empty().await;
    let request = CreateMerchantRequest { name: "m".into(), ..Default::default() };
    let made = create(&world, request).await.unwrap();
    assert_eq!((made.zone.as_str(), made.currency_code.as_str()), ("Asia/Shanghai", "CNY"));
}

#[tokio::test]
async fn a_repeat_gets_the_first_reply_and_another_request_under_its_key_is_refused() {
    let world = World::empty().await;
    let first = create(&world, wanted()).await.unwrap();
    world.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(create(&world, wanted()).await.unwrap(), first);
    let other = CreateMerchantRequest { name: "other".into(), ..wanted() };
    let refused = create(&world, other).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(list(&world, 0, "").await.0.len(), 1);
    let unprotected = CreateMerchantRequest { request_id: String::new(), ..wanted() };
    assert_ne!(create(&world, unprotected).await.unwrap().id, first.id);
}

#[tokio::test]
async fn sixteen_repeats_at_once_open_one_merchant() {
    let world = World::empty().await;
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let mut operator = world.operator();
        calls.spawn(async move { operator.create_merchant(wanted()).await.unwrap().into_inner() });
    }
    let replies = calls.join_all().await;
    assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
    assert_eq!(list(&world, 0, "").await.0.len(), 1);
    assert_eq!(world.told::<MerchantCreated>().await.len(), 1);
}

#[tokio::test]
async fn an_unknown_zone_or_currency_is_refused_by_field_and_opens_nothing() {
    let world = World::empty().await;
    let nowhere = CreateMerchantRequest { zone: "Asia/Atlantis".into(), ..wanted() };
    assert_eq!(fields(&create(&world, nowhere).await.unwrap_err()), ["zone"]);
    for code in ["XXX", "cny", "XAU"] {
        let odd = CreateMerchantRequest { currency_code: code.into(), ..wanted() };
        assert_eq!(fields(&create(&world, odd).await.unwrap_err()), ["currency_code"], "{code}");
    }
    assert_eq!(list(&world, 0, "").await.0, []);
    // A refused request has not used up its key.
    create(&world, wanted()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_merchant_is_not_found_by_anyone() {
    let world = World::new().await;
    let stranger = merchant(7);
    let request = LookupMerchantRequest { merchant_id: stranger.to_string() };
    let unknown = fault(world.operator().lookup_merchant(request).await.unwrap_err());
    let own = world.merchants(stranger).get_merchant(GetMerchantRequest {}).await;
    for refused in [unknown, fault(own.unwrap_err())] {
        assert_eq!((refused.code(), refused.reason()), (Code::NotFound, "NOT_FOUND"));
    }
    let request = LookupMerchantRequest { merchant_id: "per_1".into() };
    let odd = fault(world.operator().lookup_merchant(request).await.unwrap_err());
    assert_eq!(fields(&odd), ["merchant_id"]);
}

#[tokio::test]
async fn pages_of_merchants_hold_each_once_though_more_are_opened_meanwhile() {
    let world = World::empty().await;
    let mut made = Vec::new();
    for n in 0..5 {
        let request = CreateMerchantRequest { name: format!("m{n}"), ..Default::default() };
        made.push(create(&world, request).await.unwrap());
    }
    let (mut seen, token) = list(&world, 2, "").await;
    let late = CreateMerchantRequest { name: "late".into(), ..Default::default() };
    made.push(create(&world, late).await.unwrap());
    let mut token = token;
    while !token.is_empty() {
        let (page, next) = list(&world, 3, &token).await;
        seen.extend(page);
        token = next;
    }
    assert_eq!(seen, made);
}
