//! Gifts of tiers at the moment at which whoever gets them turns out to be somebody else.

use std::time::Duration;

use chrono::TimeDelta;
use siyu_proto::member::v1::MergePersonsRequest;
use sqlx::{Connection, PgConnection};

use crate::{
    points::{points, start},
    tiers::{grow, ladder, set},
    world::World,
};

/// Returns when so many transactions wait for a lock of another.
async fn until_waiting(owner: &mut PgConnection, transactions: i64) {
    let sql = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *owner).await.unwrap() < transactions {}
}

async fn merge(world: &World, persons: [&str; 2]) {
    let request = MergePersonsRequest {
        request_id: "m".into(),
        person_ids: persons.map(str::to_owned).into(),
        note: "one".into(),
        ..Default::default()
    };
    world.identity(world.own).merge_persons(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_that_is_posted_while_its_person_is_merged_is_given_once() {
    let (world, anna) = start().await;
    world.clock.advance(TimeDelta::seconds(1));
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    set(&world, "1", ladder(&[("bronze", 0, 0), ("silver", 100, 10)])).await.unwrap();
    assert_eq!(grow(&world, "g", &ben, 100).await, (100, 2));

    // The job stops in the middle: the rules for points cannot be read.
    let (mut owner, mut watch) = (world.database.owner().await, world.database.owner().await);
    let mut held = owner.begin().await.unwrap();
    let lock = "lock table point_policies in access exclusive mode";
    sqlx::query(lock).execute(&mut *held).await.unwrap();
    let race = async {
        until_waiting(&mut watch, 1).await;
        let free = async {
            until_waiting(&mut watch, 2).await;
            held.rollback().await.unwrap();
        };
        tokio::join!(merge(&world, [&anna, &ben]), free);
    };
    let both = Box::pin(async { tokio::join!(world.run("member.tier_gifts"), race) });
    tokio::time::timeout(Duration::from_mins(1), both).await.expect("nobody waits for ever");
    world.run("member.tier_gifts").await;
    assert_eq!(points(&world, &anna).await.total, 10);
    world.sound_ledger(world.own).await;
}
