//! Prices of random carts under random rules.

use proptest::prelude::*;

use super::{super::*, cart, coupon, line};

fn scope() -> impl Strategy<Value = Scope> {
    let some = prop::collection::vec((1..6_i32).prop_map(|n| format!("s{n}")), 0..3);
    (some.clone(), some).prop_map(|(skus, except_skus)| Scope {
        skus,
        except_skus,
        ..Scope::default()
    })
}

fn off() -> impl Strategy<Value = Off> {
    prop_oneof![(0..5_000_i64).prop_map(Off::Minor), (0..10_000_i64).prop_map(Off::RateBp)]
}

fn line_rule() -> impl Strategy<Value = LineRule> {
    let nth = (scope(), 2..5_i64, 0..10_000_i64)
        .prop_map(|(scope, n, rate_bp)| LineRule::NthPiece { scope, n, rate_bp });
    let parts =
        prop::collection::btree_map((1..6_i32).prop_map(|n| format!("s{n}")), 1..4_i64, 1..3);
    let bundle = (parts, 0..3_000_i64).prop_map(|(parts, price_minor)| LineRule::Bundle {
        parts: parts.into_iter().collect(),
        price_minor,
    });
    prop_oneof![nth, bundle]
}

fn order_rule() -> impl Strategy<Value = OrderPromotion> {
    let tier = (
        prop_oneof![(0..3_000_i64).prop_map(Reach::Minor), (1..9_i64).prop_map(Reach::Pieces)],
        off(),
    )
        .prop_map(|(reach, off)| Tier { reach, off });
    (scope(), prop::collection::vec(tier, 1..3), any::<bool>(), 0..3_u8, 0..3_i32).prop_map(
        |(scope, tiers, repeats, group, priority)| OrderPromotion {
            rule: format!("o{priority}"),
            priority,
            group: if group == 0 { String::new() } else { format!("g{group}") },
            scope,
            tiers,
            repeats,
            max_minor: None,
        },
    )
}

fn any_coupon() -> impl Strategy<Value = Coupon> {
    let kind = prop_oneof![
        (0..3_000_i64).prop_map(CouponKind::Fixed),
        (0..10_000_i64, prop::option::of(0..900_i64))
            .prop_map(|(rate_bp, max_minor)| CouponKind::Percent { rate_bp, max_minor }),
        Just(CouponKind::Exchange),
        (0..900_i64).prop_map(CouponKind::Shipping),
    ];
    let owner = prop_oneof![Just(CouponOwner::Shop), Just(CouponOwner::Brand)];
    (any::<u16>(), owner, kind, scope(), 0..2_000_i64, any::<bool>()).prop_map(
        |(n, owner, kind, scope, threshold_minor, stacks)| Coupon {
            scope,
            threshold_minor,
            stacks,
            ..coupon(&format!("c{n}"), owner, kind)
        },
    )
}

pub(crate) fn carts() -> impl Strategy<Value = (Cart, Rules)> {
    let lines =
        prop::collection::vec((1..6_i64, 0..2_000_i64, prop::option::of(0..2_000_i64)), 1..6);
    let coupons = prop::collection::vec(any_coupon(), 0..6);
    let points = prop::option::of((0..9_000_i64, 1..5_i64, 1..5_i64, 0..10_000_i64));
    let shipping = (0..900_i64, prop::option::of(0..5_000_i64));
    let rules =
        (prop::collection::vec(line_rule(), 0..3), prop::collection::vec(order_rule(), 0..4));
    (lines, coupons, points, shipping, rules).prop_map(
        |(lines, mut coupons, points, shipping, rules)| {
            let line_of = |(no, (quantity, unit, offer)): (i32, (i64, i64, Option<i64>))| Line {
                offers: offer
                    .map(|unit_minor| LineOffer {
                        rule: "m".into(),
                        kind: OfferKind::Member,
                        unit_minor,
                    })
                    .into_iter()
                    .collect(),
                ..line(no, quantity, unit)
            };
            coupons.sort_by(|a, b| a.id.cmp(&b.id));
            coupons.dedup_by(|a, b| a.id == b.id);
            let cart =
                Cart {
                    coupons,
                    points: points.map(|(points, per_points, per_minor, share_max_bp)| {
                        PointsOffer { points, per_points, per_minor, share_max_bp }
                    }),
                    shipping: Shipping {
                        fee_minor: shipping.0,
                        rule: "post".into(),
                        free_from_minor: shipping.1,
                    },
                    ..cart((1..).zip(lines).map(line_of).collect())
                };
            let line_rules = (0..).zip(rules.0);
            let rules = Rules {
                lines: line_rules
                    .map(|(priority, does)| LinePromotion {
                        rule: format!("l{priority}"),
                        priority,
                        does,
                    })
                    .collect(),
                orders: rules.1,
            };
            (cart, rules)
        },
    )
}

/// What every usable combination would take off the goods, tried one by one.
fn best_by_trying(cart: &Cart, rules: &Rules) -> i64 {
    let goods = |ids: &[&str]| {
        let choice = Choice::Only(ids.iter().map(ToString::to_string).collect());
        let cart = Cart { choice, points: None, ..cart.clone() };
        let quote = quote(&cart, rules).unwrap();
        quote.rows.iter().filter(|r| r.step == Step::Coupon).map(|r| r.amount).sum::<i64>()
    };
    let ids: Vec<&str> = cart.coupons.iter().map(|coupon| coupon.id.as_str()).collect();
    let pairs = ids.iter().flat_map(|a| ids.iter().map(move |b| [*a, *b]));
    pairs.map(|pair| goods(&pair)).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_price_is_explained_to_the_last_unit((cart, rules) in carts()) {
        let quote = quote(&cart, &rules).unwrap();
        prop_assert_eq!(quote.rows.iter().map(|row| row.amount).sum::<i64>(), quote.list - quote.payable);
        for line in &quote.lines {
            let of_line = quote.rows.iter().filter(|row| row.line_no == line.line_no);
            prop_assert_eq!(of_line.map(|row| row.amount).sum::<i64>(), line.list - line.payable);
            prop_assert!((0..=line.list).contains(&line.payable));
        }
        let steps: Vec<Step> = quote.rows.iter().map(|row| row.step).collect();
        prop_assert!(steps.is_sorted(), "{:?}", steps);
        let added = quote.rows.iter().filter(|row| row.amount < 0);
        prop_assert!(added.map(|row| row.step).all(|step| step == Step::Shipping));
        prop_assert!((0..=cart.shipping.fee_minor).contains(&quote.shipping));
    }

    #[test]
    fn the_same_cart_has_the_same_price_in_whatever_order_its_rules_and_coupons_stand((cart, rules) in carts()) {
        let first = quote(&cart, &rules).unwrap();
        prop_assert_eq!(&quote(&cart, &rules).unwrap(), &first);
        let (mut turned, mut other) = (cart.clone(), rules.clone());
        turned.coupons.reverse();
        other.lines.reverse();
        let again = quote(&turned, &other).unwrap();
        prop_assert_eq!(&again.rows, &first.rows);
    }

    #[test]
    fn no_combination_of_coupons_is_better_than_the_one_that_is_found((cart, rules) in carts()) {
        let found = quote(&Cart { points: None, ..cart.clone() }, &rules).unwrap();
        let off: i64 = found.rows.iter().filter(|r| r.step == Step::Coupon).map(|r| r.amount).sum();
        prop_assert_eq!(off, best_by_trying(&cart, &rules));
    }

    #[test]
    fn points_are_worth_what_they_pay_and_one_less_would_not_be((cart, rules) in carts()) {
        let Some(offer) = cart.points else { return Ok(()) };
        let quote = quote(&cart, &rules).unwrap();
        let paid: i64 = quote.rows.iter().filter(|r| r.step == Step::Points).map(|r| r.amount).sum();
        prop_assert!(quote.points <= offer.points);
        prop_assert_eq!(quote.points * offer.per_minor / offer.per_points, paid);
        prop_assert!(paid == 0 || (quote.points - 1) * offer.per_minor / offer.per_points < paid);
    }
}
