//! Who is connected, who was reached, who brought whom.

use siyu_kernel::kind;
use siyu_proto::{
    distribution::v1::{Binding, CustomerBound},
    member::v1::{Connection, ConnectionChanged, ConnectionState},
    messaging::v1::{Message, MessageMoved, MessageState},
    metrics::v1::*,
    order::v1::{Domain, LineFacts, OrderFacts},
};
use siyu_testkit::{id, merchant};

use crate::world::{World, day, noon, person, sale, stamp};

async fn connect(world: &World, n: u32, state: ConnectionState, day: i64) {
    let connection = Connection {
        person_id: person(n),
        channel: "wecom".into(),
        account_id: "anna".into(),
        state: state.into(),
        state_time: Some(stamp(noon(day))),
        ..Default::default()
    };
    let fact = ConnectionChanged { connection: Some(connection) };
    world.siblings["member"].tell(merchant(1), &person(n), noon(day), &fact).await;
    world.deliver("member").await;
}

async fn moved(world: &World, n: u32, of: u32, state: MessageState, day: i64) {
    let message = Message {
        id: id::<kind::Message>(n).to_string(),
        person_id: person(of),
        channel: "wecom".into(),
        state: state.into(),
        state_time: Some(stamp(noon(day))),
        ..Default::default()
    };
    let fact = MessageMoved { message: Some(message) };
    world.siblings["messaging"].tell(merchant(1), &"msg", noon(day), &fact).await;
    world.deliver("messaging").await;
}

async fn brought(world: &World, n: u32, by: u32, day: i64) {
    let binding =
        Binding { person_id: person(n), bind_time: Some(stamp(noon(day))), ..Default::default() };
    let fact = CustomerBound { binding: Some(binding), promoter_person_id: person(by) };
    world.siblings["distribution"].tell(merchant(1), &person(n), noon(day), &fact).await;
    world.deliver("distribution").await;
}

#[tokio::test]
async fn turnover_is_users_times_arpu_of_those_who_were_connected_when_they_bought() {
    let world = World::new().await;
    connect(&world, 1, ConnectionState::Connected, 0).await;
    connect(&world, 2, ConnectionState::Connected, 0).await;
    connect(&world, 2, ConnectionState::Disconnected, 10).await;
    let public = OrderFacts { domain: Domain::Public.into(), ..sale(2, 1, 6, 50) };
    // Person 2 left before buying, person 3 was never there.
    world.sell(1, &[sale(1, 1, 5, 100), public, sale(3, 2, 20, 100), sale(4, 3, 5, 100)]).await;
    let arpu = async |as_of_order: bool| {
        let request = GetUserArpuRequest { as_of_order, ..Default::default() };
        let shown = world.own.sales(1).get_user_arpu(request).await.unwrap().into_inner();
        let ratio = shown.arpu.unwrap();
        assert_eq!((ratio.numerator, ratio.denominator), (shown.gmv_minor, shown.users));
        assert!(!shown.connections_unmeasured);
        assert_eq!(shown.private_channel_gmv_minor, 300);
        (shown.users, shown.gmv_minor)
    };
    assert_eq!(arpu(false).await, (1, 150));
    assert_eq!(arpu(true).await, (1, 150));
}

#[tokio::test]
async fn events_that_are_told_again_change_nothing() {
    let world = World::new().await;
    connect(&world, 1, ConnectionState::Connected, 0).await;
    connect(&world, 1, ConnectionState::Disconnected, 5).await;
    connect(&world, 1, ConnectionState::Connected, 9).await;
    for state in [MessageState::Submitted, MessageState::Delivered, MessageState::Failed] {
        moved(&world, 1, 1, state, 10).await;
    }
    brought(&world, 1, 2, 3).await;
    let rows = async || {
        (
            world.count("select count(*) from connections").await,
            world.count("select count(*) from connections where disconnected_at is null").await,
            world.count("select count(*) from messages").await,
            world.count("select count(*) from referrals").await,
        )
    };
    assert_eq!(rows().await, (2, 1, 1, 1));
    for (name, consumer) in &world.consumers {
        consumer.reset(0).await.unwrap();
        world.deliver(name).await;
        assert_eq!(rows().await, (2, 1, 1, 1), "{name}");
        assert_eq!(consumer.count_parked().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn the_triangle_has_a_side_for_everything_that_was_measured() {
    let world = World::new().await;
    let of = |category: &str, order: OrderFacts| OrderFacts {
        lines: vec![LineFacts { category: category.into(), ..order.lines[0].clone() }],
        ..order
    };
    // Two old customers, one of whom comes back in another field; a new one, brought by an old one.
    world
        .sell(
            1,
            &[
                of("tea", sale(1, 1, 0, 100)),
                of("tea", sale(2, 2, 0, 100)),
                of("cups", sale(3, 1, 200, 100)),
                of("tea", sale(4, 3, 210, 100)),
            ],
        )
        .await;
    brought(&world, 3, 1, 205).await;
    connect(&world, 1, ConnectionState::Connected, 0).await;
    connect(&world, 3, ConnectionState::Connected, 205).await;
    moved(&world, 1, 1, MessageState::Submitted, 209).await;
    moved(&world, 1, 1, MessageState::Delivered, 209).await;
    moved(&world, 2, 3, MessageState::Submitted, 209).await;
    let request = GetTriangleRequest { as_of_day: day(210) };
    let shown = world.own.triangle(1).get_triangle(request).await.unwrap().into_inner();
    let sides = shown.current.unwrap();
    assert_eq!((sides.connected, sides.reach), (2, Some(0.5)));
    assert_eq!((sides.property_power, sides.repeat_rate), (Some(1.0), Some(1.0 / 3.0)));
    // One of two old customers brought somebody; of the old ones who bought, all did so in another field.
    assert_eq!((sides.referral, sides.influence), (Some(0.5), Some(1.0)));
    assert_eq!(sides.referral_rate, Some(0.5));
    assert_eq!(shown.baseline_day, day(210 - 365));
    assert_eq!(shown.index, None, "there was nothing a year ago");
}

#[tokio::test]
async fn effective_customers_are_those_of_the_private_domain() {
    let world = World::new().await;
    let public = OrderFacts { domain: Domain::Public.into(), ..sale(4, 3, 45, 100) };
    world.sell(1, &[sale(1, 1, 0, 100), sale(2, 1, 40, 100), sale(3, 2, 41, 100), public]).await;
    let request = GetEffectiveCustomersRequest { from_day: day(31), to_day: day(60) };
    let mut sales = world.own.sales(1);
    let shown = sales.get_effective_customers(request).await.unwrap().into_inner();
    assert_eq!((shown.first, shown.repeat, shown.effective), (1, 1, 2));
    assert_eq!((shown.first_and_repeat, shown.stored_unmeasured), (0, true));
}

/// Two years and some days at whose end every side of the triangle has a value.
async fn measured(world: &World) {
    let of = |category: &str, order: OrderFacts| OrderFacts {
        lines: vec![LineFacts { category: category.into(), ..order.lines[0].clone() }],
        ..order
    };
    let mut orders: Vec<OrderFacts> =
        [(1, 0), (2, 0), (3, 40)].map(|(n, day)| of("tea", sale(n, n, day, 100))).to_vec();
    for (n, day) in (10..).zip([400, 500, 600, 690, 729, 780]) {
        let category = if n % 2 == 0 { "cups" } else { "tea" };
        orders.push(of(category, sale(n, 1, day, 100)));
        orders.push(of("tea", sale(n + 100, n + 100, day, 100)));
    }
    world.sell(1, &orders).await;
    for (n, day) in (10..).zip([400, 500, 600, 690, 729, 780]) {
        brought(world, n + 100, 1, day - 1).await;
        connect(world, n + 100, ConnectionState::Connected, day - 1).await;
    }
}

#[tokio::test]
async fn the_baseline_is_frozen_at_the_first_look_at_the_present_and_later_facts_leave_it() {
    let world = World::new().await;
    measured(&world).await;
    let look = async |day: &str| {
        let request = GetTriangleRequest { as_of_day: day.into() };
        world.own.triangle(1).get_triangle(request).await.unwrap().into_inner()
    };
    let past = look(&day(760)).await;
    assert_eq!(
        (past.baseline_day, past.baseline_version),
        (day(729), 0),
        "the past freezes nothing"
    );
    let first = look("").await;
    assert_eq!((&first.baseline_day, first.baseline_version), (&day(729), 1), "{first:?}");
    assert!(first.index.is_some(), "{first:?}");
    // An order of the time of the baseline that comes late, and a look from a later day.
    world.sell(1, &[sale(900, 1, 700, 50_000), sale(901, 1, 1200, 100)]).await;
    let later = look("").await;
    assert_eq!((later.baseline, later.baseline_version), (first.baseline, 1));
}

#[tokio::test]
async fn a_baseline_can_be_set_anew_and_the_same_again_is_no_other_one() {
    let world = World::new().await;
    measured(&world).await;
    let set = async |day: &str| {
        let request = SetTriangleBaselineRequest { day: day.into() };
        world.own.triangle(1).set_triangle_baseline(request).await.map(tonic::Response::into_inner)
    };
    let usual = set("").await.unwrap();
    assert_eq!((&usual.baseline_day, usual.baseline_version), (&day(729), 1));
    assert_eq!(set(&day(729)).await.unwrap().baseline_version, 1, "nothing changed");
    let other = set(&day(750)).await.unwrap();
    assert_eq!((&other.baseline_day, other.baseline_version), (&day(750), 2));
    let shown = world.own.triangle(1).get_triangle(GetTriangleRequest::default()).await.unwrap();
    assert_eq!(shown.into_inner().baseline, other.baseline);
    let refused = |status| siyu_grpc::fault(status).reason().to_owned();
    assert_eq!(refused(set(&day(50)).await.unwrap_err()), "BASELINE_INCOMPLETE");
    assert_eq!(refused(set(&day(781)).await.unwrap_err()), "INVALID_FIELD");
}
