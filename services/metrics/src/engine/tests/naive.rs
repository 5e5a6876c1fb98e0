//! The recomputation that keeps nothing: every figure from the plain list of orders, by ordered sets. It shares only the
//! shapes of answers with the engine.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;

use crate::engine::{
    Better, Bucket, Cohort, Cohorts, Dormancy, Effective, Fact, Grain, History, Look, Month,
    Person, Ratio, Reactivation, Repeat, Rfm, RfmRow, Sales, Segment, Sums, Window, scores,
};

type Persons = BTreeSet<Person>;

pub(super) struct Naive<'a> {
    facts: &'a [Fact],
    days: BTreeMap<Person, BTreeSet<LocalDay>>,
}

fn count(persons: &Persons) -> u64 {
    persons.len() as u64
}

impl<'a> Naive<'a> {
    pub(super) fn new(facts: &'a [Fact]) -> Self {
        let mut days: BTreeMap<Person, BTreeSet<LocalDay>> = BTreeMap::new();
        for fact in facts {
            days.entry(fact.person).or_default().insert(fact.day);
        }
        Self { facts, days }
    }

    fn who(&self, test: impl Fn(Person, &BTreeSet<LocalDay>) -> bool) -> Persons {
        let persons = self.days.iter().filter(|(person, days)| test(**person, days));
        persons.map(|(&person, _)| person).collect()
    }

    fn bought(&self, window: Window) -> Persons {
        self.who(|_, days| days.iter().any(|&day| window.contains(day)))
    }

    fn newcomers(&self, window: Window) -> Persons {
        self.who(|_, days| window.contains(*days.first().unwrap()))
    }

    fn orders(&self, window: Window) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |fact| window.contains(fact.day))
    }

    /// Who placed at least two orders in the window.
    fn two_orders(&self, window: Window) -> Persons {
        self.who(|person, _| self.orders(window).filter(|f| f.person == person).count() > 1)
    }

    fn sums(&self, window: Window) -> Sums {
        let mut sums = Sums::default();
        for fact in self.orders(window) {
            sums.orders += 1;
            sums.gmv_minor += fact.amount_minor;
            sums.units += fact.units;
            sums.zero_orders += u64::from(fact.amount_minor == 0);
            if fact.off_hours {
                sums.off_hours_orders += 1;
                sums.off_hours_gmv_minor += fact.amount_minor;
            }
        }
        sums
    }

    pub(super) fn sales(&self, window: Window) -> Sales {
        let (sums, buyers) = (self.sums(window), count(&self.bought(window)));
        let twice = |_, days: &BTreeSet<LocalDay>| {
            days.iter().filter(|&&day| window.contains(day)).count() > 1
        };
        Sales {
            window,
            sums,
            buyers,
            new_buyers: count(&self.newcomers(window)),
            repeat_buyers: count(&self.who(twice)),
            repeat_order_buyers: count(&self.two_orders(window)),
            aov: Ratio::per(sums.gmv_minor, sums.orders),
            arpu: Ratio::per(sums.gmv_minor, buyers),
            months: self.series(window, Grain::Month),
            weeks: self.series(window, Grain::Week),
        }
    }

    pub(super) fn series(&self, window: Window, grain: Grain) -> Vec<Bucket> {
        use chrono::Datelike;
        let name = |day: LocalDay| match grain {
            Grain::Day => (0, day.0.unsigned_abs()),
            Grain::Week => (day.date().iso_week().year(), day.date().iso_week().week()),
            Grain::Month => (day.date().year(), day.date().month()),
        };
        let days: Vec<_> = (window.start().0..window.end().0).map(LocalDay).collect();
        let buckets = days.chunk_by(|&one, &other| name(one) == name(other)).map(|days| {
            let window = Window::new(days[0], days[days.len() - 1].plus(1)).unwrap();
            let (buyers, new) = (self.bought(window), self.newcomers(window));
            Bucket {
                window,
                sums: self.sums(window),
                buyers: count(&buyers),
                new_buyers: count(&new),
                repeat_buyers: buyers.difference(&new).count() as u64,
            }
        });
        buckets.collect()
    }

    pub(super) fn repeat(&self, window: Window, within_days: i32, as_of: LocalDay) -> Repeat {
        let first = |days: &BTreeSet<LocalDay>| *days.first().unwrap();
        let in_time = |days: &BTreeSet<LocalDay>| {
            let second = days.iter().nth(1);
            second.is_some_and(|&day| day <= as_of && day.0 - first(days).0 <= within_days)
        };
        let cohort = self.who(|_, days| window.contains(first(days)) && first(days) <= as_of);
        let whole = self.who(|_, days| first(days).0 + within_days <= as_of.0);
        let repeated = self.who(|_, days| in_time(days));
        let observed: Persons = cohort.intersection(&whole).copied().collect();
        Repeat {
            within_days,
            persons: count(&cohort),
            repeated: cohort.intersection(&repeated).count() as u64,
            observed: count(&observed),
            observed_repeated: observed.intersection(&repeated).count() as u64,
            complete: window.last() <= as_of && observed == cohort,
        }
    }

    pub(super) fn cohorts(&self, from: Month, to: Month, columns: u16, as_of: LocalDay) -> Cohorts {
        let of = |month: Month| {
            self.who(|_, days| {
                let first = *days.first().unwrap();
                first <= as_of && Month::of(first) == month
            })
        };
        let active = |persons: &Persons, month: Month| {
            let bought = self.who(|person, days| {
                let seen = |&day: &LocalDay| day <= as_of && Month::of(day) == month;
                persons.contains(&person) && days.iter().any(seen)
            });
            (month.first_day() <= as_of).then(|| count(&bought))
        };
        let rows = (0..=to.since(from)).map(|n| {
            let month = from.plus(n);
            let persons = of(month);
            let active = (0..columns).map(|k| active(&persons, month.plus(k.into())));
            Cohort { month, size: count(&persons), active: active.collect() }
        });
        Cohorts { as_of, rows: rows.collect() }
    }

    /// Days from the last purchase up to and with `until` to `day`, by person.
    fn ages(&self, until: LocalDay, day: LocalDay) -> BTreeMap<Person, i32> {
        let age =
            |days: &BTreeSet<LocalDay>| days.range(..=until).next_back().map(|last| day.0 - last.0);
        self.days.iter().filter_map(|(&person, days)| Some((person, age(days)?))).collect()
    }

    pub(super) fn dormancy(&self, as_of: LocalDay) -> Dormancy {
        let ages = self.ages(as_of, as_of);
        let between = |from: i32, to: i32| {
            ages.values().filter(|age| (from..=to).contains(age)).count() as u64
        };
        Dormancy {
            as_of,
            persons: ages.len() as u64,
            active: between(0, 90),
            quiet: between(91, 180),
            drowsy: between(181, 365),
            dormant: between(366, i32::MAX),
            lost: between(731, i32::MAX),
        }
    }

    pub(super) fn dormant_at(&self, day: LocalDay) -> Persons {
        let ages = self.ages(day.plus(-1), day);
        ages.into_iter().filter(|&(_, age)| age > 365).map(|(person, _)| person).collect()
    }

    pub(super) fn reactivation(&self, window: Window) -> Reactivation {
        let (mut events, mut gmv_minor, mut persons) = (0, 0, Persons::new());
        for (&person, days) in &self.days {
            let days: Vec<_> = days.iter().copied().collect();
            for pair in days.windows(2).filter(|p| p[1].0 - p[0].0 > 365 && window.contains(p[1])) {
                events += 1;
                persons.insert(person);
                let that_day = |f: &&Fact| f.person == person && f.day == pair[1];
                gmv_minor +=
                    self.facts.iter().filter(that_day).map(|f| f.amount_minor).sum::<i64>();
            }
        }
        let dormant = self.dormant_at(window.start());
        let ever =
            (window.start().0..window.end().0).flat_map(|day| self.dormant_at(LocalDay(day)));
        Reactivation {
            window,
            events,
            persons: count(&persons),
            gmv_minor,
            dormant_at_start: count(&dormant),
            returned: persons.intersection(&dormant).count() as u64,
            became_dormant: ever.collect::<Persons>().difference(&dormant).count() as u64,
        }
    }

    pub(super) fn effective(&self, window: Window, stored: Option<&RoaringBitmap>) -> Effective {
        let first = self.newcomers(window);
        let earlier = self.bought(window).difference(&first).copied().collect::<Persons>();
        let repeat: Persons = earlier.union(&self.two_orders(window)).copied().collect();
        let held: Persons = stored.into_iter().flatten().collect();
        let both = |a: &Persons, b: &Persons| a.intersection(b).copied().collect::<Persons>();
        Effective {
            first: count(&first),
            repeat: count(&repeat),
            stored: stored.map(|_| count(&held)),
            first_and_repeat: count(&both(&first, &repeat)),
            first_and_stored: count(&both(&first, &held)),
            repeat_and_stored: count(&both(&repeat, &held)),
            all_three: count(&both(&both(&first, &repeat), &held)),
            effective: (&(&first | &repeat) | &held).len() as u64,
        }
    }

    pub(super) fn histories(&self, as_of: LocalDay) -> Vec<History> {
        let history = |(&person, days): (&Person, &BTreeSet<LocalDay>)| {
            let days: Vec<_> = days.range(..=as_of).copied().collect();
            let (&first, &last) = (days.first()?, days.last()?);
            let spent = |on_first: bool| {
                let counts = |f: &&Fact| {
                    f.person == person && f.day <= as_of && (f.day == first) == on_first
                };
                self.facts.iter().filter(counts).map(|f| f.amount_minor).sum()
            };
            Some(History {
                person,
                repeats: u32::try_from(days.len() - 1).unwrap(),
                recency_days: last.0 - first.0,
                age_days: as_of.0 - first.0,
                first_minor: spent(true),
                repeat_minor: spent(false),
            })
        };
        self.days.iter().filter_map(history).collect()
    }

    pub(super) fn rfm(&self, as_of: LocalDay, look: Look) -> Rfm {
        let from = match look {
            Look::Days(days) => as_of.plus(1 - days),
            Look::Whole => LocalDay(i32::MIN),
        };
        let seen = |fact: &&Fact| from <= fact.day && fact.day <= as_of;
        let mut rows = Vec::new();
        for (person, age) in self.ages(as_of, as_of) {
            let own = || self.facts.iter().filter(seen).filter(|fact| fact.person == person);
            let days: BTreeSet<_> = own().map(|fact| fact.day).collect();
            let money: i64 = own().map(|fact| fact.amount_minor).sum();
            rows.push((person, [i64::from(age), i64::try_from(days.len()).unwrap(), money]));
        }
        let column = |i: usize| rows.iter().map(|(_, row)| row[i]).collect::<Vec<_>>();
        let better = [Better::Smaller, Better::Larger, Better::Larger];
        let scored = [0, 1, 2].map(|i| scores(&column(i), better[i]));
        let sums = [0, 1, 2].map(|i| column(i).iter().sum::<i64>());
        let n = i64::try_from(rows.len()).unwrap();
        let rows = rows.iter().enumerate().map(|(place, &(person, [r, f, m]))| {
            let good = (r * n <= sums[0], f * n >= sums[1], m * n >= sums[2]);
            let segment = Segment::EVERY.into_iter().find(|s| digits(*s) == good).unwrap();
            RfmRow {
                person,
                recency_days: u32::try_from(r).unwrap(),
                frequency_days: u32::try_from(f).unwrap(),
                monetary_minor: m,
                scores: [0, 1, 2].map(|i| scored[i][place]),
                segment,
            }
        });
        let rows: Vec<_> = rows.collect();
        let segments = Segment::EVERY
            .map(|segment| rows.iter().filter(|row| row.segment == segment).count() as u64);
        Rfm { as_of, rows, segments, sums }
    }
}

/// The digits of the reference's table, by the Chinese terms.
fn digits(segment: Segment) -> (bool, bool, bool) {
    match segment.term() {
        "重要价值" => (true, true, true),
        "重要发展" => (true, false, true),
        "重要保持" => (false, true, true),
        "重要挽留" => (false, false, true),
        "一般价值" => (true, true, false),
        "一般发展" => (true, false, false),
        "一般保持" => (false, true, false),
        "一般挽留" => (false, false, false),
        other => panic!("unknown segment {other}"),
    }
}
