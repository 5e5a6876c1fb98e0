use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::{promotion::Does, *};
use siyu_testkit::merchant;

use crate::{
    quotes::{promotion, quote_for, save, shop},
    world::{World, at},
};

fn list(code: &str, condition: SaleCondition) -> PriceList {
    PriceList {
        code: code.into(),
        name: format!("list {code}"),
        condition: (condition != SaleCondition::default()).then_some(condition),
        ..PriceList::default()
    }
}

fn tiers(tiers: &[i32]) -> SaleCondition {
    SaleCondition { tiers: tiers.to_vec(), ..SaleCondition::default() }
}

async fn upsert(world: &World, lists: &[PriceList]) -> Result<Vec<PriceList>, Fault> {
    let request = UpsertPriceListsRequest { price_lists: lists.to_vec() };
    let reply = world.price_lists(1).upsert_price_lists(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().price_lists)
}

async fn set(
    world: &World,
    list: &str,
    prices: &[(&str, i64)],
    removed: &[&str],
) -> Result<i64, Fault> {
    let price = |&(sku, unit_minor): &(&str, i64)| ListedPrice { sku: sku.into(), unit_minor };
    let request = SetListedPricesRequest {
        list_code: list.into(),
        prices: prices.iter().map(price).collect(),
        removed_skus: removed.iter().map(|&sku| sku.to_owned()).collect(),
    };
    let reply = world.price_lists(1).set_listed_prices(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().changed)
}

/// What a scarf costs, and by which rule.
async fn scarf(world: &World, request: QuoteCartRequest) -> (i64, String) {
    let priced = quote_for(world, request, &[("scarf", 1)]).await.unwrap();
    let rule = priced.rows.iter().find(|row| row.step() == PriceStep::LinePrice);
    (priced.lines[0].payable_minor, rule.map(|row| row.rule.clone()).unwrap_or_default())
}

#[tokio::test]
async fn the_lowest_price_of_the_lists_that_are_for_the_sale_wins_and_its_row_names_the_list() {
    let world = shop().await;
    let ann = world.member.meet(merchant(1), 1);
    let bob = world.member.meet(merchant(1), 2);
    world.member.raise(&ann, 3);
    world.member.open(merchant(1), "north", 7);
    world.member.open(merchant(1), "south", 8);
    let country = world.member.found(merchant(1), "country", "", 1);
    let city = world.member.found(merchant(1), "city", "country", 2);
    world.member.put_into(merchant(1), "north", &city);
    let lists = [
        list("gold", tiers(&[3, 4])),
        list("country", SaleCondition { region_ids: vec![country], ..SaleCondition::default() }),
        list("live", SaleCondition { channels: vec!["live".into()], ..SaleCondition::default() }),
        list("south", SaleCondition { store_codes: vec!["south".into()], ..tiers(&[3]) }),
    ];
    upsert(&world, &lists).await.unwrap();
    let prices = [("gold", 4_500), ("country", 4_600), ("live", 4_400), ("south", 4_000)];
    for (list, price) in prices {
        assert_eq!(set(&world, list, &[("scarf", price)], &[]).await.unwrap(), 1);
    }
    let of = |person: &str, store: &str, channel: &str| QuoteCartRequest {
        person_id: person.into(),
        store_code: store.into(),
        channel: channel.into(),
        ..QuoteCartRequest::default()
    };
    let table = [
        (of("", "", ""), (5_000, "")),
        (of(&bob, "", ""), (5_000, "")),
        (of(&ann, "", ""), (4_500, "gold")),
        (of(&bob, "north", ""), (4_600, "country")),
        (of(&bob, "south", ""), (5_000, "")),
        (of(&ann, "north", "live"), (4_400, "live")),
        (of(&ann, "south", "live"), (4_000, "south")),
    ];
    for (request, (payable, rule)) in table {
        assert_eq!(scarf(&world, request.clone()).await, (payable, rule.to_owned()), "{request:?}");
    }
    let special = LinePrice { sku: "scarf".into(), unit_minor: 4_500 };
    save(&world, &[promotion("special", Does::LinePrice(special))]).await.unwrap();
    let flash = scarf(&world, of(&ann, "", "")).await;
    assert_eq!(flash, (4_500, "special".to_owned()), "of equal prices the flash sale is named");
    let unknown = quote_for(&world, of("", "nowhere", ""), &[("scarf", 1)]).await.unwrap_err();
    assert_eq!(unknown.violations()[0].field, "store_code");
}

#[tokio::test]
async fn a_list_is_in_force_in_its_time_unless_it_is_paused_and_never_raises_a_price() {
    let world = shop().await;
    let mut later = list("later", SaleCondition::default());
    (later.valid_time_from, later.valid_time_to) = (Some(at(60)), Some(at(120)));
    let mut paused = list("paused", SaleCondition::default());
    paused.paused = true;
    let dear = list("dear", SaleCondition::default());
    let stand = upsert(&world, &[later.clone(), paused, dear]).await.unwrap();
    for (list, price) in [("later", 4_000), ("paused", 1), ("dear", 9_000)] {
        set(&world, list, &[("scarf", price)], &[]).await.unwrap();
    }
    let nobody = QuoteCartRequest::default();
    assert_eq!(scarf(&world, nobody.clone()).await.0, 5_000);
    world.clock.advance(chrono::TimeDelta::seconds(60));
    assert_eq!(scarf(&world, nobody.clone()).await, (4_000, "later".to_owned()));
    assert_eq!(upsert(&world, &[later]).await.unwrap()[0], stand[0], "a repeat changes nothing");
    world.clock.advance(chrono::TimeDelta::seconds(60));
    assert_eq!(scarf(&world, nobody).await.0, 5_000, "the end is exclusive");
}

#[tokio::test]
async fn prices_are_put_on_a_list_and_taken_off_and_come_in_pages() {
    let world = World::new().await;
    upsert(&world, &[list("a", SaleCondition::default())]).await.unwrap();
    let skus: Vec<String> = (0..900).map(|n| format!("s{n:03}")).collect();
    let prices: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 100)).collect();
    assert_eq!(set(&world, "a", &prices, &[]).await.unwrap(), 900);
    assert_eq!(set(&world, "a", &prices, &[]).await.unwrap(), 0, "a repeat");
    let removed: Vec<&str> = skus[100..].iter().map(String::as_str).chain(["gone"]).collect();
    assert_eq!(set(&world, "a", &[("s000", 99)], &removed).await.unwrap(), 801);
    let mut request =
        ListListedPricesRequest { list_code: "a".into(), page_size: 7, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.price_lists(1).list_listed_prices(request.clone()).await.unwrap();
        let page = page.into_inner();
        seen.extend(page.prices.into_iter().map(|price| (price.sku, price.unit_minor)));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let wanted: Vec<(String, i64)> =
        skus[..100].iter().map(|sku| (sku.clone(), if sku == "s000" { 99 } else { 100 })).collect();
    assert_eq!(seen, wanted);
    let twice = set(&world, "a", &[("x", 1)], &["x"]).await.unwrap_err();
    assert_eq!(twice.violations()[0].field, "removed_skus[0]");
    assert_eq!(set(&world, "b", &[("x", 1)], &[]).await.unwrap_err().code(), Code::NotFound);
    let foreign = SetListedPricesRequest { list_code: "a".into(), ..Default::default() };
    let foreign = world.price_lists(2).set_listed_prices(foreign).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
    let foreign = GetPriceListRequest { code: "a".into() };
    let foreign = world.price_lists(2).get_price_list(foreign).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
}

#[tokio::test]
async fn what_is_wrong_with_a_list_is_named() {
    let world = World::new().await;
    let mut wrong = list("a", SaleCondition { region_ids: vec!["east".into()], ..tiers(&[1, 21]) });
    (wrong.valid_time_from, wrong.valid_time_to) = (Some(at(1)), Some(at(1)));
    let refused = upsert(&world, &[wrong.clone(), wrong]).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    let own = ["condition.region_ids[0]", "condition.tiers[1]", "valid_time_to"];
    let mut wanted: Vec<String> = own.iter().map(|f| format!("price_lists[0].{f}")).collect();
    wanted.push("price_lists[1].code".into());
    wanted.extend(own.iter().map(|f| format!("price_lists[1].{f}")));
    assert_eq!(fields, wanted);
    let page = world.price_lists(1).list_price_lists(ListPriceListsRequest::default()).await;
    assert_eq!(page.unwrap().into_inner().price_lists, []);
}
