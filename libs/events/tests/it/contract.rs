//! What every transport holds: effects exactly once, in order, of the right merchant, whatever happens on the way.

use std::{sync::Arc, time::Duration};

use siyu_events::{ConsumeError, Event, Handler, HandlerError, ParkedFilter, Subscription};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_runtime::Policy;
use siyu_testkit::merchant;

use crate::{
    support::{Act, Counted, Recorder, Transport, World},
    unruly::Unruly,
};

macro_rules! contract {
    ($($name:ident)*) => {
        mod pull { $(#[tokio::test] async fn $name() { super::$name(super::Transport::Pull).await; })* }
        mod nats { $(#[tokio::test] async fn $name() { super::$name(super::Transport::Nats).await; })* }
    };
}

contract! {
    every_event_has_its_effects_once_and_in_order
    events_that_come_double_late_and_out_of_order_have_their_effects_once
    a_connection_cut_between_effect_and_cursor_leaves_neither
    an_event_that_fails_for_a_while_keeps_its_place
    a_poisoned_event_is_parked_and_holds_up_its_subject_only
    a_panic_is_an_error_of_its_event
    an_outage_parks_nothing
    a_handler_sees_the_rows_of_its_merchant_only
    two_processes_share_the_work_of_one_consumer
    other_types_are_passed_over
    databases_that_drop_their_connections_again_and_again_lose_nothing
}

/// Tells `rounds` times a fact about each of three subjects of each of two merchants.
async fn tell_many(world: &World, rounds: i64) {
    for n in 1..=rounds {
        for who in 1..=2 {
            world.tell(who, &[("ord_a", n), ("ord_b", n), ("ord_c", n)]).await;
        }
    }
}

async fn every_event_has_its_effects_once_and_in_order(transport: Transport) {
    let world = World::new(transport).await;
    tell_many(&world, 100).await;
    let consumer = world.consume(&Recorder::default()).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    tell_many(&world, 0).await;
    world.tell(1, &[("ord_a", 1000)]).await;
    let head = world.log.stamp_all().await.unwrap();
    consumer.run_until(head).await.unwrap();
    assert_eq!((head, consumer.position().await.unwrap()), (601, 601));
    assert_eq!(consumer.progress().lag(), 0);
    world.assert_exactly_once().await;
}

async fn events_that_come_double_late_and_out_of_order_have_their_effects_once(
    transport: Transport,
) {
    let world = World::new(transport).await;
    for seed in 0..4 {
        let first = i64::try_from(seed).unwrap() * 100;
        for n in first..first + 20 {
            world.tell(1, &[("ord_a", n), ("ord_b", n)]).await;
            world.tell(2, &[("ord_a", n)]).await;
        }
        let head = world.log.stamp_all().await.unwrap();
        let source = Unruly::new(world.source().await, seed);
        let consumer = world.consume_from(&Recorder::default(), Box::new(source));
        while let Err(error) = consumer.run_until(head).await {
            assert!(matches!(error, ConsumeError::Source(_)), "{error:?}");
        }
    }
    world.assert_exactly_once().await;
}

async fn a_connection_cut_between_effect_and_cursor_leaves_neither(transport: Transport) {
    let world = World::new(transport).await;
    tell_many(&world, 3).await;
    let recorder = Recorder::default();
    recorder.act(2, Act::CutConnection);
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    world.assert_exactly_once().await;
    assert_eq!(consumer.count_parked().await.unwrap(), 0);
}

async fn an_event_that_fails_for_a_while_keeps_its_place(transport: Transport) {
    let world = World::new(transport).await;
    tell_many(&world, 5).await;
    let recorder = Recorder::default();
    // Once in the batch, twice alone: the third try alone is the last one allowed.
    recorder.act(3, Act::Retry(3));
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    world.assert_exactly_once().await;
    assert_eq!(consumer.count_parked().await.unwrap(), 0);
}

async fn a_poisoned_event_is_parked_and_holds_up_its_subject_only(transport: Transport) {
    let world = World::new(transport).await;
    world.tell(1, &[("ord_a", 1), ("ord_b", 2), ("ord_a", 3), ("ord_b", 4)]).await;
    world.tell(2, &[("ord_a", 5)]).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Park);
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    let done = |effects: Vec<crate::support::Effect>| -> Vec<i64> {
        effects.iter().map(|effect| effect.n).collect()
    };
    assert_eq!(done(world.effects().await), [2, 4, 5]);
    // What comes later about the subject waits behind it, also after the parked event's batch.
    world.tell(1, &[("ord_a", 6), ("ord_b", 7)]).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(done(world.effects().await), [2, 4, 5, 7]);
    let parked = consumer.parked(&ParkedFilter::default(), 0, 10).await.unwrap();
    let seen: Vec<_> = parked.iter().map(|p| (p.position, p.behind, p.attempts)).collect();
    assert_eq!(seen, [(1, None, 1), (3, Some(1), 0), (6, Some(1), 0)]);
    assert!(parked[0].error.contains("1 is poison"), "{:?}", parked[0]);

    recorder.mend();
    let replayed = consumer.replay_parked(&ParkedFilter::default()).await.unwrap();
    assert_eq!((replayed.done, replayed.failed), (3, 0));
    assert_eq!(done(world.effects().await), [2, 4, 5, 7, 1, 3, 6]);
    world.assert_exactly_once().await;
}

async fn a_panic_is_an_error_of_its_event(transport: Transport) {
    let world = World::new(transport).await;
    world.tell(1, &[("ord_a", 1), ("ord_b", 2)]).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Panic);
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    let parked = consumer.parked(&ParkedFilter::default(), 0, 10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert!(parked[0].error.contains("panicked: 1 is a bug"), "{}", parked[0].error);
    assert_eq!(parked[0].attempts, 3);
    assert_eq!(world.effects().await.len(), 1);
}

async fn an_outage_parks_nothing(transport: Transport) {
    let world = World::new(transport).await;
    tell_many(&world, 2).await;
    let recorder = Recorder::default();
    recorder.act(2, Act::Unavailable(2));
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(consumer.count_parked().await.unwrap(), 0);
    world.assert_exactly_once().await;
}

/// Counts the merchants that it can see, and tries to write for another one.
struct Spy;

#[tonic::async_trait]
impl Handler for Spy {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let insert =
            "insert into effects (merchant_id, event_id, subject, n) values ($1, $2, '', 0)";
        sqlx::query(insert).bind(tx.merchant()).bind(events[0].id).execute(&mut **tx).await?;
        let visible: Vec<Id<Merchant>> =
            sqlx::query_scalar("select distinct merchant_id from effects")
                .fetch_all(&mut **tx)
                .await?;
        if visible != [tx.merchant()] {
            return Err(HandlerError::park(format!("sees {visible:?}")));
        }
        let role: String = sqlx::query_scalar("select current_user").fetch_one(&mut **tx).await?;
        if role != "siyu_app" {
            return Err(HandlerError::park(format!("acts as {role}")));
        }
        if events[0].decode::<Counted>()?.is_some_and(|fact| fact.n == 13) {
            let foreign = sqlx::query(insert).bind(merchant(99)).bind(events[0].id);
            foreign.execute(&mut **tx).await?;
        }
        Ok(())
    }
}

async fn a_handler_sees_the_rows_of_its_merchant_only(transport: Transport) {
    let world = World::new(transport).await;
    tell_many(&world, 2).await;
    world.tell(3, &[("ord_a", 13)]).await;
    let subscription = Subscription::new("distribution", "order", Arc::new(Spy)).on::<Counted>();
    let subscription = subscription.retries(crate::support::QUICK);
    let db = world.consumer.db().clone();
    let consumer = siyu_events::Consumer::new(db, subscription, world.source().await);
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    let parked = consumer.parked(&ParkedFilter::default(), 0, 10).await.unwrap();
    let errors: Vec<_> = parked.iter().map(|p| (p.merchant, p.error.as_str())).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].0, merchant(3));
    assert!(errors[0].1.contains("row-level security"), "{errors:?}");
}

async fn two_processes_share_the_work_of_one_consumer(transport: Transport) {
    let world = World::new(transport).await;
    world.sequence();
    let recorder = Recorder::default();
    let first = world.consume(&recorder).await;
    for name in ["first", "second"] {
        let consumer = if name == "first" { first.clone() } else { world.consume(&recorder).await };
        world.tasks.spawn(name, Policy::Shutdown, move |cancel| consumer.clone().run(cancel));
    }
    tell_many(&world, 60).await;
    let head = world.log.stamp_all().await.unwrap();
    tokio::time::timeout(Duration::from_mins(1), first.drained(head)).await.unwrap().unwrap();
    world.assert_exactly_once().await;
    assert_eq!(world.tasks.shutdown(Duration::from_secs(5)).await.aborted, Vec::<String>::new());
}

async fn other_types_are_passed_over(transport: Transport) {
    let world = World::new(transport).await;
    world.tell(1, &[("ord_a", 1)]).await;
    let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
    let other =
        siyu_events::NewEvent { type_name: "siyu.test.v1.Other".into(), ..world.fact("x", 2) };
    siyu_events::append(&mut tx, &[other]).await.unwrap();
    tx.commit().await.unwrap();
    let recorder = Recorder::default();
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(consumer.position().await.unwrap(), 2);
    assert_eq!(*recorder.calls.lock().unwrap(), [vec![1]]);
}

async fn databases_that_drop_their_connections_again_and_again_lose_nothing(transport: Transport) {
    let world = World::new(transport).await;
    world.sequence();
    let consumer = world.consume(&Recorder::default()).await;
    let task = consumer.clone();
    world.tasks.spawn("consumer", Policy::Shutdown, move |cancel| task.clone().run(cancel));
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    let (mut one, mut other) = (world.producer.owner().await, world.consumer.owner().await);
    for n in 0..40 {
        // A request that meets a cut connection fails, and nobody repeats it here; its event is told or not, never half.
        let mut tx = world.producer.db().tenant(merchant(1)).await.unwrap();
        let facts = [world.fact("ord_a", 2 * n), world.fact("ord_a", 2 * n + 1)];
        if siyu_events::append(&mut tx, &facts).await.is_ok() {
            let _ = tx.commit().await;
        }
        if n % 4 == 0 {
            sqlx::query(cut).execute(&mut one).await.unwrap();
            sqlx::query(cut).execute(&mut other).await.unwrap();
        }
    }
    let head = world.log.stamp_all().await.unwrap();
    let limit = Duration::from_mins(1);
    while tokio::time::timeout(limit, consumer.drained(head)).await.expect("it goes on").is_err() {}
    assert!(head >= 60, "most were told: {head}");
    world.assert_exactly_once().await;
}
