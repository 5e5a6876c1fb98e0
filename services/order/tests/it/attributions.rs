//! Which live room an order came from.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::{buyers::Members, market::Market, world::at};

fn click(person: &str, sku: &str, room: &str, seconds: i64) -> ProductClick {
    ProductClick {
        person_id: person.into(),
        sku: sku.into(),
        room_id: room.into(),
        session_id: "monday".into(),
        anchor_id: "ning".into(),
        slot: 3,
        click_time: Some(at(seconds)),
    }
}

impl Market {
    async fn clicks(&self, clicks: &[ProductClick]) -> Result<i64, Fault> {
        let request = RecordProductClicksRequest { clicks: clicks.to_vec() };
        let reply = self.world.attributions(1).record_product_clicks(request).await;
        Ok(reply.map_err(fault)?.into_inner().recorded)
    }

    async fn attribution(&self, who: u32, order_id: &str) -> Result<ProductClick, Fault> {
        let request = GetAttributionRequest { order_id: order_id.into() };
        let reply = self.world.attributions(who).get_attribution(request).await.map_err(fault)?;
        Ok(reply.into_inner().click.unwrap())
    }
}

#[tokio::test]
async fn the_last_room_within_a_day_wins_and_is_told_with_the_order() {
    let market = Market::new(2).await;
    let (ann, bob) = (market.person(1), market.person(2));
    let clicks = [
        click(ann, "dress-m", "first", -3_600),
        click(ann, "scarf", "last", -60),
        click(ann, "hat", "of another product", -30),
        click(bob, "scarf", "of another person", -10),
        click(ann, "dress-m", "later", 60),
    ];
    assert_eq!(market.clicks(&clicks).await.unwrap(), 5);
    assert_eq!(market.clicks(&clicks).await.unwrap(), 0, "a repeat");
    let order = market.order(market.paying(1, market.cart("a"), 30_000)).await.unwrap();
    assert_eq!(market.attribution(1, &order.id).await.unwrap(), clicks[1]);
    let told = market.world.told().await;
    let live = told[0].facts().live.clone().unwrap();
    assert_eq!((live.room_id.as_str(), live.anchor_id.as_str(), live.slot), ("last", "ning", 3));
    // What is clicked later changes nothing.
    market.clicks(&[click(ann, "scarf", "too late", -5)]).await.unwrap();
    assert_eq!(market.attribution(1, &order.id).await.unwrap().room_id, "last");
    let refused = market.attribution(2, &order.id).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn a_click_counts_for_as_long_as_the_merchant_says() {
    let market = Market::new(1).await;
    let day = 24 * 3_600;
    market.clicks(&[click(market.person(1), "scarf", "yesterday", -day)]).await.unwrap();
    let order = market.order(market.cart("a")).await.unwrap();
    assert_eq!(market.attribution(1, &order.id).await.unwrap().room_id, "yesterday");
    market.world.clock.advance(TimeDelta::seconds(1));
    let order = market.order(market.cart("b")).await.unwrap();
    let refused = market.attribution(1, &order.id).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    market.rules(CheckoutPolicy { live_window_hours: 25, ..CheckoutPolicy::default() }).await;
    let order = market.order(market.cart("c")).await.unwrap();
    assert_eq!(market.attribution(1, &order.id).await.unwrap().room_id, "yesterday");
    let future = [click(market.person(1), "scarf", "tomorrow", day)];
    let refused = market.clicks(&future).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "clicks[0].click_time");
}

#[tokio::test]
async fn clicks_of_an_alias_are_those_of_the_person() {
    let market = Market::new(2).await;
    let members = Members::new(&market.world).await;
    market.clicks(&[click(market.person(2), "scarf", "as another", -60)]).await.unwrap();
    members.merged(&market.world, market.person(1), market.person(2)).await;
    let order = market.order(market.cart("a")).await.unwrap();
    assert_eq!(market.attribution(1, &order.id).await.unwrap().room_id, "as another");
    // Who orders under an alias orders as the person.
    let alias = PlaceOrderRequest { person_id: market.person(2).into(), ..market.cart("b") };
    let order = market.order(alias).await.unwrap();
    assert_eq!(order.person_id, market.person(1));
    assert_eq!(market.attribution(1, &order.id).await.unwrap().room_id, "as another");
}
