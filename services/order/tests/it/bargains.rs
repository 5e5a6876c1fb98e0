//! Bargains: helpers, the floor, and the order at the end.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_order::{bargain::domain::cut, market::fair};
use siyu_proto::order::v1::{place_order_request::Activity, *};

use crate::market::{Market, days, reason};

pub(crate) fn activity(code: &str, helpers: i32) -> BargainActivity {
    let (valid_time_from, valid_time_to) = days();
    BargainActivity {
        code: code.into(),
        name: "down with it".into(),
        sku: "dress-m".into(),
        price_minor: 20_000,
        floor_minor: 9_900,
        helpers,
        valid_time_from,
        valid_time_to,
        ..BargainActivity::default()
    }
}

pub(crate) async fn save(market: &Market, activities: &[BargainActivity]) {
    let request = UpsertBargainActivitiesRequest { activities: activities.to_vec() };
    market.world.bargains(1).upsert_bargain_activities(request).await.unwrap();
}

fn deal(bargain: &Bargain) -> Activity {
    Activity::Bargain(BargainDeal { bargain_id: bargain.id.clone() })
}

impl Market {
    pub(crate) async fn start(&self, key: &str, code: &str, n: usize) -> Result<Bargain, Fault> {
        let request = StartBargainRequest {
            request_id: key.into(),
            activity_code: code.into(),
            person_id: self.person(n).into(),
        };
        let reply = self.world.bargains(1).start_bargain(request).await.map_err(fault)?;
        Ok(reply.into_inner().bargain.unwrap())
    }

    pub(crate) async fn help(&self, bargain: &Bargain, n: usize) -> Result<BargainCut, Fault> {
        let request = HelpBargainRequest {
            request_id: format!("{n} {}", bargain.id),
            bargain_id: bargain.id.clone(),
            person_id: self.person(n).into(),
        };
        let reply = self.world.bargains(1).help_bargain(request).await.map_err(fault)?;
        Ok(reply.into_inner().cut.unwrap())
    }

    async fn bargain(&self, id: &str) -> Bargain {
        let request = GetBargainRequest { bargain_id: id.into() };
        self.world.bargains(1).get_bargain(request).await.unwrap().into_inner().bargain.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_helpers_at_once_so_many_as_are_needed_reach_the_floor_exactly() {
    let market = Market::new(65).await;
    save(&market, &[activity("b", 20)]).await;
    let bargain = market.start("s", "b", 1).await.unwrap();
    assert_eq!((bargain.price_minor, bargain.helpers_left), (20_000, 20));
    assert_eq!(bargain.seed, "", "nobody knows what will be drawn");
    let helps = (2..=65).map(|n| market.help(&bargain, n));
    let (cuts, late): (Vec<_>, Vec<_>) = join_all(helps).await.into_iter().partition(Result::is_ok);
    assert_eq!((cuts.len(), late.len()), (20, 44));
    for refused in late {
        assert_eq!(reason(refused), "BARGAIN_OVER");
    }
    let done = market.bargain(&bargain.id).await;
    assert_eq!((done.price_minor, done.helpers_left), (9_900, 0));
    assert_eq!(done.cuts.iter().map(|cut| cut.amount_minor).sum::<i64>(), 10_100);

    // Whoever has the seed computes every cut anew.
    let seed: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&done.seed[2 * i..2 * i + 2], 16).unwrap()).collect();
    assert_eq!(fair::digest(&seed), bargain.seed_sha256);
    let mut remaining = 10_100;
    for (left, made) in (1..=20).rev().zip(&done.cuts) {
        let draw = fair::draw(&seed, &format!("{}|{}", done.id, made.sequence));
        assert_eq!(cut(remaining, left, draw), made.amount_minor);
        remaining -= made.amount_minor;
    }
}

#[tokio::test]
async fn what_a_bargain_has_come_to_is_ordered_once_by_its_owner() {
    let market = Market::new(4).await;
    save(&market, &[activity("b", 2)]).await;
    let bargain = market.start("s", "b", 1).await.unwrap();
    assert_eq!(market.start("s", "b", 1).await.unwrap(), bargain, "a repeat");
    assert_eq!(reason(market.start("t", "b", 1).await), "BARGAIN_BEGUN");
    assert_eq!(reason(market.help(&bargain, 1).await), "BARGAIN_OWN");
    let first = market.help(&bargain, 2).await.unwrap();
    assert_eq!(market.help(&bargain, 2).await.unwrap(), first, "a repeat");
    let cart = market.cart_of(1, "dress-m", deal(&bargain));
    assert_eq!(reason(market.order(cart.clone()).await), "BARGAIN_NOT_READY");
    market.help(&bargain, 3).await.unwrap();
    let of_another = market.cart_of(2, "dress-m", deal(&bargain));
    assert_eq!(reason(market.order(of_another).await), "NOT_FOUND");
    let order = market.order(cart.clone()).await.unwrap();
    assert_eq!(order.paid.as_ref().unwrap().minor_units, 9_900);
    assert_eq!(market.bargain(&bargain.id).await.order_id, order.id);
    let second = PlaceOrderRequest { request_id: "second".into(), ..cart };
    assert_eq!(reason(market.order(second.clone()).await), "BARGAIN_ORDERED");
    // An order that ends unpaid gives the bargain back.
    market.cancel(&order.id).await.unwrap();
    let paid = market.order(market.paying(1, second.clone(), 9_900)).await.unwrap();
    assert_eq!(paid.state(), OrderState::Paid);
    let third = PlaceOrderRequest { request_id: "third".into(), ..second };
    assert_eq!(reason(market.order(third).await), "BARGAIN_ORDERED");
}

#[tokio::test]
async fn a_helper_helps_once_in_a_bargain_and_so_often_a_day() {
    let market = Market::new(4).await;
    save(&market, &[BargainActivity { helps_per_day: 1, life_hours: 48, ..activity("b", 5) }])
        .await;
    let first = market.start("1", "b", 1).await.unwrap();
    let second = market.start("2", "b", 2).await.unwrap();
    market.help(&first, 3).await.unwrap();
    assert_eq!(reason(market.help(&second, 3).await), "BARGAIN_HELPS_SPENT");
    assert_eq!(market.bargain(&second.id).await.helpers_left, 5, "a refused help cuts nothing");
    let request = HelpBargainRequest {
        request_id: "other key".into(),
        bargain_id: first.id.clone(),
        person_id: market.person(3).into(),
    };
    let refused = market.world.bargains(1).help_bargain(request).await.map_err(fault);
    assert_eq!(reason(refused), "BARGAIN_HELPED");
    // 08:00 in Shanghai: the next day of the merchant's begins in 16 hours.
    market.world.clock.advance(TimeDelta::hours(16) - TimeDelta::seconds(1));
    assert_eq!(reason(market.help(&second, 3).await), "BARGAIN_HELPS_SPENT");
    market.world.clock.advance(TimeDelta::seconds(1));
    market.help(&second, 3).await.unwrap();
}

#[tokio::test]
async fn a_bargain_ends_with_its_time_and_may_be_sold_early_where_the_merchant_wants_that() {
    let market = Market::new(3).await;
    let early = BargainActivity { sells_early: true, ..activity("early", 5) };
    save(&market, &[early, activity("b", 5)]).await;
    let bargain = market.start("1", "early", 1).await.unwrap();
    let cut = market.help(&bargain, 2).await.unwrap().amount_minor;
    let order = market.order(market.cart_of(1, "dress-m", deal(&bargain))).await.unwrap();
    assert_eq!(order.paid.unwrap().minor_units, 20_000 - cut);
    assert_eq!(reason(market.help(&bargain, 3).await), "BARGAIN_OVER");

    let late = market.start("2", "b", 2).await.unwrap();
    market.world.clock.advance(TimeDelta::hours(24));
    assert_eq!(reason(market.help(&late, 3).await), "BARGAIN_OVER");
    assert_ne!(market.bargain(&late.id).await.seed, "");
    market.start("3", "b", 2).await.unwrap();
    market.world.clock.advance(TimeDelta::hours(24));
    assert_eq!(reason(market.start("4", "b", 3).await), "ACTIVITY_CLOSED");
}
