//! What is looked at when little or nonsense is asked for.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::metrics::v1::*;

use crate::world::{World, day, sale};

fn named(fault: &Fault) -> &str {
    assert_eq!(fault.code(), Code::InvalidArgument, "{fault:?}");
    &fault.violations()[0].field
}

#[tokio::test]
async fn a_window_that_is_not_given_reaches_from_the_first_fact_to_the_last() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 3, 100), sale(2, 2, 50, 100)]).await;
    let of = async |from: &str, to: &str| {
        let basis = world.own.get_sales(1, from, to).await.unwrap().basis.unwrap();
        (basis.from_day, basis.to_day)
    };
    assert_eq!(of("", "").await, (day(3), day(51)));
    assert_eq!(of(&day(10), "").await, (day(10), day(51)));
    assert_eq!(of("", &day(10)).await, (day(3), day(10)));
    // Behind the last fact: one day, and nothing in it.
    assert_eq!(of(&day(90), "").await, (day(90), day(91)));
}

#[tokio::test]
async fn a_merchant_without_facts_has_figures_of_nothing_and_ratios_of_none() {
    let world = World::new().await;
    let shown = world.own.get_sales(1, "", "").await.unwrap();
    assert_eq!(shown.total, Some(SalesFigures::default()));
    for ratio in [shown.arpu, shown.aov] {
        let ratio = ratio.unwrap();
        assert_eq!((ratio.numerator, ratio.denominator), (0, 0));
    }
    assert_eq!(shown.basis.unwrap().facts_version, 0);
    let mut retention = world.own.retention(1);
    let repeat = retention.get_repeat(GetRepeatRequest::default()).await.unwrap().into_inner();
    let limits: Vec<i32> = repeat.within.iter().map(|within| within.days).collect();
    assert_eq!((repeat.cohort, limits), (0, vec![30, 90, 180, 365]));
    let cohorts = retention.get_cohorts(GetCohortsRequest::default()).await.unwrap();
    assert_eq!(cohorts.into_inner().cohorts, []);
    retention.get_dormancy(GetDormancyRequest::default()).await.unwrap();
    let mut value = world.own.value(1);
    let rfm = value.get_rfm(GetRfmRequest::default()).await.unwrap().into_inner();
    assert_eq!((rfm.persons, rfm.segments.len()), (0, 8));
    let clv = value.get_lifetime_value(GetLifetimeValueRequest::default()).await.unwrap();
    assert_eq!(clv.into_inner().lifetime_value_minor, None);
    let model = value.get_purchase_model(GetPurchaseModelRequest::default()).await;
    let refused = fault(model.unwrap_err());
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "MODEL_NOT_FITTED"));
    let triangle = world.own.triangle(1).get_triangle(GetTriangleRequest::default()).await;
    let triangle = triangle.unwrap().into_inner();
    assert_eq!((triangle.area, triangle.index), (None, None));
    assert!(triangle.flags.contains(&"connections_unmeasured".to_owned()), "{triangle:?}");
    let mut sales = world.own.sales(1);
    let arpu = sales.get_user_arpu(GetUserArpuRequest::default()).await.unwrap().into_inner();
    assert!(arpu.connections_unmeasured && arpu.users == 0);
    let effective = GetEffectiveCustomersRequest::default();
    let effective = sales.get_effective_customers(effective).await.unwrap().into_inner();
    assert!(effective.stored_unmeasured && effective.effective == 0);
}

#[tokio::test]
async fn a_window_that_cannot_be_is_refused_by_field() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 0, 100)]).await;
    for (from, to, field) in [
        ("2024-02-01", "2024-02-01", "to_day"),
        ("2024-02-02", "2024-02-01", "to_day"),
        ("yesterday", "", "from_day"),
        ("", "2024-02-30", "to_day"),
        ("0000-01-01", "", "from_day"),
        ("", "1066-01-01", "to_day"),
    ] {
        let refused = world.own.get_sales(1, from, to).await.unwrap_err();
        assert_eq!(named(&refused), field, "{from:?} {to:?}");
    }
    let refused = |days: Vec<i32>| {
        let mut retention = world.own.retention(1);
        let request = GetRepeatRequest { days, ..Default::default() };
        async move { fault(retention.get_repeat(request).await.unwrap_err()) }
    };
    assert_eq!(named(&refused(vec![30, 0]).await), "days[1]");
    assert_eq!(named(&refused(vec![3_651]).await), "days[0]");
    assert_eq!(named(&refused(vec![1; 21]).await), "days");
    let odd = GetRfmRequest { window_days: -2, ..Default::default() };
    assert_eq!(named(&fault(world.own.value(1).get_rfm(odd).await.unwrap_err())), "window_days");
    let odd = GetTriangleRequest { as_of_day: "2024".into() };
    let refused = fault(world.own.triangle(1).get_triangle(odd).await.unwrap_err());
    assert_eq!(named(&refused), "as_of_day");
}

#[tokio::test]
async fn a_look_at_the_end_of_the_calendar_is_answered_or_refused_and_never_breaks() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 0, 100)]).await;
    let ends = ["1900-01-01", "9999-12-31"];
    for end in ends {
        let answers = [
            world.own.get_sales(1, end, "").await.err(),
            world.own.get_sales(1, "", end).await.err(),
            world
                .own
                .triangle(1)
                .get_triangle(GetTriangleRequest { as_of_day: end.into() })
                .await
                .err()
                .map(fault),
            world
                .own
                .value(1)
                .get_rfm(GetRfmRequest { as_of_day: end.into(), window_days: 36_500 })
                .await
                .err()
                .map(fault),
        ];
        for fault in answers.into_iter().flatten() {
            assert_eq!(fault.code(), Code::InvalidArgument, "{end}: {fault:?}");
        }
        let wide = GetCohortsRequest { as_of_day: end.into(), ..Default::default() };
        if let Err(status) = world.own.retention(1).get_cohorts(wide).await {
            assert_eq!(fault(status).code(), Code::InvalidArgument);
        }
    }
    let all = world.own.get_sales(1, ends[0], ends[1]).await;
    assert!(all.is_err() || all.unwrap().total.unwrap().orders == 1);
}
