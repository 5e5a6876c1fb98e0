//! Merchants that see themselves and nothing else.

use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::metrics::v1::*;

use crate::world::{World, day, person, sale};

#[tokio::test]
async fn figures_of_one_merchant_are_no_figures_of_another() {
    let world = World::new().await;
    // The same orders and persons by number, as no service would tell them.
    world.sell(1, &[sale(1, 1, 0, 100), sale(2, 2, 1, 200)]).await;
    world.sell(2, &[sale(1, 1, 0, 7)]).await;
    let of = async |who: u32| {
        let shown = world.own.get_sales(who, "", "").await.unwrap();
        (shown.total.unwrap().gmv_minor, shown.basis.unwrap().currency_code)
    };
    assert_eq!(of(1).await, (300, "CNY".into()));
    assert_eq!(of(2).await, (7, "USD".into()));
    assert_eq!(world.own.rebuild(2).await.facts, 1);
    assert_eq!(of(1).await.0, 300);
}

#[tokio::test]
async fn a_person_who_bought_elsewhere_is_as_unknown_as_one_who_does_not_exist() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 0, 100)]).await;
    world.sell(2, &[sale(2, 2, 0, 100)]).await;
    let rfm = async |who: u32, n: u32| {
        let request = GetPersonRfmRequest { person_id: person(n), ..Default::default() };
        world.own.value(who).get_person_rfm(request).await.map_err(fault)
    };
    assert_eq!(rfm(1, 1).await.unwrap().into_inner().rfm.unwrap().monetary_minor, 100);
    let (foreign, unknown) = (rfm(1, 2).await.unwrap_err(), rfm(1, 3).await.unwrap_err());
    assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, "person not found"));
    assert_eq!((foreign.code(), foreign.message()), (unknown.code(), unknown.message()));
    assert_eq!((foreign.reason(), foreign.metadata()), (unknown.reason(), unknown.metadata()));
    // Known, and without a purchase by then.
    let request =
        GetPersonRfmRequest { person_id: person(1), as_of_day: day(-1), ..Default::default() };
    let before = fault(world.own.value(1).get_person_rfm(request).await.unwrap_err());
    assert_eq!((before.code(), before.message()), (Code::NotFound, "person not found"));
}

#[tokio::test]
async fn a_merchant_that_nobody_opened_has_no_figures() {
    let world = World::new().await;
    let refused = world.own.get_sales(3, "", "").await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "merchant not found"));
    let rebuild = world.own.maintenance(3).rebuild_metrics(RebuildMetricsRequest {}).await;
    assert_eq!(fault(rebuild.unwrap_err()).code(), Code::NotFound);
}
