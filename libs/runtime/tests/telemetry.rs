//! Telemetry against a collector that takes connections and never answers. One test: telemetry is started once a process.
#![expect(clippy::disallowed_methods, reason = "the test stops telemetry while it looks on")]

use std::time::{Duration, Instant};

use siyu_runtime::telemetry::{Error, Settings, init};
use tokio::{io::AsyncReadExt, net::TcpListener};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_go_to_the_collector_and_a_silent_one_does_not_hold_up_the_stop() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = collector.local_addr().unwrap();
    let settings = Settings { otlp_endpoint: format!("http://{address}"), ..Settings::default() };
    let telemetry = init(&settings, "siyu-test", "1").unwrap();
    assert!(matches!(init(&Settings::default(), "siyu-test", "2"), Err(Error::Twice(_))));
    let bad = Settings { filter: "siyu=loudly".to_owned(), ..Settings::default() };
    assert!(matches!(init(&bad, "siyu-test", "3"), Err(Error::Filter(_))));

    tracing::info_span!(target: "siyu_test", "work").in_scope(|| ());
    let limit = Duration::from_secs(1);
    let started = Instant::now();
    let stop = tokio::spawn(telemetry.shutdown(limit));
    let (mut exporter, _) = collector.accept().await.unwrap();
    let mut preface = [0; 14];
    exporter.read_exact(&mut preface).await.unwrap();
    assert_eq!(&preface, b"PRI * HTTP/2.0");
    stop.await.unwrap();
    assert!(started.elapsed() < limit * 4, "{:?}", started.elapsed());
}
