//! Positions: no gap, no late row skipped, the order of each aggregate kept, one sequencer at a time.

use std::time::Duration;

use siyu_events::{Log, append};
use siyu_runtime::{Policy, pause};
use siyu_testkit::merchant;
use sqlx::PgConnection;

use crate::support::{Transport, World};

/// A reader that follows the serial number, as it should not be done.
async fn naive_read(conn: &mut PgConnection, after: i64) -> Vec<i64> {
    sqlx::query_scalar("select event_seq from event_log where event_seq > $1 order by event_seq")
        .bind(after)
        .fetch_all(conn)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_reader_of_the_serial_number_skips_a_late_commit_and_ours_does_not() {
    let world = World::new(Transport::Pull).await;
    let mut owner = world.producer.owner().await;
    let mut late = world.producer.db().tenant(merchant(1)).await.unwrap();
    append(&mut late, &[world.fact("ord_late", 1)]).await.unwrap();
    world.tell(2, &[("ord_early", 2)]).await;

    let naive = naive_read(&mut owner, 0).await;
    assert_eq!(naive, [2], "the early commit has the higher number");
    assert_eq!(world.log.stamp_all().await.unwrap(), 1);
    let ours = world.log.read(0, 10).await.unwrap();
    assert_eq!(&*ours.events[0].subject, "ord_early");

    late.commit().await.unwrap();
    assert_eq!(naive_read(&mut owner, 2).await, Vec::<i64>::new(), "number 1 is skipped for ever");
    assert_eq!(world.log.stamp_all().await.unwrap(), 2);
    let ours = world.log.read(1, 10).await.unwrap();
    assert_eq!((&*ours.events[0].subject, ours.events[0].position), ("ord_late", 2));
}

#[tokio::test]
async fn a_change_that_is_rolled_back_tells_nothing() {
    let world = World::new(Transport::Pull).await;
    let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
    append(&mut tx, &[world.fact("ord_a", 1)]).await.unwrap();
    drop(tx);
    world.tell(1, &[("ord_b", 2)]).await;
    assert_eq!(world.log.stamp_all().await.unwrap(), 1);
}

/// Writers that commit after different times, while two sequencers run and the leading one loses its connection again
/// and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_have_no_gap_and_keep_each_subjects_order_while_leaders_die() {
    const WRITERS: i64 = 6;
    const ROUNDS: i64 = 40;
    let world = World::new(Transport::Pull).await;
    world.sequence();
    // Another process of the same service.
    let other = Log::new(world.producer.db().clone(), "order").sequencer();
    world.tasks.spawn("second", Policy::Shutdown, move |cancel| other.clone().run(cancel));
    let writers = futures::future::join_all((0..WRITERS).map(|writer| {
        let world = &world;
        async move {
            let subject = format!("ord_{writer}");
            for n in 0..ROUNDS {
                let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
                append(&mut tx, &[world.fact(&subject, n)]).await.unwrap();
                pause(Duration::from_micros(((n * 7 + writer * 13) % 9).unsigned_abs() * 700))
                    .await;
                tx.commit().await.unwrap();
            }
        }
    }));
    let killer = async {
        let mut owner = world.producer.owner().await;
        for _ in 0..8 {
            pause(Duration::from_millis(30)).await;
            let kill = "select pg_terminate_backend(pid) from pg_locks
                where locktype = 'advisory' and database = (
                    select oid from pg_database where datname = current_database())";
            sqlx::query(kill).execute(&mut owner).await.unwrap();
        }
    };
    futures::future::join(writers, killer).await;
    let head = world.log.stamp_all().await.unwrap();
    assert_eq!(head, WRITERS * ROUNDS);
    let run = world.log.read(0, 5000).await.unwrap();
    let positions: Vec<i64> = run.events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    for writer in 0..WRITERS {
        let subject = format!("ord_{writer}");
        let told = run.events.iter().filter(|event| *event.subject == *subject);
        let numbers: Vec<i64> = told
            .map(|event| event.decode::<crate::support::Counted>().unwrap().unwrap().n)
            .collect();
        assert_eq!(numbers, (0..ROUNDS).collect::<Vec<_>>(), "{subject}");
    }
}

#[tokio::test]
async fn facts_of_one_transaction_keep_the_order_of_the_slice() {
    let world = World::new(Transport::Pull).await;
    let facts: Vec<(&str, i64)> = (0..500).map(|n| ("ord_a", n)).collect();
    world.tell(1, &facts).await;
    world.log.stamp_all().await.unwrap();
    let run = world.log.read(0, 1000).await.unwrap();
    let numbers = run
        .events
        .iter()
        .map(|event| event.decode::<crate::support::Counted>().unwrap().unwrap().n);
    assert!(numbers.eq(0..500));
}

#[tokio::test]
async fn a_commit_that_appended_wakes_the_sequencer_of_its_process_and_no_other_does() {
    let world = World::new(Transport::Pull).await;
    let committed = world.producer.db().committed();
    let woken = async || {
        let limit = Duration::from_millis(20);
        tokio::time::timeout(limit, committed.notified()).await.is_ok()
    };
    world.tell(1, &[("ord_a", 1)]).await;
    assert!(woken().await, "an event was told");
    assert!(!woken().await, "once");

    let mut rolled_back = world.producer.db().tenant(merchant(1)).await.unwrap();
    append(&mut rolled_back, &[world.fact("ord_a", 2)]).await.unwrap();
    drop(rolled_back);
    world.producer.db().tenant(merchant(1)).await.unwrap().commit().await.unwrap();
    assert!(!woken().await, "nothing was told");

    let mut job = world.producer.db().system("test").await.unwrap();
    let tenant = job.become_tenant(merchant(1)).await.unwrap();
    append(tenant, &[world.fact("ord_a", 3)]).await.unwrap();
    job.become_job().await.unwrap();
    job.commit().await.unwrap();
    assert!(woken().await, "a handler told an event");
}
