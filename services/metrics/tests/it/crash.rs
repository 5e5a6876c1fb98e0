//! Work that is cut at any point: nothing is lost, nothing counts twice.

use std::{future::poll_fn, task::Poll};

use siyu_events::Consumer;

use crate::{
    naive::{self, Book},
    world::{Process, World, now, sale, voided},
};

/// Polls a future so many times, then drops it: what a crash at that point leaves. Tells whether it came to its end.
async fn cut_after<F: Future>(polls: usize, work: F) -> bool {
    let mut work = Box::pin(work);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(cx).map(|_| true)
    })
    .await
}

/// Orders over three months, some of which change and some of which are voided.
async fn sell(world: &World, round: u32, book: &mut Book) {
    let first: Vec<_> =
        (0..20).map(|n| sale(round * 50 + n, n % 6, i64::from(n * 5), 100)).collect();
    let mut all = first.clone();
    all.extend(first.iter().step_by(3).map(|order| now(order, 70)));
    all.extend(first.iter().step_by(7).map(|order| voided(&now(order, 70))));
    world.sell(1, &all).await;
    for facts in &all {
        book.take(facts);
    }
}

#[tokio::test]
async fn a_fold_that_is_cut_at_any_point_loses_nothing() {
    let world = World::new().await;
    let (mut book, mut cuts) = (Book::default(), 0);
    for round in 0..60 {
        if round % 6 == 0 {
            sell(&world, round, &mut book).await;
        }
        // The same process goes on after the cut, with what it had in memory.
        let polls = 1 + round as usize % 25;
        cuts += i32::from(!cut_after(polls, world.own.get_sales(1, "", "")).await);
    }
    naive::assert_same(&world.own, 1, &book).await;
    naive::assert_same(&Process::new(&world.database, &world.clock), 1, &book).await;
    assert!(world.own.rebuild(1).await.equal);
    assert!(cuts > 0, "how many polls a query takes depends on the machine; some must be cut");
}

#[tokio::test]
async fn a_rebuild_that_is_cut_at_any_point_changes_no_figure() {
    let world = World::new().await;
    let (mut book, mut cuts) = (Book::default(), 0);
    sell(&world, 1, &mut book).await;
    let total = world.own.total().await;
    for polls in (1..15).chain(1..15) {
        cuts += i32::from(!cut_after(polls, world.own.rebuild(1)).await);
        assert_eq!(world.own.total().await, total, "{polls}");
        assert_eq!(Process::new(&world.database, &world.clock).total().await, total, "{polls}");
    }
    naive::assert_same(&world.own, 1, &book).await;
    assert!(cuts > 0, "how many polls a rebuild takes depends on the machine; some must be cut");
}

#[tokio::test]
async fn events_whose_handling_is_cut_at_any_point_count_once() {
    let world = World::new().await;
    let mut book = Book::default();
    for round in 1..20 {
        let told: Vec<_> = (0..3).map(|n| sale(round * 10 + n, n, i64::from(round), 100)).collect();
        let order = &world.siblings["order"];
        for facts in &told {
            book.take(facts);
            let fact = siyu_proto::order::v1::OrderPaid { facts: Some(facts.clone()) };
            let at = crate::world::noon(0);
            order.tell(siyu_testkit::merchant(1), &facts.order_id, at, &fact).await;
        }
        // Each try is a new process that is cut a little later.
        let mut polls = usize::try_from(round).unwrap();
        while !cut_after(polls, order.deliver(&follower(&world))).await {
            polls += 5;
        }
        assert_eq!(world.own.total().await.orders, i64::from(round) * 3);
    }
    naive::assert_same(&world.own, 1, &book).await;
    assert_eq!(
        world.count("select facts_version from merchants where facts_version > 0").await,
        19
    );
}

fn follower(world: &World) -> Consumer {
    let subscription = world.own.app.subscriptions().remove(1);
    assert_eq!(subscription.source(), "order");
    world.siblings["order"].consumer(world.database.db(), subscription)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_in_the_middle_leave_figures_that_are_right() {
    let world = World::new().await;
    let mut book = Book::default();
    let mut broken = 0;
    for round in 1..15 {
        sell(&world, round, &mut book).await;
        let mut owner = world.database.owner().await;
        let cut = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            let sql = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and usename = 'siyu_app' and state <> 'idle'";
            sqlx::query(sql).execute(&mut owner).await.unwrap();
        };
        let (shown, ()) = tokio::join!(world.own.get_sales(1, "", ""), cut);
        broken += i32::from(shown.is_err());
    }
    naive::assert_same(&world.own, 1, &book).await;
    naive::assert_same(&Process::new(&world.database, &world.clock), 1, &book).await;
    assert!(world.own.rebuild(1).await.equal, "{broken} calls were broken");
}
