//! Blind boxes: odds that everybody reads, draws that everybody computes anew.

use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::{place_order_request::Activity, *};

use crate::market::{Market, days, reason};

pub(crate) fn prize(code: &str, odds_ppm: i32, stock: i64) -> BlindBoxPrize {
    BlindBoxPrize {
        code: code.into(),
        name: code.into(),
        sku: format!("{code}-doll"),
        odds_ppm,
        stock,
        drawn: 0,
    }
}

pub(crate) fn dolls(gold_stock: i64) -> BlindBox {
    let (valid_time_from, valid_time_to) = days();
    BlindBox {
        code: "dolls".into(),
        name: "dolls".into(),
        sku: "scarf".into(),
        prizes: vec![prize("gold", 100_000, gold_stock), prize("grey", 900_000, 0)],
        rule: "one doll in each box".into(),
        no_excluded_goods: true,
        valid_time_from,
        valid_time_to,
        ..BlindBox::default()
    }
}

pub(crate) async fn publish(
    market: &Market,
    key: &str,
    blind_box: BlindBox,
) -> Result<BlindBox, Fault> {
    let request = PublishBlindBoxRequest { request_id: key.into(), blind_box: Some(blind_box) };
    let reply = market.world.boxes(1).publish_blind_box(request).await.map_err(fault)?;
    Ok(reply.into_inner().blind_box.unwrap())
}

fn entry(version: i32, age: AgeBand, guardian_consent: bool) -> Activity {
    let (box_code, age) = ("dolls".into(), age.into());
    Activity::BlindBox(BlindBoxEntry { box_code, version, age, guardian_consent })
}

impl Market {
    pub(crate) fn boxes(&self, n: usize, pieces: i64) -> PlaceOrderRequest {
        let cart = self.cart_of(n, "scarf", entry(1, AgeBand::Adult, false));
        let lines = vec![CartLine { sku: "scarf".into(), quantity: pieces }];
        PlaceOrderRequest { lines, ..cart }
    }

    pub(crate) async fn draw(&self, order_id: &str) -> GetBlindBoxDrawResponse {
        let request = GetBlindBoxDrawRequest { order_id: order_id.into() };
        self.world.boxes(1).get_blind_box_draw(request).await.unwrap().into_inner()
    }

    async fn published(&self, version: i32) -> BlindBox {
        let request = GetBlindBoxRequest { code: "dolls".into(), version };
        let reply = self.world.boxes(1).get_blind_box(request).await.unwrap();
        reply.into_inner().blind_box.unwrap()
    }
}

#[tokio::test]
async fn what_is_drawn_follows_from_the_seed_that_was_promised_before_the_payment() {
    let market = Market::new(2).await;
    publish(&market, "p", dolls(0)).await.unwrap();
    let unpaid = market.order(market.boxes(1, 3)).await.unwrap();
    let before = market.draw(&unpaid.id).await;
    assert_eq!((before.seed.as_str(), before.outcomes.len(), before.pieces), ("", 0, 3));
    market.cancel(&unpaid.id).await.unwrap();

    let paid = market.order(market.paying(2, market.boxes(2, 20), 100_000)).await.unwrap();
    assert_eq!(paid.state(), OrderState::Paid);
    let drawn = market.draw(&paid.id).await;
    let seed: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&drawn.seed[2 * i..2 * i + 2], 16).unwrap()).collect();
    // Computed as the contract says it, with nothing of the service.
    let digest = ring::digest::digest(&ring::digest::SHA256, &seed);
    let promised: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&drawn.seed_sha256[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    assert_eq!(digest.as_ref(), promised);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &seed);
    for (outcome, seq) in drawn.outcomes.iter().zip(1..) {
        let text = format!("{}|{seq}", paid.id);
        let tag = ring::hmac::sign(&key, text.as_bytes());
        let eight = u64::from_be_bytes(tag.as_ref()[..8].try_into().unwrap());
        let number = i32::try_from(eight % 1_000_000).unwrap();
        let prize = if number < 100_000 { "gold" } else { "grey" };
        assert_eq!((outcome.sequence, outcome.number), (seq, number));
        assert_eq!((outcome.prize.as_str(), &*outcome.sku), (prize, &*format!("{prize}-doll")));
    }
    assert_eq!(drawn.outcomes.len(), 20);
    let counts: i64 = market.published(1).await.prizes.iter().map(|prize| prize.drawn).sum();
    assert_eq!(counts, 20);
}

#[tokio::test]
async fn a_version_never_changes_and_an_order_names_the_one_that_its_buyer_saw() {
    let market = Market::new(1).await;
    let first = publish(&market, "p", dolls(0)).await.unwrap();
    assert_eq!(publish(&market, "p", dolls(0)).await.unwrap(), first, "a repeat");
    let order = market.order(market.boxes(1, 1)).await.unwrap();
    let mut other = dolls(0);
    (other.prizes[0].odds_ppm, other.prizes[1].odds_ppm) = (1, 999_999);
    assert_eq!(publish(&market, "q", other).await.unwrap().version, 2);
    assert_eq!(market.published(1).await, first);
    assert_eq!(market.published(0).await.version, 2);
    assert_eq!(market.draw(&order.id).await.version, 1);
    let old = PlaceOrderRequest { request_id: "old".into(), ..market.boxes(1, 1) };
    let refused = market.order(old).await.unwrap_err();
    assert_eq!(
        (refused.reason(), refused.metadata()["version"].as_str()),
        ("BOX_VERSION_OLD", "2")
    );

    let mut wrong = dolls(0);
    wrong.prizes[0].odds_ppm = 100_001;
    wrong.no_excluded_goods = false;
    let refused = publish(&market, "r", wrong).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["blind_box.prizes", "blind_box.no_excluded_goods"]);
}

#[tokio::test]
async fn nothing_is_sold_to_children_under_8_nor_to_others_without_their_guardians() {
    let market = Market::new(1).await;
    publish(&market, "p", dolls(0)).await.unwrap();
    for (age, consent) in [(AgeBand::Under8, true), (AgeBand::AgeBand8To17, false)] {
        let cart = market.cart_of(1, "scarf", entry(1, age, consent));
        assert_eq!(reason(market.order(cart).await), "BOX_AGE_REFUSED");
    }
    let nothing = market.cart_of(1, "scarf", entry(1, AgeBand::Unspecified, true));
    assert_eq!(reason(market.order(nothing).await), "INVALID_FIELD");
    let allowed = market.cart_of(1, "scarf", entry(1, AgeBand::AgeBand8To17, true));
    market.order(allowed).await.unwrap();
    let kept = "select count(*) from blind_box_orders where age = 'minor' and guardian_consent";
    assert_eq!(market.world.count(kept).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_boxes_are_sold_than_every_prize_suffices_for() {
    let market = Market::new(24).await;
    publish(&market, "p", dolls(5)).await.unwrap();
    let replies = join_all((1..=24).map(|n| market.order(market.boxes(n, 1)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (5, 19));
    for refused in lost {
        assert_eq!(reason(refused), "BOX_SOLD_OUT");
    }
    for order in won {
        market.cancel(&order.unwrap().id).await.unwrap();
    }
    assert_eq!(market.world.count("select reserved from blind_boxes").await, 0);
    let all = PlaceOrderRequest { request_id: "all".into(), ..market.boxes(1, 5) };
    let paid = market.order(market.paying(1, all, 25_000)).await.unwrap();
    let drawn = market.draw(&paid.id).await.outcomes.len();
    assert_eq!((paid.state(), drawn), (OrderState::Paid, 5));
    assert_eq!(market.world.count("select reserved from blind_boxes").await, 0);
}

#[tokio::test]
async fn the_guarantee_holds_over_orders_and_a_person_buys_no_more_than_the_box_allows() {
    let market = Market::new(1).await;
    let rare = BlindBox {
        prizes: vec![prize("gold", 1, 0), prize("grey", 999_999, 0)],
        guarantee_after: 4,
        guarantee_prize: "gold".into(),
        per_person: 9,
        ..dolls(0)
    };
    publish(&market, "p", rare).await.unwrap();
    let mut prizes = Vec::new();
    for (key, pieces) in [("a", 3), ("b", 3), ("c", 3)] {
        let cart = PlaceOrderRequest { request_id: key.into(), ..market.boxes(1, pieces) };
        let paid = market.order(market.paying(1, cart, pieces * 5_000)).await.unwrap();
        prizes.extend(market.draw(&paid.id).await.outcomes);
    }
    let given: Vec<bool> = prizes.iter().map(|outcome| outcome.guaranteed).collect();
    assert_eq!(given, [false, false, false, true, false, false, false, true, false]);
    assert!(prizes.iter().all(|outcome| (outcome.prize == "gold") == outcome.guaranteed));
    let more = PlaceOrderRequest { request_id: "d".into(), ..market.boxes(1, 1) };
    assert_eq!(reason(market.order(more).await), "ACTIVITY_LIMIT_REACHED");
}

#[tokio::test]
async fn a_page_of_boxes_says_of_each_what_was_drawn_of_it() {
    let market = Market::new(1).await;
    publish(&market, "p", dolls(0)).await.unwrap();
    publish(&market, "q", BlindBox { code: "bears".into(), ..dolls(0) }).await.unwrap();
    market.order(market.paying(1, market.boxes(1, 3), 15_000)).await.unwrap();
    let request = ListBlindBoxesRequest::default();
    let boxes = market.world.boxes(1).list_blind_boxes(request).await.unwrap().into_inner().boxes;
    let drawn: Vec<(&str, i64)> = boxes
        .iter()
        .map(|one| (one.code.as_str(), one.prizes.iter().map(|prize| prize.drawn).sum()))
        .collect();
    assert_eq!(drawn, [("bears", 0), ("dolls", 3)]);
}
