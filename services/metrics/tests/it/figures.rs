//! Figures of a small shop, worked out by hand.

use siyu_proto::{
    metrics::v1::*,
    order::v1::{LineFacts, OrderFacts},
};

use crate::{
    naive::{self, Book},
    world::{World, day, person, sale},
};

/// Buyer 1 on days 0, 0 and 10; buyer 2 on days 5 and 95; buyer 3 on day 40; buyer 4 for nothing on day 41.
async fn shop() -> World {
    let world = World::new().await;
    let orders = [
        sale(1, 1, 0, 1_000),
        sale(2, 1, 0, 500),
        sale(3, 1, 10, 250),
        sale(4, 2, 5, 2_000),
        sale(5, 2, 95, 1_000),
        sale(6, 3, 40, 300),
        sale(7, 4, 41, 0),
    ];
    world.sell(1, &orders).await;
    let mut book = Book::default();
    for order in &orders {
        book.take(order);
    }
    naive::assert_same(&world.own, 1, &book).await;
    world
}

#[tokio::test]
async fn sales_of_a_window_and_its_parts() {
    let world = shop().await;
    let shown = world.own.get_sales(1, "", "").await.unwrap();
    let total = shown.total.unwrap();
    assert_eq!((total.gmv_minor, total.orders, total.units, total.buyers), (5_050, 7, 7, 4));
    assert_eq!(shown.buyers_two_days, 2);
    let ratio = |ratio: Option<siyu_proto::r#type::v1::Ratio>| {
        let ratio = ratio.unwrap();
        (ratio.numerator, ratio.denominator)
    };
    assert_eq!((ratio(shown.arpu), ratio(shown.aov)), ((5_050, 4), (5_050, 7)));
    let figures = |part: &SalesPeriod| {
        let figures = part.figures.unwrap();
        (part.period.clone(), figures.orders, figures.new_buyers, figures.repeat_buyers)
    };
    let months: Vec<_> = shown.months.iter().map(figures).collect();
    let month = |name: &str, orders, new, repeat| (name.to_owned(), orders, new, repeat);
    let expected = [
        month("2024-01", 4, 2, 0),
        month("2024-02", 2, 2, 0),
        month("2024-03", 0, 0, 0),
        month("2024-04", 1, 0, 1),
    ];
    assert_eq!(months, expected);
    assert_eq!(shown.weeks[0].period, "2024-W01");
    assert_eq!(shown.months[3].from_day, "2024-04-01");
}

#[tokio::test]
async fn units_are_the_pieces_of_all_lines() {
    let world = World::new().await;
    let line = LineFacts { quantity: 7, ..sale(1, 1, 0, 100).lines[0].clone() };
    let order = OrderFacts { quantity: 7, lines: vec![line], ..sale(1, 1, 0, 100) };
    world.sell(1, &[order]).await;
    assert_eq!(world.own.total().await.units, 7);
}

#[tokio::test]
async fn repeats_count_days_and_say_whether_everyone_had_the_time() {
    let world = shop().await;
    let request = GetRepeatRequest {
        from_day: day(0),
        to_day: day(31),
        as_of_day: day(99),
        days: vec![10, 90, 100],
    };
    let shown = world.own.retention(1).get_repeat(request).await.unwrap().into_inner();
    let within: Vec<_> = shown.within.iter().map(|w| (w.days, w.persons, w.complete)).collect();
    assert_eq!(shown.cohort, 2);
    assert_eq!(within, [(10, 1, true), (90, 2, true), (100, 2, false)]);
}

#[tokio::test]
async fn cohorts_are_months_of_the_first_purchase() {
    let world = shop().await;
    let shown = world.own.retention(1).get_cohorts(GetCohortsRequest::default()).await;
    let shown = shown.unwrap().into_inner();
    let cohorts: Vec<_> =
        shown.cohorts.iter().map(|c| (c.month.as_str(), c.size, c.active.clone())).collect();
    let expected = [("2024-01", 2, vec![2, 0, 0, 1]), ("2024-02", 2, vec![2, 0, 0])];
    assert_eq!(cohorts, expected);
}

#[tokio::test]
async fn a_person_has_recency_frequency_and_value() {
    let world = shop().await;
    let request =
        GetPersonRfmRequest { person_id: person(1), as_of_day: day(95), ..Default::default() };
    let shown = world.own.value(1).get_person_rfm(request).await.unwrap().into_inner();
    let rfm = shown.rfm.unwrap();
    assert_eq!((rfm.recency_days, rfm.frequency_days, rfm.monetary_minor), (85, 2, 1_750));
    assert!((1..=5).contains(&rfm.r_score) && rfm.segment() != RfmSegment::Unspecified);
}

#[tokio::test]
async fn who_comes_back_after_a_year_is_told_apart() {
    let world = shop().await;
    world.sell(1, &[sale(8, 3, 420, 900)]).await;
    let request = GetDormancyRequest { from_day: day(400), to_day: day(430), as_of_day: day(430) };
    let shown = world.own.retention(1).get_dormancy(request).await.unwrap().into_inner();
    assert_eq!((shown.active, shown.dormant, shown.reactivated_persons), (1, 2, 1));
    assert_eq!((shown.reactivations, shown.reactivated_gmv_minor), (1, 900));
    assert_eq!(shown.quiet + shown.drowsy, 1);
}
