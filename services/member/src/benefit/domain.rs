//! Which benefit is the better one, when uses begin anew, and when a birthday is. Pure.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use siyu_kernel::{Fault, Id, kind};
use siyu_proto::member::v1::{Benefit, BenefitKind, BenefitPeriod};

/// How many days before and after a birthday its benefit can be used.
pub const BIRTHDAY_DAYS: i64 = 7;

/// A benefit with where it comes from: a card, or the tier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// The benefit.
    pub benefit: Benefit,
    /// The card that gives it; none where the tier does.
    pub card: Option<Id<kind::Card>>,
}

/// Checks benefits of a plan or a tier: each kind once, each known.
pub fn check(field: &str, benefits: &[Benefit]) -> Result<(), Fault> {
    let mut seen = Vec::new();
    for (i, benefit) in benefits.iter().enumerate() {
        let at = |name: &str| format!("{field}[{i}].{name}");
        if BenefitKind::try_from(benefit.kind).is_err() {
            return Err(Fault::field(at("kind"), "is not a known value"));
        }
        if BenefitPeriod::try_from(benefit.period).is_err() {
            return Err(Fault::field(at("period"), "is not a known value"));
        }
        if seen.contains(&benefit.kind) {
            return Err(Fault::field(at("kind"), "stands twice"));
        }
        seen.push(benefit.kind);
    }
    Ok(())
}

/// Of each kind the best: more of it, then more often (reference §2.4). A benefit without a number of times beats any number.
pub fn best(all: impl IntoIterator<Item = Held>) -> BTreeMap<i32, Held> {
    let rank = |held: &Held| {
        let times = if held.benefit.times == 0 { i32::MAX } else { held.benefit.times };
        (held.benefit.amount, times)
    };
    let mut best: BTreeMap<i32, Held> = BTreeMap::new();
    for held in all {
        let known = best.entry(held.benefit.kind).or_insert(held);
        if rank(&held) > rank(known) {
            *known = held;
        }
    }
    best
}

/// The first day of the period that a day is in.
pub fn period_of(benefit: &Benefit, day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).expect("every month has a first day");
    match benefit.period() {
        BenefitPeriod::Unspecified | BenefitPeriod::Month => first,
        BenefitPeriod::Year => first.with_month(1).expect("every year has a January"),
    }
}

/// How often a benefit can be used in a period; none for no limit.
pub fn times(benefit: &Benefit) -> Option<i32> {
    match benefit.kind() {
        BenefitKind::BirthdayPoints => Some(1),
        BenefitKind::Unspecified
        | BenefitKind::Discount
        | BenefitKind::PointsMultiplier
        | BenefitKind::FreeShipping
        | BenefitKind::Coupon => (benefit.times > 0).then_some(benefit.times),
    }
}

/// The birthday around a day, if it is near enough: the year that its benefit counts for is that of the birthday, so that days
/// around New Year belong to one. Who was born on a 29 February celebrates on the 28th in other years.
pub fn birthday_around(born: NaiveDate, day: NaiveDate) -> Option<NaiveDate> {
    let in_year = |year: i32| {
        NaiveDate::from_ymd_opt(year, born.month(), born.day())
            .or_else(|| NaiveDate::from_ymd_opt(year, born.month(), born.day() - 1))
    };
    let years = [day.year() - 1, day.year(), day.year() + 1];
    let near = |birthday: &NaiveDate| (*birthday - day).num_days().abs() <= BIRTHDAY_DAYS;
    years.into_iter().filter_map(in_year).find(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn held(kind: BenefitKind, amount: i64, times: i32) -> Held {
        let benefit = Benefit { kind: kind.into(), amount, times, ..Default::default() };
        Held { benefit, card: None }
    }

    #[test]
    fn of_each_kind_the_best_holds() {
        use BenefitKind::{Discount, FreeShipping};
        let all = [
            held(Discount, 500, 0),
            held(FreeShipping, 0, 3),
            held(Discount, 800, 0),
            held(FreeShipping, 0, 0),
            held(FreeShipping, 0, 9),
        ];
        let best: Vec<(i64, i32)> =
            best(all).values().map(|held| (held.benefit.amount, held.benefit.times)).collect();
        assert_eq!(best, [(800, 0), (0, 0)]);
    }

    #[test]
    fn a_birthday_is_near_for_some_days_also_over_the_turn_of_the_year() {
        let around = |born, on| birthday_around(day(born), day(on)).map(|found| found.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(around("1990-06-10", "2024-06-03"), some("2024-06-10"));
        assert_eq!(around("1990-06-10", "2024-06-02"), None);
        assert_eq!(around("1990-06-10", "2024-06-17"), some("2024-06-10"));
        assert_eq!(around("1990-06-10", "2024-06-18"), None);
        assert_eq!(around("1990-01-02", "2023-12-30"), some("2024-01-02"));
        assert_eq!(around("1990-12-30", "2024-01-02"), some("2023-12-30"));
        assert_eq!(around("2000-02-29", "2023-02-28"), some("2023-02-28"));
        assert_eq!(around("2000-02-29", "2024-02-29"), some("2024-02-29"));
    }

    #[test]
    fn periods_begin_with_the_month_or_the_year() {
        let of = |period: BenefitPeriod| {
            let benefit = Benefit { period: period.into(), ..Default::default() };
            period_of(&benefit, day("2024-06-17")).to_string()
        };
        assert_eq!(of(BenefitPeriod::Unspecified), "2024-06-01");
        assert_eq!(of(BenefitPeriod::Year), "2024-01-01");
    }
}
