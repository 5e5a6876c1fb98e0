//! Activities know a person under every id that leads to them, and each id by itself again after an unmerge.

use siyu_proto::order::v1::{place_order_request::Activity, *};

use crate::{
    bargains, blind_boxes,
    buyers::Members,
    groups,
    market::{Market, days, reason},
};

/// Buyers of whom the second turns out to be the first, too.
async fn merged(persons: u32) -> (Market, Members) {
    let market = Market::new(persons).await;
    let members = Members::new(&market.world).await;
    (market, members)
}

async fn merge(market: &Market, members: &Members) {
    members.merged(&market.world, market.person(2), market.person(1)).await;
}

#[tokio::test]
async fn what_one_may_take_of_an_activity_is_counted_over_all_ids_of_a_person() {
    let (market, members) = merged(2).await;
    let (valid_time_from, valid_time_to) = days();
    let sale = FlashSale {
        code: "noon".into(),
        name: "at noon".into(),
        sku: "dress-m".into(),
        unit_minor: 9_900,
        per_person: 2,
        valid_time_from,
        valid_time_to,
        ..FlashSale::default()
    };
    let request = UpsertFlashSalesRequest { sales: vec![sale] };
    market.world.flash_sales(1).upsert_flash_sales(request).await.unwrap();
    let buy = async |n| {
        let entry = Activity::FlashSale(FlashSaleEntry { sale_code: "noon".into() });
        market.order(market.cart_of(n, "dress-m", entry)).await
    };
    buy(1).await.unwrap();
    merge(&market, &members).await;
    let second = buy(2).await.unwrap();
    for n in [1, 2] {
        assert_eq!(reason(buy(n).await), "ACTIVITY_LIMIT_REACHED");
    }
    market.cancel(&second.id).await.unwrap();
    let again = buy(1).await.unwrap();
    assert_eq!(again.person_id, market.person(2));
    members.unmerged(&market.world, market.person(2), market.person(1)).await;
    for n in [1, 2] {
        buy(n).await.unwrap();
        assert_eq!(reason(buy(n).await), "ACTIVITY_LIMIT_REACHED", "each id has had two");
    }
}

#[tokio::test]
async fn one_person_is_in_one_group_of_an_activity_under_whichever_id() {
    let (market, members) = merged(2).await;
    groups::save(&market, &[groups::activity("g", 3)]).await;
    market.order(market.opens(1, "g", 15_000)).await.unwrap();
    let group = market.groups("g").await.remove(0);
    merge(&market, &members).await;
    let joins = market.order(market.joins(2, &group, 15_000)).await;
    assert_eq!(reason(joins), "GROUP_ALREADY_JOINED");
    members.unmerged(&market.world, market.person(2), market.person(1)).await;
    market.order(market.joins(2, &group, 15_000)).await.unwrap();
}

#[tokio::test]
async fn a_helper_helps_once_and_bargains_once_under_whichever_id() {
    let (market, members) = merged(5).await;
    let activity = BargainActivity { helps_per_day: 2, ..bargains::activity("b", 3) };
    bargains::save(&market, &[activity]).await;
    market.start("1", "b", 1).await.unwrap();
    let mut theirs = Vec::new();
    for n in 3..=5 {
        theirs.push(market.start(&n.to_string(), "b", n).await.unwrap());
    }
    market.help(&theirs[0], 1).await.unwrap();
    merge(&market, &members).await;
    assert_eq!(reason(market.start("2", "b", 2).await), "BARGAIN_BEGUN");
    assert_eq!(reason(market.help(&theirs[0], 2).await), "BARGAIN_HELPED");
    market.help(&theirs[1], 2).await.unwrap();
    assert_eq!(reason(market.help(&theirs[2], 2).await), "BARGAIN_HELPS_SPENT");
}

#[tokio::test]
async fn draws_without_the_guaranteed_prize_count_under_whichever_id_they_were() {
    let (market, members) = merged(2).await;
    let rare = BlindBox {
        prizes: vec![blind_boxes::prize("gold", 1, 0), blind_boxes::prize("grey", 999_999, 0)],
        guarantee_after: 4,
        guarantee_prize: "gold".into(),
        ..blind_boxes::dolls(0)
    };
    blind_boxes::publish(&market, "p", rare).await.unwrap();
    let draws = async |n, pieces| {
        let cart = market.boxes(n, pieces);
        let paid = market.order(market.paying(n, cart, pieces * 5_000)).await.unwrap();
        let outcomes = market.draw(&paid.id).await.outcomes;
        outcomes.iter().map(|outcome| outcome.guaranteed).collect::<Vec<_>>()
    };
    assert_eq!(draws(1, 3).await, [false; 3]);
    merge(&market, &members).await;
    assert_eq!(draws(2, 2).await, [true, false], "the fourth draw of one person");
    assert_eq!(draws(1, 3).await, [false, false, true], "counted once");
}
