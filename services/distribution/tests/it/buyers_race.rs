//! Merges at the moment at which something is decided about those who are merged.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::{Connection, PgConnection};

use crate::{
    buyers::Members,
    orders::{Orders, now, paid},
    world::{World, generous, hour},
};

/// How many transactions wait for a lock of another.
async fn waiting(owner: &mut PgConnection) -> i64 {
    let sql = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    sqlx::query_scalar(sql).fetch_one(owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_meets_a_merge_of_its_buyer_earns_whoever_brought_the_buyer() {
    let world = World::new().await;
    world.set_rule(generous()).await.unwrap();
    let (orders, members) = (Orders::new(&world).await, Members::new(&world).await);
    let promoter = world.promoter(1, "").await;
    world.click(9, &promoter, -1).await;
    world.click(11, &promoter, -1).await;
    let known = paid(1, 9, 1, &[1_000]);
    orders.tell(std::slice::from_ref(&known)).await;
    assert_eq!(world.earned(&promoter).await, 100);

    // The handling of both orders stops in the middle, at the one that is known.
    let (mut owner, mut watch) = (world.database.owner().await, world.database.owner().await);
    let mut held = owner.begin().await.unwrap();
    sqlx::query("select from attributions for update").execute(&mut *held).await.unwrap();
    let is_merged = AtomicBool::new(false);
    let race = async {
        while waiting(&mut watch).await < 1 {}
        let merge = async {
            members.merged(&world, 10, 11).await;
            is_merged.store(true, Ordering::Relaxed);
        };
        let free = async {
            loop {
                let waiting = waiting(&mut watch).await;
                if waiting >= 2 || is_merged.load(Ordering::Relaxed) {
                    break;
                }
            }
            held.rollback().await.unwrap();
        };
        tokio::join!(merge, free);
    };
    let told = [now(&known, &[2_000]), paid(2, 11, 1, &[5_000])];
    let both = Box::pin(async { tokio::join!(orders.tell(&told), race) });
    tokio::time::timeout(Duration::from_mins(1), both).await.expect("nobody waits for ever");
    assert_eq!(world.earned(&promoter).await, 200 + 500);
    assert_eq!(world.bound_to(10, hour(2)).await.as_ref(), Some(&promoter));
    world.sound_ledger().await;
}
