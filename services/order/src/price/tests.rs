use chrono::{DateTime, TimeDelta, Utc};

use super::*;

pub(crate) mod random;

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn line(line_no: i32, quantity: i64, unit_minor: i64) -> Line {
    let sku = format!("s{line_no}");
    Line { line_no, item: format!("i{line_no}"), sku, quantity, unit_minor, ..Line::default() }
}

fn cart(lines: Vec<Line>) -> Cart {
    Cart {
        lines,
        coupons: Vec::new(),
        choice: Choice::Best,
        points: None,
        shipping: Shipping::default(),
        now: now(),
    }
}

fn of(skus: &[&str]) -> Scope {
    Scope { skus: skus.iter().map(ToString::to_string).collect(), ..Scope::default() }
}

fn threshold(rule: &str, group: &str, at: i64, off: Off) -> OrderPromotion {
    OrderPromotion {
        rule: rule.into(),
        priority: 0,
        group: group.into(),
        scope: Scope::default(),
        tiers: vec![Tier { reach: Reach::Minor(at), off }],
        repeats: false,
        max_minor: None,
    }
}

fn coupon(id: &str, owner: CouponOwner, kind: CouponKind) -> Coupon {
    Coupon {
        id: id.into(),
        owner,
        kind,
        scope: Scope::default(),
        threshold_minor: 0,
        stacks: true,
        valid_from: now() - TimeDelta::days(1),
        valid_until: now() + TimeDelta::days(1),
    }
}

fn orders(orders: Vec<OrderPromotion>) -> Rules {
    Rules { orders, ..Rules::default() }
}

fn nth(n: i64, rate_bp: i64) -> Rules {
    let does = LineRule::NthPiece { scope: Scope::default(), n, rate_bp };
    Rules {
        lines: vec![LinePromotion { rule: "nth".into(), priority: 0, does }],
        ..Rules::default()
    }
}

/// What was taken off each line.
fn offs(quote: &Quote) -> Vec<i64> {
    quote.lines.iter().map(|line| line.list - line.payable).collect()
}

#[test]
fn without_rules_the_list_price_is_payable_and_nothing_needs_a_reason() {
    let quote = quote(&cart(vec![line(1, 3, 333), line(2, 1, 1)]), &Rules::default()).unwrap();
    assert_eq!((quote.list, quote.payable, quote.rows), (1_000, 1_000, vec![]));
}

#[test]
fn an_amount_off_the_order_falls_on_lines_by_largest_remainder() {
    let vectors: [(&[i64], i64, &[i64]); 5] = [
        (&[3_333, 3_333, 3_334], 1_000, &[333, 333, 334]),
        (&[1, 1, 1], 1, &[1, 0, 0]),
        (&[19_900, 5_000, 0, 101], 999, &[795, 200, 0, 4]),
        (&[10, 20, 30, 40], 5, &[1, 1, 1, 2]),
        (&[5_999, 3_999, 2], 2_000, &[1_200, 800, 0]),
    ];
    for (prices, off, expected) in vectors {
        let lines = (1..).zip(prices).map(|(no, price)| line(no, 1, *price)).collect();
        let rules = orders(vec![threshold("t", "", 0, Off::Minor(off))]);
        assert_eq!(offs(&quote(&cart(lines), &rules).unwrap()), expected);
    }
}

#[test]
fn the_lowest_price_of_a_line_wins_and_names_itself() {
    let offer = |rule: &str, kind, unit_minor| LineOffer { rule: rule.into(), kind, unit_minor };
    let mut dress = line(1, 2, 10_000);
    dress.offers = vec![
        offer("member", OfferKind::Member, 9_000),
        offer("flash", OfferKind::Flash, 7_000),
        offer("group", OfferKind::GroupBuy, 7_000),
    ];
    let mut scarf = line(2, 1, 500);
    scarf.offers = vec![offer("member", OfferKind::Member, 600)];
    let quote = quote(&cart(vec![dress, scarf]), &Rules::default()).unwrap();
    let row = Row { line_no: 1, step: Step::LinePrice, rule: "flash".into(), amount: 6_000 };
    assert_eq!((quote.payable, quote.rows), (14_500, vec![row]));
}

#[test]
fn of_every_two_pieces_the_cheaper_is_half_price() {
    // 100, 100 | 60, 60 | 60: the second and the fourth are cheap, the fifth has no partner.
    let cart = cart(vec![line(1, 3, 60), line(2, 2, 100)]);
    let quote = quote(&cart, &nth(2, 5_000)).unwrap();
    assert_eq!(offs(&quote), [30, 50]);
}

#[test]
fn a_bundle_is_priced_as_often_as_all_of_it_is_there_and_its_pieces_are_used_up() {
    let parts = vec![("s1".to_owned(), 1), ("s2".to_owned(), 2)];
    let bundle = LineRule::Bundle { parts, price_minor: 1_000 };
    let half = LineRule::NthPiece { scope: Scope::default(), n: 2, rate_bp: 5_000 };
    let rule = |rule: &str, priority, does| LinePromotion { rule: rule.into(), priority, does };
    let rules =
        Rules { lines: vec![rule("half", 2, half), rule("bundle", 1, bundle)], ..Rules::default() };
    // Two sets of 800 + 2 × 200 for 1000 each; of what is left, one s1 and one s2, the s2 is half price.
    let quote = quote(&cart(vec![line(1, 3, 800), line(2, 5, 200)]), &rules).unwrap();
    let by = |rule: &str| -> i64 {
        quote.rows.iter().filter(|row| row.rule == rule).map(|row| row.amount).sum()
    };
    assert_eq!((by("bundle"), by("half")), (400, 100));
}

#[test]
fn of_promotions_that_exclude_each_other_the_best_applies_and_others_stack() {
    let rules = orders(vec![
        threshold("ten", "sale", 1_000, Off::Minor(100)),
        threshold("fifteen", "sale", 1_000, Off::RateBp(8_500)),
        threshold("apart", "", 1_000, Off::Minor(50)),
        threshold("too-much", "", 5_000, Off::Minor(4_000)),
    ]);
    let quote = quote(&cart(vec![line(1, 1, 2_000)]), &rules).unwrap();
    // "apart" comes first by name, so the rate is of what is left then.
    let told: Vec<(&str, i64)> = quote.rows.iter().map(|r| (r.rule.as_str(), r.amount)).collect();
    assert_eq!(told, [("apart", 50), ("fifteen", 292)]);
}

#[test]
fn a_threshold_that_repeats_applies_as_often_as_it_fits_up_to_its_bound() {
    let mut every = threshold("every", "", 300, Off::Minor(40));
    every.repeats = true;
    let price = |every: &OrderPromotion| {
        quote(&cart(vec![line(1, 1, 1_000)]), &orders(vec![every.clone()])).unwrap().payable
    };
    assert_eq!(price(&every), 880);
    every.max_minor = Some(100);
    assert_eq!(price(&every), 900);
}

#[test]
fn the_highest_tier_that_is_reached_counts_by_amount_or_by_pieces() {
    let mut tiers = threshold("t", "", 1_000, Off::Minor(100));
    tiers.tiers.push(Tier { reach: Reach::Minor(2_000), off: Off::Minor(300) });
    tiers.tiers.push(Tier { reach: Reach::Pieces(5), off: Off::RateBp(5_000) });
    let price = |quantity| {
        let rules = orders(vec![tiers.clone()]);
        quote(&cart(vec![line(1, quantity, 700)]), &rules).unwrap().payable
    };
    assert_eq!([price(1), price(2), price(3), price(5)], [700, 1_300, 1_800, 1_750]);
}

#[test]
fn the_best_pair_of_coupons_is_found_and_the_rest_say_why_not() {
    let mut cart = cart(vec![line(1, 1, 10_000), line(2, 1, 5_000)]);
    let fixed = |id: &str, owner, off| coupon(id, owner, CouponKind::Fixed(off));
    let mut proud = fixed("proud", CouponOwner::Shop, 2_400);
    proud.stacks = false;
    let mut later = fixed("later", CouponOwner::Shop, 9_000);
    later.valid_from = now() + TimeDelta::seconds(1);
    let mut over = fixed("over", CouponOwner::Shop, 9_000);
    over.valid_until = now();
    let mut high = fixed("high", CouponOwner::Shop, 9_000);
    high.threshold_minor = 15_001;
    let mut other = fixed("other", CouponOwner::Shop, 9_000);
    other.scope = of(&["elsewhere"]);
    let percent = CouponKind::Percent { rate_bp: 9_000, max_minor: Some(1_200) };
    cart.coupons = vec![
        proud,
        fixed("shop", CouponOwner::Shop, 1_500),
        coupon("brand", CouponOwner::Brand, percent),
        fixed("small", CouponOwner::Brand, 1),
        later,
        over,
        high,
        other,
    ];
    let quote = quote(&cart, &Rules::default()).unwrap();
    assert_eq!(quote.payable, 15_000 - 1_500 - 1_200);
    let told: Vec<(Option<i64>, Option<Unusable>)> =
        quote.coupons.iter().map(|verdict| (verdict.used, verdict.unusable)).collect();
    let expected = [
        (None, Some(Unusable::Excluded)),
        (Some(1_500), None),
        (Some(1_200), None),
        (None, Some(Unusable::Excluded)),
        (None, Some(Unusable::TooEarly)),
        (None, Some(Unusable::Expired)),
        (None, Some(Unusable::BelowThreshold(1))),
        (None, Some(Unusable::NothingEligible)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_buyer_may_choose_another_coupon_than_the_best() {
    let mut cart = cart(vec![line(1, 1, 1_000)]);
    let fixed = |id: &str, off| coupon(id, CouponOwner::Shop, CouponKind::Fixed(off));
    cart.coupons = vec![fixed("a", 100), fixed("b", 200)];
    cart.choice = Choice::Only(vec!["a".into()]);
    assert_eq!(quote(&cart, &Rules::default()).unwrap().payable, 900);
    cart.choice = Choice::Only(Vec::new());
    assert_eq!(quote(&cart, &Rules::default()).unwrap().payable, 1_000);
}

#[test]
fn an_exchange_coupon_makes_the_dearest_eligible_piece_free_and_never_pays_out() {
    let mut cart = cart(vec![line(1, 2, 300), line(2, 1, 900)]);
    let mut exchange = coupon("x", CouponOwner::Shop, CouponKind::Exchange);
    exchange.scope = of(&["s1"]);
    cart.coupons = vec![exchange];
    assert_eq!(offs(&quote(&cart, &Rules::default()).unwrap()), [300, 0]);
    cart.coupons = vec![coupon("all", CouponOwner::Shop, CouponKind::Fixed(99_999))];
    assert_eq!(quote(&cart, &Rules::default()).unwrap().payable, 0);
}

#[test]
fn points_pay_up_to_their_share_and_none_is_wasted() {
    let mut cart = cart(vec![line(1, 1, 1_001)]);
    // Three points are worth two minor units; half of the goods may be paid with them.
    let offer = PointsOffer { points: 10_000, per_points: 3, per_minor: 2, share_max_bp: 5_000 };
    cart.points = Some(offer);
    let paid = quote(&cart, &Rules::default()).unwrap();
    assert_eq!((paid.payable, paid.points), (501, 750));
    cart.points = Some(PointsOffer { points: 2, ..offer });
    let paid = quote(&cart, &Rules::default()).unwrap();
    assert_eq!((paid.payable, paid.points), (1_000, 2));
    cart.points = Some(PointsOffer { points: 1, ..offer });
    let paid = quote(&cart, &Rules::default()).unwrap();
    assert_eq!((paid.payable, paid.points), (1_001, 0), "one point is worth nothing yet");
}

#[test]
fn shipping_is_added_is_free_from_an_amount_on_and_takes_a_coupon_of_its_own() {
    let mut cart = cart(vec![line(1, 1, 1_000)]);
    cart.shipping = Shipping { fee_minor: 800, rule: "post".into(), free_from_minor: Some(1_500) };
    assert_eq!(quote(&cart, &Rules::default()).unwrap().payable, 1_800);
    cart.coupons = vec![
        coupon("ship", CouponOwner::Shop, CouponKind::Shipping(500)),
        coupon("off", CouponOwner::Shop, CouponKind::Fixed(100)),
    ];
    let paid = quote(&cart, &Rules::default()).unwrap();
    assert_eq!((paid.payable, paid.shipping), (900 + 300, 300));
    assert_eq!(paid.coupons[0].used, Some(500));
    cart.lines[0].quantity = 2;
    let paid = quote(&cart, &Rules::default()).unwrap();
    assert_eq!((paid.shipping, paid.coupons[0].used), (0, None));
}

#[test]
fn a_cart_without_a_price_says_which_field_is_wrong() {
    let wrong = |cart: &Cart| quote(cart, &Rules::default()).unwrap_err().field;
    assert_eq!(wrong(&cart(vec![])), "lines");
    assert_eq!(wrong(&cart(vec![line(1, 0, 1)])), "lines[0].quantity");
    assert_eq!(wrong(&cart(vec![line(1, 1, -1)])), "lines[0].unit_minor");
    assert_eq!(wrong(&cart(vec![line(2, 1, 1), line(2, 1, 1)])), "lines[1].line_no");
    let dear = (1..=500).map(|no| line(no, 100_000, 10_000_000_000)).collect();
    assert_eq!(wrong(&cart(dear)), "lines");
}
