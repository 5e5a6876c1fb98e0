//! The broker dies, loses everything, brings messages twice, and brings what nobody of us published.

use std::time::Duration;

use async_nats::jetstream;
use siyu_events::Consumer;
use siyu_runtime::Policy;

use crate::support::{Recorder, Transport, World};

async fn running(world: &World) -> Consumer {
    world.sequence();
    let consumer = world.consume(&Recorder::default()).await;
    let task = consumer.clone();
    world.tasks.spawn("consumer", Policy::Shutdown, move |cancel| task.clone().run(cancel));
    consumer
}

async fn drained(world: &World, consumer: &Consumer) {
    let head = world.log.stamp_all().await.unwrap();
    let limit = Duration::from_mins(1);
    tokio::time::timeout(limit, consumer.drained(head)).await.expect("it comes through").unwrap();
}

async fn tell(world: &World, numbers: std::ops::Range<i64>) {
    for n in numbers {
        world.tell(1, &[("ord_a", n), ("ord_b", n)]).await;
    }
}

/// How many messages the stream holds.
async fn messages(world: &World) -> u64 {
    let client = world.broker.as_ref().unwrap().client().await;
    let mut stream = jetstream::new(client).get_stream("siyu-order").await.unwrap();
    stream.info().await.unwrap().state.messages
}

#[tokio::test]
async fn a_broker_that_loses_everything_is_healed_from_the_log() {
    let world = World::new(Transport::Nats).await;
    let consumer = running(&world).await;
    tell(&world, 0..50).await;
    drained(&world, &consumer).await;
    let broker = world.broker.as_ref().unwrap();
    broker.kill();
    // While it is away, the log is read.
    tell(&world, 50..100).await;
    drained(&world, &consumer).await;
    broker.start_empty();
    tell(&world, 100..150).await;
    drained(&world, &consumer).await;
    tell(&world, 150..200).await;
    drained(&world, &consumer).await;
    world.assert_exactly_once().await;
    assert!(world.tasks.running().len() >= 3, "{:?}", world.tasks.running());
}

#[tokio::test]
async fn a_broker_that_comes_back_is_used_again() {
    let world = World::new(Transport::Nats).await;
    let consumer = running(&world).await;
    tell(&world, 0..10).await;
    drained(&world, &consumer).await;
    let broker = world.broker.as_ref().unwrap();
    broker.kill();
    tell(&world, 10..20).await;
    drained(&world, &consumer).await;
    broker.start_empty();
    let before = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let client = broker.client().await;
            if jetstream::new(client).get_stream("siyu-order").await.is_ok() {
                break messages(&world).await;
            }
        }
    });
    before.await.expect("the publisher makes the stream again");
    tell(&world, 20..30).await;
    drained(&world, &consumer).await;
    assert!(messages(&world).await > 0, "the publisher publishes again");
    world.assert_exactly_once().await;
}

#[tokio::test]
async fn messages_of_others_and_repeated_ones_change_nothing() {
    let world = World::new(Transport::Nats).await;
    let consumer = running(&world).await;
    tell(&world, 0..20).await;
    drained(&world, &consumer).await;
    // Every message of the stream once more, backwards, and something else in between.
    let client = world.broker.as_ref().unwrap().client().await;
    let context = jetstream::new(client);
    let mut stream = context.get_stream("siyu-order").await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    for sequence in (state.first_sequence..=state.last_sequence).rev() {
        let message = stream.get_raw_message(sequence).await.unwrap();
        for payload in [message.payload, b"\xffnonsense".as_slice().into()] {
            context.publish("siyu.events.order", payload).await.unwrap().await.unwrap();
        }
    }
    tell(&world, 20..40).await;
    drained(&world, &consumer).await;
    world.assert_exactly_once().await;
}

#[tokio::test]
async fn a_publisher_that_starts_again_publishes_nothing_twice() {
    let world = World::new(Transport::Nats).await;
    tell(&world, 0..10).await;
    let head = world.log.stamp_all().await.unwrap();
    let consumer = world.consume(&Recorder::default()).await;
    consumer.run_until(head).await.unwrap();
    // Its cursor was not saved: it publishes the same run, and the broker knows its id.
    let published = tokio::time::timeout(Duration::from_secs(20), async {
        while messages(&world).await == 0 {
            siyu_runtime::pause(Duration::from_millis(5)).await;
        }
        messages(&world).await
    });
    let published = published.await.expect("it publishes");
    let mut owner = world.producer.owner().await;
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'siyu job publisher' and datname = current_database()";
    sqlx::query("update event_cursors set position = 0 where consumer = 'nats'")
        .execute(&mut owner)
        .await
        .unwrap();
    sqlx::query(kill).execute(&mut owner).await.unwrap();
    let saved = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let position: i64 =
                sqlx::query_scalar("select position from event_cursors where consumer = 'nats'")
                    .fetch_one(&mut owner)
                    .await
                    .unwrap();
            if position == head {
                break;
            }
        }
    });
    saved.await.expect("it starts again");
    assert_eq!(messages(&world).await, published);
}
