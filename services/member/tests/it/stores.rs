use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::{member::v1::*, r#type::v1::GeoPoint};

use crate::world::{MerchantId, World, fields};

pub(crate) fn store(code: &str) -> Store {
    Store { code: code.into(), name: format!("store {code}"), ..Default::default() }
}

pub(crate) async fn try_upsert(
    world: &World,
    who: MerchantId,
    stores: Vec<Store>,
) -> Result<Vec<Store>, Fault> {
    let request = UpsertStoresRequest { stores };
    let reply = world.stores(who).upsert_stores(request).await.map_err(fault)?;
    Ok(reply.into_inner().stores)
}

pub(crate) async fn upsert(world: &World, who: MerchantId, codes: &[&str]) -> Vec<Store> {
    try_upsert(world, who, codes.iter().map(|code| store(code)).collect()).await.unwrap()
}

pub(crate) async fn list(world: &World, who: MerchantId) -> Vec<Store> {
    let mut request = ListStoresRequest { page_size: 2, ..Default::default() };
    let mut stores = Vec::new();
    loop {
        let page = world.stores(who).list_stores(request.clone()).await.unwrap().into_inner();
        stores.extend(page.stores);
        if page.next_page_token.is_empty() {
            return stores;
        }
        request.page_token = page.next_page_token;
    }
}

fn span(weekday: i32, open_minute: i32, close_minute: i32) -> OpeningSpan {
    OpeningSpan { weekday, open_minute, close_minute }
}

#[tokio::test]
async fn stores_are_created_and_changed_by_their_code() {
    let world = World::new().await;
    let made = upsert(&world, world.own, &["S2", "S1"]).await;
    assert_eq!(made.iter().map(|s| s.code.as_str()).collect::<Vec<_>>(), ["S2", "S1"]);
    assert!(made.iter().all(|s| s.zone == "Asia/Shanghai" && s.kind() == StoreKind::Direct));

    world.clock.advance(TimeDelta::days(1));
    let hours = OpeningHours { weekly: vec![span(5, 1200, 1560)], exceptions: Vec::new() };
    let other = Store {
        zone: "Asia/Tokyo".into(),
        hours: Some(hours),
        area_centi_sqm: 16_050,
        kind: StoreKind::Franchise.into(),
        ..store("S1")
    };
    let changed = try_upsert(&world, world.own, vec![other.clone()]).await.unwrap().remove(0);
    assert_eq!((&changed.id, changed.create_time), (&made[1].id, made[1].create_time));
    assert_eq!(changed.update_time.unwrap().seconds, 1_717_200_000 + 86_400);
    assert_eq!((changed.zone.as_str(), changed.area_centi_sqm), ("Asia/Tokyo", 16_050));
    assert_eq!(changed.hours, other.hours);
    assert_eq!(list(&world, world.own).await, [changed.clone(), made[0].clone()]);
    let get = GetStoreRequest { store_id: changed.id.clone() };
    let found = world.stores(world.own).get_store(get).await.unwrap().into_inner();
    assert_eq!(found.store.as_ref(), Some(&changed));
    let told = world.told::<StoreChanged>().await;
    let told: Vec<_> = told.into_iter().map(|(_, _, fact)| fact.store.unwrap()).collect();
    assert_eq!(told, [made[1].clone(), made[0].clone(), changed]);
}

#[tokio::test]
async fn where_a_store_stands_stays_until_something_else_is_said() {
    let world = World::new().await;
    let at = |latitude_e6, longitude_e6| Store {
        point: Some(GeoPoint { latitude_e6, longitude_e6 }),
        ..store("S1")
    };
    let put = async |store: Store| {
        let stores = try_upsert(&world, world.own, vec![store]).await?;
        Ok::<_, Fault>(stores[0].point)
    };
    assert_eq!(put(store("S1")).await.unwrap(), None, "not known");
    let there = put(at(Some(31_230_400), Some(-121_473_700))).await.unwrap();
    assert_eq!(there, at(Some(31_230_400), Some(-121_473_700)).point);
    assert_eq!(put(store("S1")).await.unwrap(), there, "not given: as before");
    assert_eq!(list(&world, world.own).await[0].point, there);
    for (wrong, field) in [
        (at(Some(0), None), "stores[0].point.longitude_e6"),
        (at(None, Some(0)), "stores[0].point.latitude_e6"),
        (at(Some(-90_000_001), Some(0)), "stores[0].point.latitude_e6"),
        (at(Some(0), Some(180_000_001)), "stores[0].point.longitude_e6"),
    ] {
        assert_eq!(fields(&put(wrong).await.unwrap_err()), [field]);
    }
    assert_eq!(put(at(None, None)).await.unwrap(), None, "forgotten");
    assert_eq!(put(at(Some(0), Some(0))).await.unwrap(), at(Some(0), Some(0)).point);
    let told = world.told::<StoreChanged>().await.len();
    assert_eq!(told, 4, "of each change");
}

#[tokio::test]
async fn one_bad_store_refuses_all_and_every_bad_field_is_named() {
    let world = World::new().await;
    let bad_zone = Store { zone: "Mars/Olympus".into(), ..store("B") };
    let hours = OpeningHours {
        weekly: vec![span(1, 600, 1320), span(1, 600, 600)],
        exceptions: vec![OpeningException { day: "2024-02-30".into(), spans: Vec::new() }],
    };
    let bad_hours = Store { hours: Some(hours), ..store("C") };
    let bad_kind = Store { kind: 9, ..store("A") };
    let stores = vec![store("A"), bad_zone, bad_hours, bad_kind];
    let refused = try_upsert(&world, world.own, stores).await.unwrap_err();
    let mut named = fields(&refused);
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "stores[1].zone",
            "stores[2].hours.exceptions[0].day",
            "stores[2].hours.weekly[1].close_minute",
            "stores[3].code",
            "stores[3].kind",
        ]
    );
    assert_eq!(list(&world, world.own).await, []);
    assert_eq!(world.told::<StoreChanged>().await, []);
}

#[tokio::test]
async fn a_store_that_is_the_same_is_left_alone_and_tells_nothing() {
    let world = World::new().await;
    let made = upsert(&world, world.own, &["S1", "S2"]).await;
    world.clock.advance(TimeDelta::days(1));
    assert_eq!(upsert(&world, world.own, &["S1", "S2"]).await, made);
    assert_eq!(world.told::<StoreChanged>().await.len(), 2);
    let renamed = Store { name: "new".into(), ..store("S2") };
    try_upsert(&world, world.own, vec![store("S1"), renamed]).await.unwrap();
    let told = world.told::<StoreChanged>().await;
    assert_eq!((told.len(), told[2].1.as_str()), (3, made[1].id.as_str()));
}

#[tokio::test]
async fn a_store_of_another_merchant_is_not_there() {
    let world = World::new().await;
    let made = upsert(&world, world.own, &["S1"]).await;
    let get = GetStoreRequest { store_id: made[0].id.clone() };
    let foreign = fault(world.stores(world.other).get_store(get).await.unwrap_err());
    assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, "store not found"));
    assert_eq!(list(&world, world.other).await, []);
    let theirs = upsert(&world, world.other, &["S1"]).await;
    assert_ne!(theirs[0].id, made[0].id);
    assert_eq!(list(&world, world.own).await, made);
}

#[tokio::test]
async fn stores_of_nobody_are_refused() {
    let world = World::new().await;
    let stranger = siyu_testkit::merchant(9);
    let refused = try_upsert(&world, stranger, vec![store("S1")]).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "merchant not found"));
}
