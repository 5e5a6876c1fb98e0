//! The same figures from the latest facts, counted the long way.

use std::collections::{BTreeMap, BTreeSet};

use siyu_proto::{
    metrics::v1::{
        GetDormancyRequest, GetRepeatRequest, GetRfmRequest, GetSalesResponse, SalesFigures,
    },
    order::v1::{OrderFacts, OrderState},
};

use crate::world::{Process, day};

/// Orders by number, each as of its latest revision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book(BTreeMap<String, OrderFacts>);

impl Book {
    pub(crate) fn take(&mut self, told: &OrderFacts) {
        let known = self.0.entry(told.order_id.clone()).or_insert_with(|| told.clone());
        if known.revision < told.revision {
            *known = told.clone();
        }
    }

    /// Orders that count: day after 2024-01-01, person, amount. The zone is Shanghai's.
    fn sales(&self) -> Vec<(i64, &str, i64)> {
        let counts = |facts: &&OrderFacts| facts.state() == OrderState::Paid;
        let sale = |facts: &'_ OrderFacts| {
            let local = facts.pay_time.as_ref().unwrap().seconds + 8 * 3_600;
            (local.div_euclid(86_400) - 19_723, facts.paid_minor)
        };
        let of = |facts| {
            let (day, minor) = sale(facts);
            (day, facts.person_id.as_str(), minor)
        };
        self.0.values().filter(counts).map(of).collect()
    }

    /// The figures of the days from one up to another, exclusive.
    fn figures(&self, from: i64, to: i64) -> SalesFigures {
        let sales = self.sales();
        let mut first: BTreeMap<&str, i64> = BTreeMap::new();
        for &(day, person, _) in &sales {
            let known = first.entry(person).or_insert(day);
            *known = (*known).min(day);
        }
        let within: Vec<_> = sales.iter().filter(|(d, ..)| (from..to).contains(d)).collect();
        let buyers: BTreeSet<&str> = within.iter().map(|(_, person, _)| *person).collect();
        let new = buyers.iter().filter(|person| first[*person] >= from).count();
        let count = |n: usize| i64::try_from(n).unwrap();
        SalesFigures {
            gmv_minor: within.iter().map(|(.., minor)| minor).sum(),
            orders: count(within.len()),
            units: count(within.len()),
            buyers: count(buyers.len()),
            new_buyers: count(new),
            repeat_buyers: count(buyers.len() - new),
        }
    }

    /// The first two purchase days of each person.
    fn first_two(&self) -> Vec<(i64, Option<i64>)> {
        let mut days: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
        for (day, person, _) in self.sales() {
            days.entry(person).or_default().insert(day);
        }
        let two = |days: &BTreeSet<i64>| {
            let mut days = days.iter().copied();
            (days.next().unwrap(), days.next())
        };
        days.values().map(two).collect()
    }
}

/// Compares every kind of answer with the book, over some windows of days 0 to 99.
pub(crate) async fn assert_same(process: &Process, who: u32, book: &Book) {
    for (from, to) in [(0, 100), (0, 31), (10, 45), (59, 60)] {
        let shown = process.get_sales(who, &day(from), &day(to)).await.unwrap();
        assert_eq!(shown.total.as_ref(), Some(&book.figures(from, to)), "{from}..{to} {book:?}");
        assert_parts(&shown);
        repeats(process, who, book, from, to).await;
    }
    let rfm = GetRfmRequest { as_of_day: day(99), window_days: -1 };
    let rfm = process.value(who).get_rfm(rfm).await.unwrap().into_inner();
    let spent: i64 = rfm.segments.iter().map(|segment| segment.monetary_minor).sum();
    let all = book.figures(-1_000, 1_000);
    assert_eq!((rfm.persons, spent), (all.buyers, all.gmv_minor));
    let dormancy = GetDormancyRequest { from_day: day(0), to_day: day(100), as_of_day: day(99) };
    let dormancy = process.retention(who).get_dormancy(dormancy).await.unwrap().into_inner();
    assert_eq!(dormancy.active + dormancy.quiet + dormancy.drowsy + dormancy.dormant, all.buyers);
}

/// Months and weeks add up to the whole.
fn assert_parts(shown: &GetSalesResponse) {
    let total = shown.total.as_ref().unwrap();
    for parts in [&shown.months, &shown.weeks] {
        let figures = || parts.iter().map(|part| part.figures.as_ref().unwrap());
        assert_eq!(figures().map(|f| f.gmv_minor).sum::<i64>(), total.gmv_minor);
        assert_eq!(figures().map(|f| f.orders).sum::<i64>(), total.orders);
        assert_eq!(figures().map(|f| f.new_buyers).sum::<i64>(), total.new_buyers);
    }
}

async fn repeats(process: &Process, who: u32, book: &Book, from: i64, to: i64) {
    let request = GetRepeatRequest {
        from_day: day(from),
        to_day: day(to),
        as_of_day: day(99),
        days: vec![7, 30],
    };
    let shown = process.retention(who).get_repeat(request).await.unwrap().into_inner();
    let firsts: Vec<_> =
        book.first_two().into_iter().filter(|(first, _)| (from..to).contains(first)).collect();
    assert_eq!(shown.cohort, i64::try_from(firsts.len()).unwrap(), "{book:?}");
    for within in shown.within {
        let again = |(first, second): &&(i64, Option<i64>)| {
            second.is_some_and(|second| second - first <= i64::from(within.days))
        };
        let expected = firsts.iter().filter(again).count();
        assert_eq!(within.persons, i64::try_from(expected).unwrap(), "{within:?} {book:?}");
    }
}
