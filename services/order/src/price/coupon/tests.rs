//! Which coupons are used.

use proptest::prelude::*;

use super::{super::tests::random::carts, *};

/// Every pair, tried.
fn best_of_all<'c>(working: &Working<'_>, usable: &[&'c Coupon]) -> Vec<&'c Coupon> {
    let mut goods: Vec<&Coupon> =
        usable.iter().copied().filter(|coupon| !is_shipping(coupon)).collect();
    goods.sort_by_key(|c| (Reverse(worth(working, &[c])), c.valid_until, &c.id));
    let mut all: Vec<Vec<&Coupon>> = goods.iter().map(|coupon| vec![*coupon]).collect();
    let of = |owner| goods.iter().copied().filter(move |c| c.owner == owner && c.stacks);
    for shop in of(CouponOwner::Shop) {
        all.extend(of(CouponOwner::Brand).map(|brand| vec![shop, brand]));
    }
    let mut best = (0, Vec::new());
    for combination in all {
        let worth = worth(working, &combination);
        if worth > best.0 {
            best = (worth, combination);
        }
    }
    best.1
}

proptest! {
    #[test]
    fn the_best_combination_is_that_of_all(
        (mut cart, _) in carts(),
        twice in any::<bool>(),
        everywhere in any::<bool>(),
    ) {
        if everywhere {
            // What most coupons are good for.
            cart.coupons.iter_mut().for_each(|coupon| coupon.scope = Scope::default());
        }
        if twice {
            let again = cart.coupons.clone().into_iter();
            cart.coupons
                .extend(again.map(|coupon| Coupon { id: format!("{}b", coupon.id), ..coupon }));
        }
        let mut working = Working::new(&cart);
        working.keep_base();
        let usable: Vec<&Coupon> = cart.coupons.iter().collect();
        let ids = |coupons: Vec<&Coupon>| {
            coupons.into_iter().map(|coupon| coupon.id.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(ids(best(&working, &usable)), ids(best_of_all(&working, &usable)));
    }
}

#[test]
fn many_coupons_of_one_kind_are_one_for_every_pair() {
    let coupon = |n: i32| Coupon {
        id: format!("c{n:03}"),
        owner: if n % 2 == 0 { CouponOwner::Shop } else { CouponOwner::Brand },
        kind: CouponKind::Percent { rate_bp: 9_000 + i64::from(n / 100), max_minor: None },
        scope: Scope::default(),
        threshold_minor: 0,
        stacks: true,
        valid_from: DateTime::UNIX_EPOCH,
        valid_until: DateTime::UNIX_EPOCH,
    };
    let coupons: Vec<Coupon> = (0..200).map(coupon).collect();
    let alone: Vec<(i64, &Coupon)> = coupons.iter().map(|coupon| (1, coupon)).collect();
    let ids = |owner| unlike(&alone, owner).iter().map(|(_, c)| &*c.id).collect::<Vec<_>>();
    assert_eq!(ids(CouponOwner::Shop), ["c000", "c100"]);
    assert_eq!(ids(CouponOwner::Brand), ["c001", "c101"]);
}
