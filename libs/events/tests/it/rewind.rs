//! A log that lost events: pruned before they were handled, or restored from a backup.

use std::time::Duration;

use chrono::TimeDelta;
use siyu_events::{ConsumeError, Cursor, Run, Source, SourceError};
use tokio::sync::oneshot;

use crate::support::{Recorder, Transport, World};

/// What a restore of the producer's database leaves: the log as it was at `position`.
async fn restore(world: &World, position: i64) {
    let mut owner = world.producer.owner().await;
    let delete = sqlx::query("delete from event_log where position > $1").bind(position);
    delete.execute(&mut owner).await.unwrap();
    for table in ["update event_heads", "update event_cursors"] {
        let sql = sqlx::AssertSqlSafe(format!("{table} set position = least(position, $1)"));
        sqlx::query(sql).bind(position).execute(&mut owner).await.unwrap();
    }
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query(cut).execute(&mut owner).await.unwrap();
}

/// Returns when the publisher has brought everything up to a position to the broker.
async fn published(world: &World, position: i64) {
    let mut owner = world.producer.owner().await;
    let sql = "select position from event_cursors where consumer = 'nats'";
    let reached = async {
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut owner).await.unwrap() < position {}
    };
    tokio::time::timeout(Duration::from_secs(30), reached).await.expect("it publishes");
}

#[tokio::test]
async fn a_log_that_was_restored_stops_its_consumers_until_someone_decides() {
    for transport in [Transport::Pull, Transport::Nats] {
        let world = World::new(transport).await;
        world.tell(1, &[("ord_a", 1), ("ord_a", 2), ("ord_a", 3)]).await;
        let head = world.log.stamp_all().await.unwrap();
        world.consume(&Recorder::default()).await.run_until(head).await.unwrap();
        restore(&world, 1).await;

        // The log is shorter than the cursor.
        let consumer = world.consume(&Recorder::default()).await;
        let error = consumer.run_until(4).await.unwrap_err();
        assert!(matches!(error, ConsumeError::Rewound { position: 3, .. }), "{error:?}");

        // The log has other events at positions that were handled.
        world.tell(1, &[("ord_a", 4), ("ord_a", 5), ("ord_a", 6), ("ord_a", 7)]).await;
        let head = world.log.stamp_all().await.unwrap();
        let error = consumer.run_until(head).await.unwrap_err();
        assert!(matches!(error, ConsumeError::Rewound { position: 3, .. }), "{error:?}");
        let numbers = |effects: Vec<crate::support::Effect>| -> Vec<i64> {
            effects.iter().map(|effect| effect.n).collect()
        };
        assert_eq!(numbers(world.effects().await), [1, 2, 3]);

        if transport == Transport::Nats {
            // The publisher empties the stream, which holds events that are no more, and publishes the new ones.
            published(&world, head).await;
        }
        consumer.reset(1).await.unwrap();
        consumer.run_until(head).await.unwrap();
        assert_eq!(numbers(world.effects().await), [1, 2, 3, 4, 5, 6, 7]);
    }
}

#[tokio::test]
async fn a_consumer_that_is_behind_a_pruned_log_stops_and_a_new_one_starts_where_the_log_starts() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1)]).await;
    let behind = world.consume(&Recorder::default()).await;
    behind.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    world.tell(1, &[("ord_a", 2)]).await;
    let later = world.clock().advance(TimeDelta::hours(1));
    world.log.stamp_all().await.unwrap();
    assert_eq!(world.log.prune(later).await.unwrap(), 2);
    let error = behind.run_until(2).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Pruned { position: 1, .. }), "{error:?}");
    world.tell(1, &[("ord_a", 3)]).await;
    let head = world.log.stamp_all().await.unwrap();
    let error = behind.run_until(head).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Pruned { position: 1, .. }), "{error:?}");

    behind.reset(0).await.unwrap();
    let fresh = world.consume(&Recorder::default()).await;
    fresh.run_until(head).await.unwrap();
    assert_eq!(world.effects().await.len(), 2);
}

/// A source that is slow to look into the log itself: it says that it was asked, and goes on when it is told to.
struct Slow {
    source: Box<dyn Source>,
    asked: Option<oneshot::Sender<()>>,
    go_on: Option<oneshot::Receiver<()>>,
}

#[tonic::async_trait]
impl Source for Slow {
    async fn fetch(&mut self, at: &Cursor, max: usize, wait: Duration) -> Result<Run, SourceError> {
        self.source.fetch(at, max, wait).await
    }

    async fn reread(&mut self, after: i64, max: usize) -> Result<Run, SourceError> {
        if let (Some(asked), Some(go_on)) = (self.asked.take(), self.go_on.take()) {
            asked.send(()).unwrap();
            go_on.await.unwrap();
        }
        self.source.reread(after, max).await
    }
}

#[tokio::test]
async fn of_two_processes_that_start_on_a_pruned_log_the_later_goes_on_where_the_other_is() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1), ("ord_a", 2)]).await;
    world.log.stamp_all().await.unwrap();
    assert_eq!(world.log.prune(world.clock().advance(TimeDelta::hours(1))).await.unwrap(), 2);
    world.tell(1, &[("ord_a", 3), ("ord_a", 4)]).await;
    let head = world.log.stamp_all().await.unwrap();

    let ((asked, was_asked), (free, go_on)) = (oneshot::channel(), oneshot::channel());
    let slow = Slow { source: world.source().await, asked: Some(asked), go_on: Some(go_on) };
    let late = world.consume_from(&Recorder::default(), Box::new(slow));
    let other = async {
        was_asked.await.unwrap();
        world.consume(&Recorder::default()).await.run_until(head).await.unwrap();
        free.send(()).unwrap();
    };
    // The late one has looked at the cursor before the other one moved it.
    tokio::join!(async { late.run_until(head).await.unwrap() }, other);
    world.tell(1, &[("ord_a", 5)]).await;
    late.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    let numbers: Vec<i64> = world.effects().await.iter().map(|effect| effect.n).collect();
    assert_eq!(numbers, [3, 4, 5]);
}

#[tokio::test]
async fn a_cursor_that_is_set_back_brings_events_again_though_nothing_new_comes() {
    for transport in [Transport::Pull, Transport::Nats] {
        let world = World::new(transport).await;
        world.tell(1, &[("ord_a", 1), ("ord_a", 2)]).await;
        let head = world.log.stamp_all().await.unwrap();
        let consumer = world.consume(&Recorder::default()).await;
        consumer.run_until(head).await.unwrap();
        consumer.reset(0).await.unwrap();
        consumer.run_until(head).await.unwrap();
        assert_eq!(world.effects().await.len(), 4);

        // Set by another process.
        world.consume(&Recorder::default()).await.reset(1).await.unwrap();
        consumer.run_until(head).await.unwrap();
        assert_eq!(world.effects().await.len(), 5);
    }
}

#[tokio::test]
async fn the_retention_keeps_what_a_reader_has_not_handled_however_old_it_is() {
    let world = World::new(Transport::Pull).await;
    let facts: Vec<(&str, i64)> = (1..=100).map(|n| ("ord_a", n)).collect();
    let batches = siyu_events::limits::READ_AHEAD / 100 + 30;
    for _ in 0..batches {
        world.tell(1, &facts).await;
    }
    let head = world.log.stamp_all().await.unwrap();
    let old = world.clock().advance(TimeDelta::days(400));
    let prune = async |readers: &[&str]| world.log.prune_read(old, readers).await.unwrap();
    assert_eq!(prune(&["distribution"]).await, 0, "it has not asked yet");
    let consumer = world.consume(&Recorder::default()).await;
    consumer.run_until(head).await.unwrap();
    assert_eq!(prune(&["distribution", "metrics"]).await, 0, "another one never asked");
    let pruned = i64::try_from(prune(&["distribution"]).await).unwrap();
    let most = head - siyu_events::limits::READ_AHEAD - 1;
    assert!((1..=most).contains(&pruned), "{pruned} of {head}");
    let again = world.consume(&Recorder::default()).await;
    again.run_until(head).await.unwrap();
    assert_eq!(world.effects().await.len(), usize::try_from(head).unwrap());
}
