//! What fields of profiles, consents, the blacklist and cards ask of the tables.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use siyu_kernel::Id;

use super::{Wanted, ids, spans};
use crate::{
    blacklist::Scope,
    consent::domain::Purpose,
    filter::{
        Node, Spans, Terms, Test,
        node::{Decided, Trait, TraitTest},
    },
    profile,
};

/// Days from one birthday to the day before the next, at most.
const YEAR: i64 = 366;

/// A word of a profile.
pub(super) fn words(of: Trait, wanted: &Wanted) -> Node {
    let test = match wanted {
        Wanted::Words(words) => TraitTest::Words(words.clone()),
        Wanted::Known | Wanted::Spans(_) => TraitTest::Known,
    };
    Node::Is(Test::Trait(of, test))
}

/// The month of the birthday.
pub(super) fn month(wanted: &Wanted) -> Node {
    let test = match wanted {
        Wanted::Spans(spans) => TraitTest::Numbers(spans.clone()),
        Wanted::Known | Wanted::Words(_) => TraitTest::Known,
    };
    Node::Is(Test::Trait(Trait::BirthMonth, test))
}

/// The days until the next birthday: those birthdays that lie so many days ahead, each by its digest.
pub(super) fn birthday(wanted: &Wanted, terms: &Terms) -> Node {
    let test = match wanted {
        Wanted::Known => TraitTest::Known,
        Wanted::Spans(_) | Wanted::Words(_) => {
            let today = terms.zone.day(terms.now).date();
            let days = birthdays(&spans(wanted), today);
            let digest = |day: &(u32, u32)| profile::birth_digest(&terms.keys, *day);
            TraitTest::Words(days.iter().map(digest).collect())
        }
    };
    Node::Is(Test::Trait(Trait::BirthDigest, test))
}

/// The birthdays, as month and day, that come so many days after a day. Who was born on a 29 February celebrates on the 28th in
/// years without.
fn birthdays(ahead: &Spans, today: NaiveDate) -> Vec<(u32, u32)> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for days in 0..YEAR {
        for birthday in celebrated(today + chrono::TimeDelta::days(days)) {
            // Its next time counts, not one a year later.
            if seen.insert(birthday) && ahead.contains(days) {
                found.push(birthday);
            }
        }
    }
    found
}

/// The birthdays that are celebrated on a day.
fn celebrated(day: NaiveDate) -> impl Iterator<Item = (u32, u32)> {
    let own = (day.month(), day.day());
    let is_of_leap_day = own == (2, 28) && NaiveDate::from_ymd_opt(day.year(), 2, 29).is_none();
    std::iter::once(own).chain(is_of_leap_day.then_some((2, 29)))
}

/// What is in force for a purpose and a channel; the argument names both, with a slash between.
pub(super) fn consent(argument: &str, wanted: &Wanted) -> Result<Node, &'static str> {
    let (purpose, channel) = argument.split_once('/').unwrap_or((argument, ""));
    let purpose = Purpose::of_word(purpose).ok_or("must name a purpose after the colon")?;
    let of = |decided| Node::Is(Test::Consent(purpose, channel.to_owned(), decided));
    let is_wanted = |word: &str| match wanted {
        Wanted::Words(words) => words.iter().any(|wanted| wanted == word),
        Wanted::Known | Wanted::Spans(_) => true,
    };
    let both = [("granted", Decided::Granted), ("withdrawn", Decided::Withdrawn)];
    let parts = both.into_iter().filter(|(word, _)| is_wanted(word)).map(|(_, one)| of(one));
    Ok(Node::Any(parts.collect()))
}

/// What the person is shut out of.
pub(super) fn listed(wanted: &Wanted, now: i64) -> Node {
    let all = [Scope::Marketing, Scope::Promotion, Scope::Purchase];
    let is_wanted = |scope: &Scope| match wanted {
        Wanted::Words(words) => words.iter().any(|word| word == scope.as_str()),
        Wanted::Known | Wanted::Spans(_) => true,
    };
    Node::Is(Test::Listed(all.into_iter().filter(is_wanted).collect(), now))
}

/// The plans of the cards that hold.
pub(super) fn card(wanted: &Wanted, now: i64) -> Node {
    let plans = match wanted {
        Wanted::Words(words) => ids("cpl", words).map(Id::from_uuid).collect(),
        Wanted::Known | Wanted::Spans(_) => Vec::new(),
    };
    Node::Is(Test::Card(plans, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(min: i64, max: i64, today: &str) -> Vec<(u32, u32)> {
        birthdays(&Spans::between(min, max), today.parse().unwrap())
    }

    #[test]
    fn birthdays_ahead_are_those_of_the_days_that_come_each_once() {
        assert_eq!(ahead(0, 0, "2024-06-01"), [(6, 1)]);
        assert_eq!(ahead(-5, 1, "2024-12-31"), [(12, 31), (1, 1)]);
        for today in ["2023-03-01", "2024-02-28", "2024-02-29", "2025-02-28", "2024-12-31"] {
            let mut all = ahead(0, i64::MAX, today);
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!((all.len(), count), (366, 366), "everybody has one birthday: {today}");
        }
    }

    #[test]
    fn who_was_born_on_a_leap_day_celebrates_on_the_day_before_in_other_years() {
        assert_eq!(ahead(0, 0, "2023-02-28"), [(2, 28), (2, 29)]);
        assert_eq!(ahead(0, 1, "2024-02-28"), [(2, 28), (2, 29)]);
        assert_eq!(ahead(1, 1, "2024-02-28"), [(2, 29)]);
        // On the leap day itself the next one is today, not a year from now.
        assert_eq!(ahead(0, 0, "2024-02-29"), [(2, 29)]);
        assert!(!ahead(1, 365, "2024-02-29").contains(&(2, 29)));
    }
}
