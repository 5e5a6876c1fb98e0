//! From commit to consumer: facts are appended in batches and counted where they arrive, over each transport.

use std::{env, fs, net::TcpListener, path::PathBuf, process::Command, sync::Arc, time::Duration};

use siyu::host::services::Service;
use siyu_events::{
    CancellationToken, Consumer, Event, Handler, HandlerError, Log, NatsPublisher, NatsSettings,
    NatsSource, NewEvent, Pull, Source, Subscription,
};
use siyu_grpc::{Assertions, Peer, Server, Settings, Upstream};
use siyu_kernel::Ids as _;
use siyu_pg::Tx;
use siyu_proto::{
    event::v1::{
        event_log_service_client::EventLogServiceClient,
        event_log_service_server::EventLogServiceServer,
    },
    member::v1::PersonCreated,
};
use siyu_runtime::{Readiness, SystemClock, SystemIds, random_bytes};
use tonic::async_trait;

use crate::{
    Bench, Result,
    measure::{Row, Speed, timed},
};

const EVENTS: usize = 50_000;
const BATCH: usize = 500;

struct Count;

#[async_trait]
impl Handler for Count {
    async fn handle(&self, _: &mut Tx, _: &[&Event]) -> std::result::Result<(), HandlerError> {
        Ok(())
    }
}

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let log = Log::new(bench.suite.db(Service::Distribution).clone(), "distribution");
    let pulled = measure(bench, &log, "bench-pull", pull(&log)?).await?;
    let mut rows = vec![row("events, commit to consumer, pulled", pulled)];
    let Some(program) = nats_server() else {
        return Ok(rows);
    };
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let store = env::temp_dir().join(format!("siyu-bench-nats-{}", std::process::id()));
    let mut broker = Command::new(program)
        .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
        .arg(&store)
        .stderr(std::process::Stdio::null())
        .spawn()?;
    let pushed = over_nats(bench, &log, port).await;
    broker.kill()?;
    broker.wait()?;
    fs::remove_dir_all(&store)?;
    rows.push(row("events, commit to consumer, JetStream", pushed?));
    Ok(rows)
}

async fn over_nats(bench: &Bench, log: &Log, port: u16) -> Result<Speed> {
    let url = format!("nats://127.0.0.1:{port}");
    let publisher = siyu_events::nats::connect(&url, "bench-publisher").await?;
    let client = siyu_events::nats::connect(&url, "bench-consumer").await?;
    let stop = CancellationToken::new();
    let publishing =
        NatsPublisher::new(log.clone(), publisher, NatsSettings::default()).run(stop.clone());
    let publishing = tokio::spawn(publishing);
    let source = NatsSource::new(client, "bench-nats", "distribution", pull(log)?);
    let speed = measure(bench, log, "bench-nats", Box::new(source)).await;
    stop.cancel();
    publishing.await??;
    speed
}

fn row(name: &str, speed: Speed) -> Row {
    Row {
        name: name.to_owned(),
        value: format!("{:.0} events/s", speed.per_second),
        limit: String::new(),
        ratio: None,
        aim: "≥ 20,000/s",
        cpu_ms: Some(speed.cpu_ms),
        limit_cpu_ms: None,
    }
}

fn pull(log: &Log) -> Result<Box<dyn Source>> {
    let assertions = Arc::new(Assertions::new(&random_bytes::<32>())?);
    let clock = Arc::new(SystemClock);
    let server =
        Server::new(Settings::default(), assertions.clone(), clock.clone(), Readiness::new());
    let app = server.service(EventLogServiceServer::new(log.service())).build()?;
    let peer = Peer::new(Upstream::in_process(app), "bench", assertions, clock);
    let client = EventLogServiceClient::new(peer.as_service(None).timeout(Duration::from_secs(40)));
    Ok(Box::new(Pull::new(client)))
}

/// Appends while the consumer runs; ends when it has seen the last one.
async fn measure(
    bench: &Bench,
    log: &Log,
    name: &'static str,
    source: Box<dyn Source>,
) -> Result<Speed> {
    let db = bench.suite.db(Service::Distribution).clone();
    let subscription = Subscription::new(name, "distribution", Arc::new(Count)).all();
    let consumer = Consumer::new(db.clone(), subscription, source);
    consumer.reset(log.stamp_all().await?).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.clone().run(stop.clone()));
    let merchant = bench.merchant_id.parse()?;
    let speed = timed(bench.suite.postgres_pid(), EVENTS, async {
        for _ in 0..EVENTS / BATCH {
            let fact = PersonCreated { person_id: "per_1".into() };
            let event = || NewEvent::of(SystemIds.uuid(), &"per_1", chrono::Utc::now(), &fact);
            let events: Vec<NewEvent> = (0..BATCH).map(|_| event()).collect();
            let mut tx = db.tenant(merchant).await?;
            siyu_events::append(&mut tx, &events).await?;
            tx.commit().await?;
        }
        consumer.drained(log.stamp_all().await?).await?;
        Ok::<(), Box<dyn std::error::Error>>(())
    })
    .await?;
    stop.cancel();
    running.await??;
    Ok(speed)
}

fn nats_server() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin/nats-server");
    let named = env::var_os("SIYU_NATS_SERVER").map(PathBuf::from);
    named.into_iter().chain([root]).find(|path| path.exists())
}
