//! Coupons: at most one of the shop, one of the brand beside it where both allow that, and one for the shipping. Without a
//! choice of the buyer's the combination that takes most off.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use super::{Off, Scope, Step, working::Working};

/// A coupon that the buyer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// The coupon.
    pub id: String,
    /// Who gives it.
    pub owner: CouponOwner,
    /// What it does.
    pub kind: CouponKind,
    /// What it is good for.
    pub scope: Scope,
    /// What the eligible lines must cost.
    pub threshold_minor: i64,
    /// Whether it may stand beside one of another owner.
    pub stacks: bool,
    /// From when on it is valid.
    pub valid_from: DateTime<Utc>,
    /// Until when, exclusive.
    pub valid_until: DateTime<Utc>,
}

/// Who gives a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CouponOwner {
    /// The shop.
    Shop,
    /// The brand, beside the shop's.
    Brand,
}

/// What a coupon does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CouponKind {
    /// Takes an amount off the eligible lines.
    Fixed(i64),
    /// Leaves a rate of the eligible lines to pay, and takes at most so much off.
    Percent {
        /// What is left to pay, in basis points.
        rate_bp: i64,
        /// The most that is taken off.
        max_minor: Option<i64>,
    },
    /// Makes one eligible piece free: the dearest.
    Exchange,
    /// Takes an amount off the shipping.
    Shipping(i64),
}

/// Which coupons to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The combination that takes most off.
    Best,
    /// These, as far as they can be used.
    Only(Vec<String>),
}

/// What became of a coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The coupon.
    pub id: String,
    /// What it took off; nothing: it is not used.
    pub used: Option<i64>,
    /// Why it cannot be used, if so. A coupon that could be and is not was worth less than what is.
    pub unusable: Option<Unusable>,
}

/// Why a coupon cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It is valid later.
    TooEarly,
    /// It was valid before.
    Expired,
    /// No line is in its scope.
    NothingEligible,
    /// The eligible lines cost too little: so much is missing.
    BelowThreshold(i64),
    /// Beside it another one is used, and the two do not stack.
    Excluded,
}

pub(super) fn apply(working: &mut Working<'_>) -> Vec<Verdict> {
    let cart = working.cart;
    let reasons: Vec<Option<Unusable>> =
        cart.coupons.iter().map(|coupon| unusable(working, coupon)).collect();
    let usable: Vec<&Coupon> = cart
        .coupons
        .iter()
        .zip(&reasons)
        .filter(|(coupon, reason)| reason.is_none() && is_wanted(&cart.choice, coupon))
        .map(|(coupon, _)| coupon)
        .collect();
    let combination = best(working, &usable);
    let mut used: Vec<(&str, i64)> = Vec::new();
    for coupon in &combination {
        used.push((&coupon.id, use_up(working, coupon)));
    }
    let verdict = |(coupon, reason): (&Coupon, Option<Unusable>)| {
        let used = used.iter().find(|(id, _)| *id == coupon.id).map(|(_, amount)| *amount);
        let is_excluded = used.is_none()
            && reason.is_none()
            && !is_shipping(coupon)
            && combination.iter().any(|other| !may_stand_together(other, coupon));
        let unusable = if is_excluded { Some(Unusable::Excluded) } else { reason };
        Verdict { id: coupon.id.clone(), used, unusable }
    };
    cart.coupons.iter().zip(reasons).map(verdict).collect()
}

/// The fee, and what a shipping coupon takes off it; returns what is to be paid.
pub(super) fn apply_shipping(working: &mut Working<'_>, verdicts: &mut [Verdict]) -> i64 {
    let cart = working.cart;
    let shipping = &cart.shipping;
    let goods: i64 = working.amounts().iter().sum();
    let fee = if shipping.free_from_minor.is_some_and(|from| goods >= from) {
        0
    } else {
        shipping.fee_minor
    };
    working.ship(&shipping.rule, -fee);
    let off = |coupon: &Coupon| match coupon.kind {
        CouponKind::Shipping(off) => off.clamp(0, fee),
        CouponKind::Fixed(_) | CouponKind::Percent { .. } | CouponKind::Exchange => 0,
    };
    let usable = cart.coupons.iter().zip(verdicts).filter(|(coupon, verdict)| {
        verdict.unusable.is_none() && is_wanted(&cart.choice, coupon) && off(coupon) > 0
    });
    // Of equals the one that expires first.
    let best = usable
        .min_by_key(|(coupon, _)| (Reverse(off(coupon)), coupon.valid_until, coupon.id.clone()));
    let Some((coupon, verdict)) = best else { return fee };
    working.ship(&coupon.id, off(coupon));
    verdict.used = Some(off(coupon));
    fee - off(coupon)
}

fn is_wanted(choice: &Choice, coupon: &Coupon) -> bool {
    match choice {
        Choice::Best => true,
        Choice::Only(ids) => ids.contains(&coupon.id),
    }
}

const fn is_shipping(coupon: &Coupon) -> bool {
    matches!(coupon.kind, CouponKind::Shipping(_))
}

fn may_stand_together(one: &Coupon, other: &Coupon) -> bool {
    one.owner != other.owner && one.stacks && other.stacks
}

fn unusable(working: &Working<'_>, coupon: &Coupon) -> Option<Unusable> {
    let now = working.cart.now;
    if now < coupon.valid_from {
        return Some(Unusable::TooEarly);
    }
    if now >= coupon.valid_until {
        return Some(Unusable::Expired);
    }
    let eligible = working.eligible(&coupon.scope);
    if eligible.places.is_empty() {
        return Some(Unusable::NothingEligible);
    }
    let missing = coupon.threshold_minor - eligible.base;
    (missing > 0).then_some(Unusable::BelowThreshold(missing))
}

/// Every coupon alone and every pair that may stand together: what takes most off. Of equals the fewest, then what expires
/// first, then by id, so that the answer is always the same. Coupons that do the same are tried once, and a pair that is good
/// for the same lines is computed, not tried: of a buyer's many coupons few pairs are left whose rows have to be drawn up.
fn best<'c>(working: &Working<'_>, usable: &[&'c Coupon]) -> Vec<&'c Coupon> {
    let goods = usable.iter().copied().filter(|coupon| !is_shipping(coupon));
    let mut alone: Vec<(i64, &Coupon)> =
        goods.map(|coupon| (worth(working, &[coupon]), coupon)).collect();
    alone.sort_by_key(|(worth, coupon)| (Reverse(*worth), coupon.valid_until, &coupon.id));
    let mut best: (i64, Vec<&Coupon>) = (0, Vec::new());
    if let Some((worth, coupon)) = alone.first() {
        best = (*worth, vec![*coupon]);
    }
    let brands = unlike(&alone, CouponOwner::Brand);
    for (first, shop) in unlike(&alone, CouponOwner::Shop) {
        for &(second, brand) in &brands {
            // A second coupon finds less to take than it would alone: no pair from here on can be worth more.
            if first + second <= best.0 {
                break;
            }
            let pair = pair_worth(working, (first, shop), brand);
            if pair > best.0 {
                best = (pair, vec![shop, brand]);
            }
        }
    }
    if best.0 > 0 { best.1 } else { Vec::new() }
}

/// The coupons of an owner that stack, in the order given, each kind of thing once: of those that do the same the first.
fn unlike<'c>(alone: &[(i64, &'c Coupon)], owner: CouponOwner) -> Vec<(i64, &'c Coupon)> {
    let mut unlike: Vec<(i64, &Coupon)> = Vec::new();
    for &(worth, coupon) in alone.iter().filter(|(_, c)| c.owner == owner && c.stacks) {
        let same =
            |(_, other): &(i64, &Coupon)| other.kind == coupon.kind && other.scope == coupon.scope;
        if !unlike.iter().any(same) {
            unlike.push((worth, coupon));
        }
    }
    unlike
}

/// What coupons take off one after the other.
fn worth(working: &Working<'_>, combination: &[&Coupon]) -> i64 {
    let mut trial = working.clone();
    combination.iter().map(|coupon| use_up(&mut trial, coupon)).sum()
}

/// What two coupons take off, of which the first is worth so much alone. Where both are good for the same lines, the second
/// finds there what the first has left.
fn pair_worth(working: &Working<'_>, (first, shop): (i64, &Coupon), brand: &Coupon) -> i64 {
    let left = || working.eligible(&brand.scope).left - first;
    if shop.scope == brand.scope
        && let Some(second) = amount(&brand.kind, left)
    {
        return first + second;
    }
    worth(working, &[shop, brand])
}

/// What a kind of coupon takes off lines that cost so much together; nothing is said of one that looks at single lines.
fn amount(kind: &CouponKind, left: impl FnOnce() -> i64) -> Option<i64> {
    match kind {
        CouponKind::Fixed(off) => Some(Off::Minor(*off).of(left())),
        CouponKind::Percent { rate_bp, max_minor } => {
            Some(Off::RateBp(*rate_bp).of(left()).min(max_minor.unwrap_or(i64::MAX)))
        }
        CouponKind::Exchange | CouponKind::Shipping(_) => None,
    }
}

/// Takes off what the coupon gives; returns how much that is.
fn use_up(working: &mut Working<'_>, coupon: &Coupon) -> i64 {
    let eligible = working.eligible(&coupon.scope);
    let off = match &coupon.kind {
        CouponKind::Fixed(_) | CouponKind::Percent { .. } => {
            amount(&coupon.kind, || eligible.left).unwrap_or(0)
        }
        CouponKind::Exchange => {
            let piece =
                |&place: &usize| working.amounts()[place] / working.cart.lines[place].quantity;
            let dearest =
                eligible.places.iter().copied().max_by_key(|place| (piece(place), Reverse(*place)));
            let Some(place) = dearest else { return 0 };
            let off = piece(&place);
            working.take(Step::Coupon, &coupon.id, place, off);
            return off;
        }
        CouponKind::Shipping(_) => 0,
    };
    working.spread(Step::Coupon, &coupon.id, &eligible.places, off);
    off
}

#[cfg(test)]
mod tests;
