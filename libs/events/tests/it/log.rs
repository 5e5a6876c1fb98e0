//! Appending, reading, waiting, pruning; and who may do what with the tables.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use prost::Name;
use siyu_events::{Cursor, NewEvent, SYSTEM_TABLES, append, limits};
use siyu_pg::catalogue;
use siyu_testkit::{Database, merchant};

use crate::support::{Counted, SCHEMA, Transport, World};

#[tokio::test]
async fn the_schema_keeps_the_rules_of_tenancy() {
    let database = Database::fresh(SCHEMA).await;
    let found = catalogue::violations(&mut database.owner().await, SYSTEM_TABLES).await.unwrap();
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_can_append_for_its_merchant_and_do_nothing_else_with_the_log() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1)]).await;
    for forbidden in [
        "select * from event_log",
        "update event_log set subject = 'x'",
        "delete from event_log",
        "update event_heads set position = 7",
        "delete from event_cursors",
        "delete from event_parked",
        "insert into event_log (event_id, merchant_id, type, subject, occurred_at, data)
            values (gen_random_uuid(), gen_random_uuid(), 't', 's', now(), '')",
    ] {
        let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
        let refused = sqlx::query(forbidden).execute(&mut *tx).await.unwrap_err();
        let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {refused}");
    }
}

#[tokio::test]
async fn an_event_reads_back_as_it_was_told() {
    let world = World::new(Transport::Pull).await;
    let fact = world.fact("ord_a", 7);
    let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
    append(&mut tx, std::slice::from_ref(&fact)).await.unwrap();
    tx.commit().await.unwrap();
    world.log.stamp_all().await.unwrap();
    let run = world.source().await.fetch(&Cursor::default(), 10, Duration::ZERO).await.unwrap();
    assert_eq!(run.head, 1);
    let event = &run.events[0];
    assert_eq!((event.id, event.merchant, event.position), (fact.id, merchant(1), 1));
    assert_eq!((&*event.source, &*event.subject), ("order", "ord_a"));
    assert_eq!((&*event.type_name, event.occurred_at), (&*Counted::full_name(), world.now()));
    assert_eq!(event.decode::<Counted>().unwrap(), Some(Counted { n: 7 }));
}

#[tokio::test]
async fn a_payload_above_the_bound_is_refused_and_the_largest_run_fits_an_answer() {
    let world = World::new(Transport::Pull).await;
    let heavy = |bytes: usize| NewEvent { data: vec![1; bytes].into(), ..world.fact("ord_a", 1) };
    let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
    let error = append(&mut tx, &[heavy(limits::MAX_DATA_BYTES + 1)]).await.unwrap_err();
    let siyu_pg::Error::Constraint { name, .. } = error else { panic!("{error:?}") };
    assert_eq!(name, "event_log_data_check");

    let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
    let facts: Vec<NewEvent> = (0..30).map(|_| heavy(limits::MAX_DATA_BYTES)).collect();
    append(&mut tx, &facts).await.unwrap();
    tx.commit().await.unwrap();
    world.log.stamp_all().await.unwrap();
    let mut source = world.source().await;
    let mut after = 0;
    let mut answers = 0;
    while after < 30 {
        let run = source.reread(after, 5000).await.unwrap();
        let weight: usize = run.events.iter().map(|event| event.data.len()).sum();
        assert!(weight <= usize::try_from(limits::MAX_READ_BYTES).unwrap(), "{weight}");
        after = run.events.last().expect("the first event always fits").position;
        answers += 1;
    }
    assert_eq!(answers, 3);
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_the_event() {
    let world = World::new(Transport::Pull).await;
    world.sequence();
    let mut source = world.source().await;
    let wait = Duration::from_secs(20);
    let start = Instant::now();
    let cursor = Cursor::default();
    let (run, ()) = tokio::join!(source.fetch(&cursor, 10, wait), world.tell(1, &[("ord_a", 1)]));
    assert_eq!(run.unwrap().events.len(), 1);
    assert!(start.elapsed() < wait / 2, "{:?}", start.elapsed());
    let empty = source.reread(1, 10).await.unwrap();
    assert_eq!((empty.events.len(), empty.head), (0, 1));
}

#[tokio::test]
async fn pruning_takes_the_oldest_events_only() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1), ("ord_a", 2)]).await;
    let noon = world.clock().advance(TimeDelta::hours(12));
    world.tell(1, &[("ord_a", 3)]).await;
    // Imported: it became true long ago. It stays, for a hole would stop every reader.
    world.clock().advance(TimeDelta::days(-30));
    world.tell(1, &[("ord_a", 4)]).await;
    world.log.stamp_all().await.unwrap();
    assert_eq!(world.log.prune(noon).await.unwrap(), 2);
    assert_eq!(world.log.prune(noon).await.unwrap(), 0);
    let kept: Vec<i64> =
        world.log.read(0, 10).await.unwrap().events.iter().map(|e| e.position).collect();
    assert_eq!(kept, [3, 4]);
    // Positions go on where they were, even when nothing is left.
    assert_eq!(world.log.prune(noon + TimeDelta::days(1)).await.unwrap(), 2);
    world.tell(1, &[("ord_a", 5)]).await;
    assert_eq!(world.log.stamp_all().await.unwrap(), 5);
}
