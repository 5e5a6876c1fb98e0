use futures::StreamExt;
use siyu_kernel::{Code, Fault};
use siyu_proto::{order::v1::*, r#type::v1::Money};

use crate::world::World;

fn cny(minor_units: i64) -> Money {
    Money { currency_code: "CNY".into(), minor_units }
}

pub(crate) fn item(code: &str, skus: &[(&str, i64)]) -> Item {
    let sku = |(code, price): &(&str, i64)| Sku {
        code: (*code).into(),
        name: format!("kind {code}"),
        price: Some(cny(*price)),
        stock_kept: Some(true),
    };
    Item {
        code: code.into(),
        name: format!("item {code}"),
        categories: vec!["clothes".into(), format!("of {code}")],
        skus: skus.iter().map(sku).collect(),
        ..Item::default()
    }
}

pub(crate) async fn upsert(world: &World, who: u32, items: &[Item]) -> Result<Vec<Item>, Fault> {
    let request = UpsertItemsRequest { items: items.to_vec() };
    let reply = world.items(who).upsert_items(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().items)
}

async fn list(world: &World, who: u32, category: &str, page_size: i32) -> Vec<String> {
    let mut request =
        ListItemsRequest { category: category.into(), page_size, ..ListItemsRequest::default() };
    let mut codes = Vec::new();
    loop {
        let page = world.items(who).list_items(request.clone()).await.unwrap().into_inner();
        codes.extend(page.items.into_iter().map(|item| item.code));
        if page.next_page_token.is_empty() {
            return codes;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn an_item_is_kept_as_it_was_given_and_a_repeat_changes_nothing() {
    let world = World::new().await;
    let dress = item("dress", &[("dress-s", 19_900), ("dress-m", 20_900)]);
    let made = upsert(&world, 1, std::slice::from_ref(&dress)).await.unwrap().remove(0);
    let shown = Item { create_time: None, update_time: None, ..made.clone() };
    assert_eq!(shown, dress);
    world.clock.advance(chrono::TimeDelta::seconds(60));
    let again = upsert(&world, 1, std::slice::from_ref(&dress)).await.unwrap();
    assert_eq!(again, std::slice::from_ref(&made));
    let other = Item { skus: vec![dress.skus[1].clone()], ..dress.clone() };
    let changed = upsert(&world, 1, std::slice::from_ref(&other)).await.unwrap().remove(0);
    assert_eq!(changed.skus, other.skus, "a kind that is no longer named is gone");
    assert_eq!(changed.create_time, made.create_time);
    assert!(changed.update_time.unwrap().seconds > made.update_time.unwrap().seconds);
}

#[tokio::test]
async fn what_is_wrong_with_items_is_named_and_none_of_them_is_stored() {
    let world = World::new().await;
    let sound = item("sound", &[("a", 1)]);
    let mut wrong = item("wrong", &[("b", 1), ("b", -1), ("c", 1)]);
    wrong.skus[2].price = Some(Money { currency_code: "USD".into(), minor_units: 1 });
    let refused = upsert(&world, 1, &[sound.clone(), wrong, sound]).await.unwrap_err();
    let fields: Vec<&str> =
        refused.violations().iter().map(|violation| violation.field.as_str()).collect();
    let expected = ["items[1].skus[1].code", "items[1].skus[1].price", "items[1].skus[2].price"];
    assert_eq!(fields, [&expected[..], &["items[2].code"]].concat());
    assert_eq!(list(&world, 1, "", 0).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_sku_belongs_to_one_item() {
    let world = World::new().await;
    upsert(&world, 1, &[item("one", &[("a", 1), ("b", 1)])]).await.unwrap();
    let refused = upsert(&world, 1, &[item("two", &[("c", 1), ("b", 9)])]).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::AlreadyExists, "SKU_TAKEN"));
    assert_eq!(list(&world, 1, "", 0).await, ["one"]);
    upsert(&world, 2, &[item("two", &[("b", 9)])]).await.unwrap();
    let shared = [item("three", &[("d", 1), ("e", 1)]), item("four", &[("f", 1), ("d", 1)])];
    let refused = upsert(&world, 1, &shared).await.unwrap_err();
    assert_eq!(refused.reason(), "INVALID_FIELD");
    let [wrong] = refused.violations() else { panic!("{refused:?}") };
    assert_eq!(wrong.field, "items[1].skus[1].code");
    assert_eq!(wrong.description, "\"d\" stands at items[0].skus[0] too");
}

#[tokio::test]
async fn items_come_in_pages_by_category_and_to_their_merchant_only() {
    let world = World::new().await;
    let items: Vec<Item> =
        (0..7).map(|n| item(&format!("i{n}"), &[(&format!("s{n}"), n)])).collect();
    upsert(&world, 1, &items).await.unwrap();
    let all: Vec<String> = items.iter().map(|item| item.code.clone()).collect();
    assert_eq!(list(&world, 1, "", 3).await, all);
    assert_eq!(list(&world, 1, "clothes", 2).await, all);
    assert_eq!(list(&world, 1, "of i4", 2).await, ["i4"]);
    assert_eq!(list(&world, 2, "", 3).await, Vec::<String>::new());
    let get = async |who| world.items(who).get_item(GetItemRequest { code: "i4".into() }).await;
    assert_eq!(get(1).await.unwrap().into_inner().item.unwrap().code, "i4");
    let refused = siyu_grpc::fault(get(2).await.unwrap_err());
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_come_from_many_sides_at_once_end_whole() {
    let world = World::new().await;
    let version = |n: i64| -> Vec<Item> {
        let skus = [("x", n), ("y", n), ("z", n)];
        (0..9).map(|i| item(&format!("i{i}"), &[(&format!("{i}{}", skus[0].0), n)])).collect()
    };
    let calls = (0..8).map(|n| {
        let (world, mut items) = (&world, version(n));
        if n % 2 == 0 {
            items.reverse();
        }
        async move { upsert(world, 1, &items).await }
    });
    for reply in futures::future::join_all(calls).await {
        assert_eq!(reply.unwrap().len(), 9);
    }
    assert_eq!(world.count("select count(distinct price_minor) from skus").await, 1);
    assert_eq!(world.count("select count(*) from skus").await, 9);
}

#[tokio::test]
async fn batches_of_items_over_one_call_are_answered_in_order_until_one_is_refused() {
    let world = World::new().await;
    let batch = |items: &[Item]| StreamUpsertItemsRequest { items: items.to_vec() };
    let (dress, scarf) = (item("dress", &[("m", 100)]), item("scarf", &[("blue", 50)]));
    let thief = item("thief", &[("m", 1)]);
    let dearer = item("dress", &[("m", 200)]);
    let last = item("last", &[("z", 1)]);
    let batches = vec![
        batch(&[scarf.clone(), dress.clone()]),
        batch(std::slice::from_ref(&dearer)),
        batch(&[last.clone(), thief]),
        batch(std::slice::from_ref(&last)),
    ];
    let stream = futures::stream::iter(batches.clone());
    let mut replies = world.items(1).stream_upsert_items(stream).await.unwrap().into_inner();
    let made = replies.next().await.unwrap().unwrap().items;
    assert_eq!(made.iter().map(|item| item.code.as_str()).collect::<Vec<_>>(), ["scarf", "dress"]);
    let changed = replies.next().await.unwrap().unwrap().items;
    assert_eq!(changed[0].skus, dearer.skus);
    let refused = siyu_grpc::fault(replies.next().await.unwrap().unwrap_err());
    assert_eq!(refused.reason(), "SKU_TAKEN");
    assert!(replies.next().await.is_none());
    assert_eq!(list(&world, 1, "", 0).await, ["dress", "scarf"], "whole batches stand");
    // What was stored is sent again without harm; a batch without items is refused like a request.
    let again = vec![batches[1].clone(), batch(&[])];
    let stream = futures::stream::iter(again);
    let mut replies = world.items(1).stream_upsert_items(stream).await.unwrap().into_inner();
    assert_eq!(replies.next().await.unwrap().unwrap().items, changed);
    let refused = siyu_grpc::fault(replies.next().await.unwrap().unwrap_err());
    assert_eq!(refused.violations()[0].field, "items");
}
