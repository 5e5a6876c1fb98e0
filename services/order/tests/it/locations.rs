use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::world::World;

fn location(code: &str, kind: LocationKind, store_code: &str) -> Location {
    Location {
        code: code.into(),
        name: format!("location {code}"),
        kind: kind.into(),
        store_code: store_code.into(),
        ..Location::default()
    }
}

async fn upsert(world: &World, locations: &[Location]) -> Result<Vec<Location>, Fault> {
    let request = UpsertLocationsRequest { locations: locations.to_vec() };
    let reply = world.locations(1).upsert_locations(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().locations)
}

async fn list(world: &World, who: u32, kind: LocationKind) -> Vec<String> {
    let mut request =
        ListLocationsRequest { kind: kind.into(), page_size: 2, ..ListLocationsRequest::default() };
    let mut codes = Vec::new();
    loop {
        let page = world.locations(who).list_locations(request.clone()).await.unwrap().into_inner();
        codes.extend(page.locations.into_iter().map(|location| location.code));
        if page.next_page_token.is_empty() {
            return codes;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_location_is_known_by_its_code_and_may_be_the_stock_of_a_store() {
    let world = World::new().await;
    let store_id = world.member.open(merchant(1), "north", 7);
    let wanted = [
        location("w2", LocationKind::Warehouse, ""),
        location("shop", LocationKind::Store, "north"),
        location("w1", LocationKind::Warehouse, ""),
    ];
    let stand = upsert(&world, &wanted).await.unwrap();
    assert_eq!(stand.iter().map(|l| l.code.as_str()).collect::<Vec<_>>(), ["w2", "shop", "w1"]);
    assert_eq!((stand[0].store_id.as_str(), &stand[1].store_id), ("", &store_id));
    world.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(upsert(&world, &wanted).await.unwrap(), stand, "a repeat changes nothing");
    let mut renamed = wanted[0].clone();
    renamed.name = "another".into();
    let other = upsert(&world, &[renamed]).await.unwrap().remove(0);
    assert_eq!((other.name.as_str(), other.create_time), ("another", stand[0].create_time));
    assert_ne!(other.update_time, stand[0].update_time);
    assert_eq!(list(&world, 1, LocationKind::Unspecified).await, ["shop", "w1", "w2"]);
    assert_eq!(list(&world, 1, LocationKind::Warehouse).await, ["w1", "w2"]);
    assert_eq!(list(&world, 2, LocationKind::Unspecified).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_wrong_with_a_location_is_named() {
    let world = World::new().await;
    world.member.open(merchant(1), "north", 7);
    world.member.open(merchant(2), "south", 8);
    let wrong = [
        location("a", LocationKind::Unspecified, ""),
        location("b", LocationKind::Warehouse, "north"),
        location("c", LocationKind::Store, "south"),
        location("c", LocationKind::Store, ""),
    ];
    let refused = upsert(&world, &wrong[..1]).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "locations[0].kind", "by its shape");
    let refused = upsert(&world, &wrong[1..]).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(
        fields,
        ["locations[0].store_code", "locations[1].store_code", "locations[2].code"],
        "a store of another merchant is none"
    );
    upsert(&world, &[location("first", LocationKind::Store, "north")]).await.unwrap();
    let refused =
        upsert(&world, &[location("second", LocationKind::Store, "north")]).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::AlreadyExists, "LOCATION_STORE_TAKEN"));
    assert_eq!(world.count("select count(*) from locations").await, 1);
}
