//! How persons move on the ladder.

use proptest::prelude::*;

use super::*;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn day(n: i64) -> DateTime<Utc> {
    START + TimeDelta::days(n)
}

/// The tiers after each of some growths at some days.
fn walk(policy: &Policy, steps: &[(i64, i64)]) -> Vec<i32> {
    let mut standing = Standing::LOWEST;
    let step = |&(n, growth): &(i64, i64)| {
        standing = standing.at(policy, growth, day(n)).0;
        standing.tier
    };
    steps.iter().map(step).collect()
}

#[test]
fn a_tier_begins_exactly_at_its_threshold() {
    let policy = Policy::default();
    let tiers = [(-5, 1), (0, 1), (999, 1), (1_000, 2), (4_999, 2), (5_000, 3), (20_000, 4)];
    for (growth, expected) in tiers {
        assert_eq!(policy.supports(growth), expected, "{growth}");
    }
}

#[test]
fn a_person_rises_at_once_and_falls_when_the_tier_has_expired() {
    let steps = [(0, 4_999), (1, 5_000), (2, 4_998), (365, 4_998), (366, 4_998)];
    assert_eq!(walk(&Policy::default(), &steps), [2, 3, 3, 3, 2]);
}

#[test]
fn who_supports_the_tier_when_it_expires_keeps_it_for_another_time() {
    let (policy, at) = (Policy::default(), Standing::since(2, day(0), &Policy::default()));
    let (kept, changes) = at.at(&policy, 1_000, day(365));
    assert_eq!((kept.tier, kept.expires_at, changes), (2, Some(day(730)), vec![]));
    // However late the job comes round.
    assert_eq!(at.at(&policy, 1_000, day(800)).0.expires_at, Some(day(1_095)));
}

#[test]
fn a_fall_may_be_one_step_at_a_time() {
    let steps = [(0, 20_000), (364, 0), (365, 0), (729, 0), (730, 0), (1_095, 0)];
    let policy = Policy::default();
    assert_eq!(walk(&policy, &steps), [4, 4, 1, 1, 1, 1]);
    let gently = Policy { fall: Fall::OneStep, ..policy };
    assert_eq!(walk(&gently, &steps), [4, 4, 3, 3, 2, 1]);
}

#[test]
fn the_gap_is_what_is_missing_to_the_next_tier() {
    let policy = Policy::default();
    let in_tier = |tier| Standing { tier, ..Standing::LOWEST };
    assert_eq!(policy.gap(&in_tier(1), 990), Some((10, "2")));
    assert_eq!(policy.gap(&in_tier(4), 1), None);
}

proptest! {
    #[test]
    fn nobody_is_below_what_the_growth_supports_or_falls_before_the_time(
        steps in prop::collection::vec((0..200_i64, 0..30_000_i64), 1..20), gently: bool,
    ) {
        let fall = if gently { Fall::OneStep } else { Fall::ToSupported };
        let policy = Policy { fall, ..Policy::default() };
        let (mut standing, mut now) = (Standing::LOWEST, START);
        for (days, growth) in steps {
            now += TimeDelta::days(days);
            let before = standing;
            let (after, changes) = before.at(&policy, growth, now);
            standing = after;
            prop_assert!(after.tier >= policy.supports(growth));
            prop_assert!(after.expires_at.is_none_or(|end| end > now));
            if before.expires_at.is_none_or(|end| end > now) {
                prop_assert!(after.tier >= before.tier);
            }
            let mut tier = before.tier;
            for change in changes {
                prop_assert_eq!(change.from, tier);
                tier = change.to;
            }
            prop_assert_eq!(tier, after.tier);
            // Looking again changes nothing.
            prop_assert_eq!(after.at(&policy, growth, now), (after, vec![]));
        }
    }
}
