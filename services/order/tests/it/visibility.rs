use siyu_kernel::Code;
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::{
    catalogue::{item, upsert},
    quotes::quote_for,
    world::{World, at},
};

fn shown(code: &str, visibility: Visibility) -> Item {
    Item { visibility: Some(visibility), ..item(code, &[(code, 1_000)]) }
}

fn to(condition: SaleCondition) -> Visibility {
    Visibility { condition: Some(condition), ..Visibility::default() }
}

/// Items that are not sold everywhere, always or to everybody; gives a person of tier 3.
async fn shop(world: &World) -> String {
    let region = world.member.found(merchant(1), "east", "", 1);
    world.member.open(merchant(1), "north", 7);
    world.member.put_into(merchant(1), "north", &region);
    let soon = Visibility {
        visible_time_from: Some(at(60)),
        visible_time_to: Some(at(120)),
        ..Visibility::default()
    };
    let items = [
        item("all", &[("all", 1_000)]),
        shown("east", to(SaleCondition { region_ids: vec![region], ..SaleCondition::default() })),
        shown("gold", to(SaleCondition { tiers: vec![3], ..SaleCondition::default() })),
        shown("live", to(SaleCondition { channels: vec!["live".into()], ..Default::default() })),
        shown(
            "north",
            to(SaleCondition { store_codes: vec!["north".into()], ..Default::default() }),
        ),
        shown("soon", soon),
        Item { withdrawn: true, ..item("withdrawn", &[("withdrawn", 1)]) },
    ];
    let stand = upsert(world, 1, &items).await.unwrap();
    let said: Vec<_> = stand.iter().map(|item| item.visibility.clone()).collect();
    assert_eq!(said, items.iter().map(|item| item.visibility.clone()).collect::<Vec<_>>());
    assert_eq!(upsert(world, 1, &items).await.unwrap(), stand, "a repeat changes nothing");
    let ann = world.member.meet(merchant(1), 1);
    world.member.raise(&ann, 3);
    ann
}

async fn visible(world: &World, store: &str, channel: &str, person: &str) -> Vec<String> {
    let mut request = ListVisibleItemsRequest {
        store_code: store.into(),
        channel: channel.into(),
        person_id: person.into(),
        page_size: 2,
        ..ListVisibleItemsRequest::default()
    };
    let mut codes = Vec::new();
    loop {
        let page = world.items(1).list_visible_items(request.clone()).await.unwrap().into_inner();
        codes.extend(page.items.into_iter().map(|item| item.code));
        if page.next_page_token.is_empty() {
            return codes;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn everybody_sees_what_is_sold_to_him_here_and_now_and_can_have_it_priced() {
    let world = World::new().await;
    let ann = shop(&world).await;
    let table = [
        ("", "", "", vec!["all"]),
        ("", "live", "", vec!["all", "live"]),
        ("", "", ann.as_str(), vec!["all", "gold"]),
        ("north", "", "", vec!["all", "east", "north"]),
        ("north", "live", ann.as_str(), vec!["all", "east", "gold", "live", "north"]),
    ];
    let every = ["all", "east", "gold", "live", "north", "soon", "withdrawn"];
    for (store, channel, person, wanted) in table {
        assert_eq!(visible(&world, store, channel, person).await, wanted);
        for sku in every {
            let request = QuoteCartRequest {
                store_code: store.into(),
                channel: channel.into(),
                person_id: person.into(),
                ..QuoteCartRequest::default()
            };
            let priced = quote_for(&world, request, &[("all", 1), (sku, 1)]).await;
            assert_eq!(priced.is_ok(), wanted.contains(&sku), "{sku} at \"{store}\"");
            if let Err(refused) = priced {
                assert_eq!(refused.violations()[0].field, "lines[1].sku");
            }
        }
    }
    world.clock.advance(chrono::TimeDelta::seconds(60));
    assert_eq!(visible(&world, "", "", "").await, ["all", "soon"]);
    world.clock.advance(chrono::TimeDelta::seconds(60));
    assert_eq!(visible(&world, "", "", "").await, ["all"], "the end is exclusive");
}

#[tokio::test]
async fn who_or_what_is_not_known_sees_nothing() {
    let world = World::new().await;
    shop(&world).await;
    let stranger = world.member.meet(merchant(2), 9);
    let request = ListVisibleItemsRequest { person_id: stranger, ..Default::default() };
    let refused = siyu_grpc::fault(world.items(1).list_visible_items(request).await.unwrap_err());
    assert_eq!(refused.code(), Code::NotFound);
    let request = ListVisibleItemsRequest { store_code: "nowhere".into(), ..Default::default() };
    let refused = siyu_grpc::fault(world.items(1).list_visible_items(request).await.unwrap_err());
    assert_eq!(refused.violations()[0].field, "store_code");
    let theirs = world.items(2).list_visible_items(ListVisibleItemsRequest::default()).await;
    assert_eq!(theirs.unwrap().into_inner().items, []);
    let mut wrong =
        shown("wrong", to(SaleCondition { region_ids: vec!["x".into()], ..Default::default() }));
    wrong.visibility.as_mut().unwrap().visible_time_from = Some(at(1));
    wrong.visibility.as_mut().unwrap().visible_time_to = Some(at(0));
    let refused = upsert(&world, 1, &[wrong]).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(
        fields,
        ["items[0].visibility.condition.region_ids[0]", "items[0].visibility.visible_time_to"]
    );
}
