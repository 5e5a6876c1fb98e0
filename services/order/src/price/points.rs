//! Points pay a share of the goods. None is wasted: the fewest that give the same amount.

use super::{Scope, Step, rules::share, working::Working};

/// Returns the points that are used.
pub(super) fn apply(working: &mut Working<'_>) -> i64 {
    let Some(offer) = working.cart.points else { return 0 };
    let all = working.eligible(&Scope::default());
    let bound = share(all.left, offer.share_max_bp);
    // The most points that are worth no more than the bound, then the fewest that are worth as much as those.
    let most =
        (i128::from(bound + 1) * i128::from(offer.per_points) - 1) / i128::from(offer.per_minor);
    let most = i64::try_from(most).unwrap_or(i64::MAX).min(offer.points);
    let off = times(most, offer.per_minor, offer.per_points);
    let points = times_up(off, offer.per_points, offer.per_minor);
    working.spread(Step::Points, "", &all.places, off);
    points
}

fn times(amount: i64, times: i64, by: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(times) / i128::from(by);
    i64::try_from(exact).unwrap_or(i64::MAX)
}

fn times_up(amount: i64, times: i64, by: i64) -> i64 {
    let product = i128::from(amount) * i128::from(times);
    i64::try_from((product + i128::from(by) - 1) / i128::from(by)).unwrap_or(i64::MAX)
}
