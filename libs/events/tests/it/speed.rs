//! How fast it is. Run with `--ignored --nocapture`; the figures hold for the machine and the profile they were taken with.
use crate::support::{Recorder, Transport, World};
#[tokio::test]
#[ignore = "debug"]
async fn timeline() {
    tracing_subscriber::fmt().with_env_filter("siyu=debug,async_nats=debug").init();
    tracing::info!(target: "siyu", "start");
    let world = World::new(Transport::Nats).await;
    tracing::info!(target: "siyu", "world");
    for n in 0..5 { world.tell(1, &[("ord_a", n)]).await; }
    tracing::info!(target: "siyu", "told");
    let consumer = world.consume(&Recorder::default()).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    tracing::info!(target: "siyu", "done");
    for n in 5..10 { world.tell(1, &[("ord_a", n)]).await; }
    let head = world.log.stamp_all().await.unwrap();
    tracing::info!(target: "siyu", "told");
    consumer.run_until(head).await.unwrap();
    tracing::info!(target: "siyu", "done");
}
