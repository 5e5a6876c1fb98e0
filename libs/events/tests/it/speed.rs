//! How fast it is: `cargo test -p siyu-events -- --ignored --nocapture speed`. Figures hold for the machine, its load and
//! the profile they were taken with; nothing is asserted.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use siyu_events::{Consumer, Event, Handler, HandlerError, NewEvent, Subscription, append};
use siyu_pg::Tx;
use siyu_runtime::{Policy, pause};
use siyu_testkit::merchant;

use crate::support::{Counted, Transport, World};

/// Writes one row per event, in one statement per call, and notes when each event came.
#[derive(Clone, Default)]
struct Rows {
    came: Arc<Mutex<Vec<(i64, Instant)>>>,
}

#[tonic::async_trait]
impl Handler for Rows {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let now = Instant::now();
        self.came.lock().unwrap().extend(events.iter().map(|event| (event.position, now)));
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        sqlx::query(
            "insert into effects (merchant_id, event_id, subject, n)
            select $1, id, 's', 0 from unnest($2::uuid[]) as id",
        )
        .bind(tx.merchant())
        .bind(ids)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

async fn consumer(world: &World, handler: &Rows) -> Consumer {
    let subscription = Subscription::new("distribution", "order", Arc::new(handler.clone()));
    let db = world.consumer.db().clone();
    Consumer::new(db, subscription.on::<Counted>(), world.source().await)
}

async fn throughput(transport: Transport) {
    const EVENTS: i64 = 50_000;
    let world = World::new(transport).await;
    let start = Instant::now();
    for batch in 0..EVENTS / 100 {
        let who = u32::try_from(batch % 10).unwrap() + 1;
        let mut tx = world.producer.db().tenant(merchant(who)).await.unwrap();
        let facts: Vec<NewEvent> =
            (0..100).map(|n| world.fact("ord_01hzzzzzzzzzzzzzzzzzzzzzzz", n)).collect();
        append(&mut tx, &facts).await.unwrap();
        tx.commit().await.unwrap();
    }
    let appended = start.elapsed();
    let start = Instant::now();
    let head = world.log.stamp_all().await.unwrap();
    let stamped = start.elapsed();
    if transport == Transport::Nats {
        let start = Instant::now();
        let mut owner = world.producer.owner().await;
        let sql = "select position from event_cursors where consumer = 'nats'";
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut owner).await.unwrap() < head {
            pause(Duration::from_millis(5)).await;
        }
        println!("{transport:?}: published {}/s", rate(EVENTS, start.elapsed()));
    }
    let start = Instant::now();
    consumer(&world, &Rows::default()).await.run_until(head).await.unwrap();
    let consumed = start.elapsed();
    println!(
        "{transport:?}: appended {}/s, stamped {}/s, consumed {}/s",
        rate(EVENTS, appended),
        rate(EVENTS, stamped),
        rate(EVENTS, consumed),
    );
}

fn rate(events: i64, time: Duration) -> i64 {
    events * 1_000_000 / i64::try_from(time.as_micros()).unwrap()
}

/// From before the commit of an event to the call of its handler, with everything running as in a service.
async fn latency(transport: Transport, gap: Duration) {
    let world = World::new(transport).await;
    world.sequence();
    let handler = Rows::default();
    let consumer = consumer(&world, &handler).await;
    let task = consumer.clone();
    world.tasks.spawn("consumer", Policy::Shutdown, move |cancel| task.clone().run(cancel));
    let mut told = Vec::new();
    for n in 0..220 {
        told.push(Instant::now());
        world.tell(1, &[("ord_a", n)]).await;
        pause(gap).await;
    }
    consumer.drained(220).await.unwrap();
    let came = handler.came.lock().unwrap().clone();
    let mut times: Vec<u128> = came
        .iter()
        .skip(20)
        .map(|(position, at)| {
            let index = usize::try_from(position - 1).unwrap();
            (*at - told[index]).as_micros()
        })
        .collect();
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    println!("{transport:?}, {gap:?} apart: p50 {} µs, p99 {} µs", at(50), at(99));
}

/// What this process costs when nothing happens; PostgreSQL's and the broker's part are not in it.
async fn idle(transport: Transport) {
    const SECONDS: u64 = 5;
    let world = World::new(transport).await;
    world.sequence();
    let consumer = consumer(&world, &Rows::default()).await;
    world.tasks.spawn("consumer", Policy::Shutdown, move |cancel| consumer.clone().run(cancel));
    pause(Duration::from_secs(2)).await;
    let before = cpu_ticks();
    pause(Duration::from_secs(SECONDS)).await;
    // A tick is 10 ms.
    println!("{transport:?}: idle {} ms of CPU a second", (cpu_ticks() - before) * 10 / SECONDS);
}

fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
#[ignore = "a measurement"]
async fn speed() {
    for transport in [Transport::Pull, Transport::Nats] {
        idle(transport).await;
        throughput(transport).await;
        latency(transport, Duration::from_millis(5)).await;
        latency(transport, Duration::from_millis(60)).await;
    }
}
