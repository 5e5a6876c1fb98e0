//! Whatever is in a cart, whatever promotions, coupons, points, cards and cash pay for it, and in whatever parts and sequence it
//! goes back: the price is explained to the last fen and comes out the same again, and in the end nothing is left anywhere.

use std::cell::Cell;

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::order::v1::{coupon_template, promotion::Does, *};
use siyu_testkit::merchant;
use tokio::runtime::Runtime;

use crate::{
    catalogue::{item, upsert},
    checkouts::{Buyer, card},
    coupons::{claim, off, save},
    quotes::{promotion, save as save_promotions},
    refunds::whole,
    stock::receive,
};

const SKUS: [&str; 3] = ["p0", "p1", "p2"];
const GIVEN: i64 = 1_000_000_000;

/// What a refund asks for of a line; a line that the cart has not asks for the shipping.
#[derive(Debug, Clone)]
enum Asked {
    Pieces(usize, i64),
    Amount(usize, i64),
    Shipping,
}

/// A purchase, and the way back.
#[derive(Debug, Clone)]
struct Case {
    prices: [i64; 3],
    pieces: Vec<(usize, i64)>,
    promotions: Vec<Does>,
    coupons: Vec<coupon_template::Does>,
    shipping: i64,
    points: i64,
    /// The part of what is payable that a card pays, in percent.
    value: i64,
    policy: ThresholdPolicy,
    asks: Vec<(Asked, bool)>,
}

fn promotions() -> impl Strategy<Value = Vec<Does>> {
    let line_price = (0..3_usize, 0..20_000_i64).prop_map(|(sku, unit_minor)| {
        Does::LinePrice(LinePrice { sku: SKUS[sku].into(), unit_minor })
    });
    let nth = (2..4, 0..10_000).prop_map(|(n, rate_bp)| Does::NthPiece(NthPiece { n, rate_bp }));
    let off = (1..30_000_i64, 1..9_000_i64).prop_map(|(from_minor, off_minor)| {
        let tiers = vec![Tier { from_minor, off_minor, ..Tier::default() }];
        Does::Threshold(Threshold { tiers, ..Threshold::default() })
    });
    let rate = (1..5_i64, 1_000..10_000).prop_map(|(from_pieces, rate_bp)| {
        let tiers = vec![Tier { from_pieces, rate_bp, ..Tier::default() }];
        Does::Threshold(Threshold { tiers, ..Threshold::default() })
    });
    prop::collection::vec(prop_oneof![line_price, nth, off, rate], 0..4)
}

fn coupons() -> impl Strategy<Value = Vec<coupon_template::Does>> {
    let off = (1..5_000_i64)
        .prop_map(|minor_units| coupon_template::Does::AmountOff(AmountOff { minor_units }));
    let rate = (1_000..9_999)
        .prop_map(|rate_bp| coupon_template::Does::RateOff(RateOff { rate_bp, max_minor: 0 }));
    let free = Just(coupon_template::Does::PieceFree(PieceFree {}));
    let post = (1..900_i64)
        .prop_map(|minor_units| coupon_template::Does::ShippingOff(AmountOff { minor_units }));
    prop::collection::vec(prop_oneof![off, rate, free, post], 0..3)
}

fn asks() -> impl Strategy<Value = Vec<(Asked, bool)>> {
    let asked = prop_oneof![
        3 => (0..3_usize, 1..3_i64).prop_map(|(line, pieces)| Asked::Pieces(line, pieces)),
        2 => (0..3_usize, 1..3_000_i64).prop_map(|(line, minor)| Asked::Amount(line, minor)),
        1 => Just(Asked::Shipping),
    ];
    prop::collection::vec((asked, any::<bool>()), 0..6)
}

fn cases() -> impl Strategy<Value = Case> {
    let prices = prop::array::uniform3(prop_oneof![1..10_i64, 1..30_000_i64]);
    let pieces = prop::sample::subsequence(vec![0_usize, 1, 2], 1..=3).prop_flat_map(|skus| {
        let quantities = prop::collection::vec(1..6_i64, skus.len());
        quantities.prop_map(move |all| skus.iter().copied().zip(all).collect())
    });
    let pays = (0..1_500_i64, prop_oneof![Just(0_i64), 1..8_000_i64], 0..=100_i64);
    let policy = prop_oneof![Just(ThresholdPolicy::Keep), Just(ThresholdPolicy::Deduct)];
    (prices, pieces, promotions(), coupons(), pays, policy, asks()).prop_map(
        |(prices, pieces, promotions, coupons, (shipping, points, value), policy, asks)| Case {
            prices,
            pieces,
            promotions,
            coupons,
            shipping,
            points,
            value,
            policy,
            asks,
        },
    )
}

/// The shop as a case wants it, and a buyer of its own.
async fn furnish(buyer: &mut Buyer, case: &Case, round: u32) {
    let world = &buyer.world;
    let skus: Vec<(&str, i64)> = SKUS.into_iter().zip(case.prices).collect();
    upsert(world, 1, &[item("p", &skus)]).await.unwrap();
    let promotions: Vec<Promotion> = (0..4)
        .map(|n| {
            let does = case.promotions.get(n).cloned();
            let paused = does.is_none();
            let none = Does::NthPiece(NthPiece { n: 2, rate_bp: 10_000 });
            let mut promotion = promotion(&format!("m{n}"), does.unwrap_or(none));
            promotion.valid_time_to = Some(crate::world::at(86_400));
            Promotion { paused, ..promotion }
        })
        .collect();
    save_promotions(world, &promotions).await.unwrap();
    let person = world.member.meet(merchant(1), 1_000 + round);
    for (n, does) in case.coupons.iter().enumerate() {
        let code = format!("c{round}-{n}");
        let owner = if n == 0 { CouponOwner::Shop } else { CouponOwner::Brand };
        let template = CouponTemplate {
            owner: owner.into(),
            stacks: true,
            does: Some(*does),
            ..off(&code, 1)
        };
        save(world, &[template]).await.unwrap();
        claim(world, &code, &code, &person).await.unwrap();
    }
    world.member.give(&person, case.points);
    buyer.person = person;
    let policy = CheckoutPolicy {
        points_per: 100,
        points_minor: 97,
        points_share_max_bp: 4_999,
        threshold_policy: case.policy.into(),
        ..CheckoutPolicy::default()
    };
    buyer.rules(policy).await;
}

/// Buys what a case says: what a card pays is a part of what is payable, which a refusal tells.
async fn buy(buyer: &Buyer, case: &Case, round: u32) -> (String, Checkout) {
    let line = |&(sku, quantity): &(usize, i64)| CartLine { sku: SKUS[sku].into(), quantity };
    let of = |key: &str, amount_minor| PlaceOrderRequest {
        request_id: format!("{key} {round}"),
        person_id: buyer.person.clone(),
        lines: case.pieces.iter().map(line).collect(),
        shipping_minor: case.shipping,
        points_max: case.points,
        value_tenders: vec![ValueTender { card_id: card(1), amount_minor }],
        ..PlaceOrderRequest::default()
    };
    let fault = buyer.place(of("ask", 90_000_000_000)).await.unwrap_err();
    assert_eq!(fault.reason(), "TENDERS_EXCEED_PAYABLE");
    let payable: i64 = fault.metadata()["payable_minor"].parse().unwrap();
    let mut cart = of("buy", payable * case.value / 100);
    cart.value_tenders.retain(|tender| tender.amount_minor > 0);
    cart.expected_payable_minor = Some(payable);
    let id = buyer.buy(cart).await;
    buyer.work().await;
    let checkout = buyer.checkout(&id).await;
    (id, checkout)
}

/// The price is explained by its rows, line by line, and comes out the same again.
fn explained(checkout: &Checkout) {
    let minor = |money: &Option<siyu_proto::r#type::v1::Money>| money.as_ref().unwrap().minor_units;
    let sum = |rows: &mut dyn Iterator<Item = &PriceRow>| -> i64 {
        rows.map(|row| row.amount_minor).sum()
    };
    let off = sum(&mut checkout.rows.iter());
    assert_eq!(off, minor(&checkout.list) - minor(&checkout.payable), "{checkout:?}");
    for line in &checkout.lines {
        let off = sum(&mut checkout.rows.iter().filter(|row| row.line_no == line.line_no));
        assert_eq!(off, line.list_minor - line.payable_minor, "{checkout:?}");
        assert!((0..=line.list_minor).contains(&line.payable_minor), "{checkout:?}");
    }
    assert!(checkout.price_confirmed, "{checkout:?}");
}

/// Gives parts back, in the sequence of the case, and then the rest; gives what went back in all.
async fn give_back(buyer: &Buyer, case: &Case, id: &str, round: u32) -> i64 {
    let mut refunds = Vec::new();
    for (n, (asked, worked)) in case.asks.iter().enumerate() {
        let line = |line: &usize| i32::try_from(*line % case.pieces.len()).unwrap() + 1;
        let parts = |line| RefundAsk { lines: vec![line], ..RefundAsk::default() };
        let ask = match asked {
            Asked::Pieces(of, quantity) => {
                parts(RefundLine { line_no: line(of), quantity: *quantity, amount_minor: 0 })
            }
            Asked::Amount(of, amount_minor) => {
                parts(RefundLine { line_no: line(of), quantity: 0, amount_minor: *amount_minor })
            }
            Asked::Shipping => RefundAsk { shipping: true, ..RefundAsk::default() },
        };
        match buyer.refund(&format!("{round} {n}"), id, ask).await {
            Ok(refund) => refunds.push(refund),
            Err(fault) => {
                let known = ["REFUND_EXCEEDS_REST", "INVALID_FIELD", "ORDER_STATE_WRONG"];
                assert!(known.contains(&fault.reason()), "{fault:?}");
            }
        }
        if *worked {
            buyer.work().await;
        }
    }
    if let Ok(refund) = buyer.refund(&format!("{round} rest"), id, whole()).await {
        refunds.push(refund);
    }
    buyer.work().await;
    let mut back = 0;
    for refund in refunds {
        let refund = buyer.look(&refund).await;
        assert_eq!(refund.state(), RefundState::Succeeded, "{refund:?}");
        let plan = refund.plan.unwrap();
        let rows: i64 = plan.rows.iter().map(|row| row.amount_minor).sum();
        let tenders: i64 = plan.tenders.iter().map(|to| to.amount_minor).sum();
        assert_eq!((rows, tenders), (plan.total_minor, plan.total_minor), "{plan:?}");
        back += plan.total_minor;
    }
    back
}

/// What the shop has that a purchase may change: free value of the card, pieces reserved of each SKU, what is held, cash.
async fn has(buyer: &Buyer) -> (i64, [i64; 3], i64, i64) {
    let mut reserved = [0; 3];
    for (of_sku, sku) in reserved.iter_mut().zip(SKUS) {
        *of_sku = buyer.pieces(sku).await.1;
    }
    let request = GetMerchantBalanceRequest::default();
    let balance = buyer.world.guarantees(1).get_merchant_balance(request).await.unwrap();
    let held = balance.into_inner().balance.unwrap().held_minor;
    let cash = "select coalesce(sum(paid_minor), 0)::bigint - (select coalesce(sum(amount_minor), 0)::bigint \
        from sandbox_refunds) from sandbox_trades";
    (buyer.world.member.free(&card(1)), reserved, held, buyer.world.count(cash).await)
}

/// Nothing of the buyer's is left with a purchase that went back.
async fn nothing_is_left(buyer: &Buyer, case: &Case, id: &str) {
    let order = buyer.world.get(1, id).await.unwrap();
    let left = (order.state(), order.paid.unwrap().minor_units);
    assert_eq!(left, (OrderState::Refunded, 0));
    assert_eq!(buyer.world.member.free(&buyer.person), case.points);
    let request =
        ListCouponsRequest { person_id: buyer.person.clone(), ..ListCouponsRequest::default() };
    let coupons = buyer.world.coupons(1).list_coupons(request).await.unwrap().into_inner().coupons;
    assert_eq!(coupons.len(), case.coupons.len());
    assert!(coupons.iter().all(|coupon| coupon.state() == CouponState::Issued), "{coupons:?}");
}

#[test]
fn whatever_is_bought_and_given_back_in_whatever_parts_leaves_nothing_over() {
    let runtime = Runtime::new().unwrap();
    let buyer = runtime.block_on(async {
        let buyer = Buyer::with_sandbox().await;
        let skus: Vec<(&str, i64)> = SKUS.into_iter().map(|sku| (sku, 1)).collect();
        upsert(&buyer.world, 1, &[item("p", &skus)]).await.unwrap();
        for sku in SKUS {
            receive(&buyer.world, sku, sku, "main", 100_000).await;
        }
        buyer.world.member.give(&card(1), GIVEN);
        buyer
    });
    let (buyer, round) = (std::cell::RefCell::new(buyer), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let played = runner.run(&cases(), |case| {
        round.set(round.get() + 1);
        let mut buyer = buyer.borrow_mut();
        runtime.block_on(async {
            furnish(&mut buyer, &case, round.get()).await;
            let before = has(&buyer).await;
            let (id, checkout) = buy(&buyer, &case, round.get()).await;
            explained(&checkout);
            let back = give_back(&buyer, &case, &id, round.get()).await;
            assert_eq!(back, checkout.payable.unwrap().minor_units, "{case:?}");
            nothing_is_left(&buyer, &case, &id).await;
            assert_eq!(has(&buyer).await, before, "{case:?}");
        });
        Ok(())
    });
    played.unwrap();
    runtime.block_on(buyer.into_inner().books());
}
