//! How current the figures are, and how they are built anew.

use std::time::Duration;

use siyu_metrics::maintenance::jobs;
use siyu_proto::{metrics::v1::*, order::v1::OrderFacts};
use siyu_runtime::CancellationToken;

use crate::world::{Process, World, now, sale};

async fn progress(process: &Process, who: u32) -> GetProgressResponse {
    let reply = process.maintenance(who).get_progress(GetProgressRequest {}).await;
    reply.unwrap().into_inner()
}

/// Every aggregate that stands, as bytes.
async fn aggregates(world: &World) -> Vec<(i16, i16, i32, Vec<u8>)> {
    let mut owner = world.database.owner().await;
    sqlx::query_as(
        "select scope, 0::smallint, day, cell from day_cells where octet_length(cell) > 0
        union all
        select scope, kind, key, persons from day_indexes where octet_length(persons) > 0
        order by 1, 2, 3",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap()
}

#[tokio::test]
async fn progress_says_how_far_every_sibling_was_followed() {
    let world = World::new().await;
    let follow =
        |name: &&'static str| (world.siblings[name].peer().clone(), world.consumers[name].clone());
    world.own.app.follow(world.consumers.keys().map(follow).collect());
    world.sell(1, &[sale(1, 1, 0, 100)]).await;
    let done = progress(&world.own, 1).await;
    assert!(done.caught_up, "{done:?}");
    assert_eq!(done.dirty_days, 1);
    let of = |progress: &GetProgressResponse, name: &str| {
        let source = progress.sources.iter().find(|source| source.source == name).unwrap();
        (source.position, source.head_position, source.parked)
    };
    assert_eq!((of(&done, "member"), of(&done, "order")), ((2, 2, 0), (1, 1, 0)));
    assert_eq!((of(&done, "messaging"), of(&done, "distribution")), ((0, 0, 0), (0, 0, 0)));

    // Told and not yet taken in; nobody has to have given it a place yet.
    let order = &world.siblings["order"];
    let facts = OrderFacts { person_id: "nobody".into(), ..sale(2, 1, 0, 100) };
    let fact = siyu_proto::order::v1::OrderPaid { facts: Some(facts) };
    order.tell(siyu_testkit::merchant(1), &"ord", crate::world::noon(0), &fact).await;
    let behind = progress(&world.own, 1).await;
    assert_eq!((behind.caught_up, of(&behind, "order")), (false, (1, 2, 0)));
    world.deliver("order").await;
    let parked = progress(&world.own, 1).await;
    assert_eq!((parked.caught_up, of(&parked, "order")), (true, (2, 2, 1)));
    world.own.total().await;
    assert_eq!(progress(&world.own, 1).await.dirty_days, 0);
    assert_eq!(progress(&world.own, 2).await.dirty_days, 0);
}

#[tokio::test]
async fn a_rebuild_writes_the_same_bytes() {
    let world = World::new().await;
    for n in 1..=60 {
        let order = sale(n, n % 9, i64::from(n * 11 % 400), i64::from(n) * 10);
        world.sell(1, std::slice::from_ref(&order)).await;
        if n % 4 == 0 {
            world.sell(1, &[now(&order, 5)]).await;
        }
        if n % 10 == 0 {
            world.own.total().await;
        }
    }
    world.own.total().await;
    let before = aggregates(&world).await;
    let figures = world.own.get_sales(1, "", "").await.unwrap();
    let rebuilt = world.own.rebuild(1).await;
    assert_eq!((rebuilt.facts, rebuilt.equal), (60, true));
    assert_eq!(aggregates(&world).await, before);
    assert_eq!(world.own.get_sales(1, "", "").await.unwrap(), figures);
    assert!(before.len() > 100, "{}", before.len());
}

#[tokio::test]
async fn a_rebuild_finds_and_mends_aggregates_that_are_wrong() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 0, 100), sale(2, 2, 5, 100)]).await;
    let figures = world.own.total().await;
    let mut owner = world.database.owner().await;
    for sql in [
        "update day_cells set cell = (select cell from day_cells where scope = 1 order by day limit 1)",
        "delete from day_indexes where kind = 1",
    ] {
        sqlx::query(sql).execute(&mut owner).await.unwrap();
    }
    let fresh = Process::new(&world.database, &world.clock);
    assert_ne!(fresh.total().await, figures, "the damage shows");
    assert!(!fresh.rebuild(1).await.equal);
    assert_eq!(fresh.total().await, figures);
    assert_eq!(world.own.total().await, figures);
    assert!(fresh.rebuild(1).await.equal);
}

#[tokio::test]
async fn changed_days_are_folded_without_being_asked_for() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 0, 100), sale(2, 2, 5, 100)]).await;
    world.sell(2, &[sale(3, 1, 0, 100)]).await;
    let stop = CancellationToken::new();
    let watch = async {
        while world.count("select count(*) from dirty_days").await > 0 {}
        stop.cancel();
    };
    let job = jobs::fold(world.own.app.clone(), stop.clone());
    let both = Box::pin(async { tokio::join!(job, watch) });
    tokio::time::timeout(Duration::from_secs(30), both).await.unwrap().0.unwrap();
    assert_eq!(world.count("select count(*) from day_cells where scope = 1").await, 3);
    assert_eq!(world.own.total().await.orders, 2);
}
