//! What is held, when much happens at once.

use futures::future::join_all;
use siyu_order::guarantee::{
    act,
    domain::{Completion, Terms},
};
use siyu_testkit::merchant;
use uuid::Uuid;

use crate::world::World;

fn refund_id(n: usize) -> Uuid {
    Uuid::from_u128(9_000 + u128::try_from(n).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refunds_at_once_that_are_more_than_was_paid_one_is_refused() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 100)], Terms::default()).await;
    let refunds = (0..8).map(|n| world.refund(id, refund_id(n), 60));
    let (won, lost): (Vec<_>, Vec<_>) =
        join_all(refunds).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    assert!(lost.into_iter().all(|refused| refused.unwrap_err().reason() == "EXCEEDS_PAYMENT"));
    assert_eq!(world.balance().await[0], 40);
    world.sound_ledger().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_refund_many_times_at_once_is_one_refund() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 100)], Terms::default()).await;
    for done in join_all((0..16).map(|_| world.refund(id, refund_id(1), 30))).await {
        assert_eq!(done.unwrap().held_minor, 70);
    }
    assert_eq!(world.sound_ledger().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_and_refunds_of_one_merchant_at_once_lose_nothing() {
    let world = World::new().await;
    let mut orders = Vec::new();
    for n in 0..24 {
        let id = world.sold(&n.to_string()).await;
        world.hold(id, &[("1", 100)], Terms::default()).await;
        world.complete(id, Completion::Confirmed).await;
        orders.push(id);
    }
    // A release and a refund of each, in whatever order they come: a refund may charge what others released.
    let release = async |id| {
        let mut tx = world.database.db().tenant(merchant(1)).await.unwrap();
        act::release(&world.app, &mut tx, id, world.now()).await.unwrap();
        tx.commit().await.unwrap();
    };
    let refund = async |(n, id)| loop {
        // A database may find that two wait for each other, and tells one of them to begin again.
        match world.refund(id, refund_id(n), 40).await {
            Ok(_) => break,
            Err(fault) => assert_eq!(fault.reason(), "STORE_CONFLICT"),
        }
    };
    let refunds = join_all(orders.iter().copied().enumerate().map(refund));
    futures::join!(join_all(orders.iter().map(|id| release(*id))), refunds);
    let [held, available, frozen, commission, fee, owed] = world.balance().await;
    assert_eq!((held, frozen, commission, fee), (0, 0, 0, 0));
    // What was advanced before enough was released is settled by later releases, or still owed.
    assert_eq!(available - owed, 24 * 60);
    world.sound_ledger().await;
}
