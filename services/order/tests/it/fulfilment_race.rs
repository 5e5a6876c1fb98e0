//! Fulfilment, when much happens at once.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_order::fulfilment::{
    assignment::{self, Event, State},
    pickup::Verdict,
};

use crate::{fulfilment::store, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_show_a_code_at_once_one_gets_the_goods() {
    let world = World::new().await;
    let sold = world.sold("1").await;
    let issued = join_all((0..16).map(|_| world.issue(sold, store(1)))).await;
    let code = issued[0].code.clone();
    assert!(issued.iter().all(|pickup| pickup.code == code), "one order has one code");
    let shown = join_all((0..16).map(|_| world.verify(store(1), code.expose()))).await;
    let good = shown.iter().filter(|verdict| matches!(verdict, Verdict::Good(_))).count();
    let used = shown.iter().filter(|verdict| **verdict == Verdict::Used).count();
    assert_eq!((good, used), (1, 15));
    let written = world.count("select count(*) from pickup_events where kind = 'verified'").await;
    assert_eq!(written, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_parcels_with_the_same_piece_one_leaves() {
    let world = World::new().await;
    let sold = world.sold("1").await;
    let numbers: Vec<String> = (0..16).map(|n| n.to_string()).collect();
    let parcels = numbers.iter().map(|no| world.ship(sold, no, &[(1, 1)]));
    let (sent, refused): (Vec<_>, Vec<_>) =
        join_all(parcels).await.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), refused.len()), (1, 15));
    assert_eq!(world.count("select sum(quantity)::bigint from parcel_lines").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_answer_and_the_end_of_its_time_one_counts() {
    let world = World::new().await;
    for n in 0..8 {
        let sold = world.sold(&n.to_string()).await;
        world.begin(sold, &[store(1), store(2)]).await;
        let late = world.now() + TimeDelta::minutes(10);
        let answers = join_all((0..4).map(|_| world.change(sold, Event::Accept(store(1)))));
        let ended = join_all((0..4).map(|_| assignment::act::time_out_due(&world.app, late)));
        let (answers, ended) = futures::join!(answers, ended);
        let timed_out: usize = ended.into_iter().map(Result::unwrap).sum();
        let mut tx = world.tx().await;
        let stands = assignment::store::find(&mut tx, sold, 1).await.unwrap().unwrap();
        let taken = answers.iter().flatten().count();
        match stands.state {
            State::Accepted => assert!(timed_out == 0 && taken > 0),
            State::Offered => {
                assert_eq!((timed_out, taken, stands.store_id), (1, 0, Some(store(2))));
            }
            State::Headquarters | State::Done | State::Withdrawn => panic!("{stands:?}"),
        }
        assert_eq!(stands.turn, 2);
    }
}
