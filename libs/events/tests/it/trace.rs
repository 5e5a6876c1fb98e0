//! One trace from the request that caused a fact to what a consumer makes of it.

use std::sync::Arc;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use siyu_events::{Consumer, Event, Handler, HandlerError, Log, NewEvent, Subscription, append};
use siyu_pg::Tx;
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{Counted, Transport, World};

/// Tells a fact of its own for every call.
struct Teller(NewEvent);

#[tonic::async_trait]
impl Handler for Teller {
    async fn handle(&self, tx: &mut Tx, _: &[&Event]) -> Result<(), HandlerError> {
        Ok(append(tx, std::slice::from_ref(&self.0)).await?)
    }
}

#[tokio::test]
async fn a_fact_that_a_consumer_tells_belongs_to_the_trace_of_the_one_that_caused_it() {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // For the whole process: with one for this thread alone, spans that other threads saw first would stay disabled.
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");

    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1)]).instrument(tracing::info_span!("request")).await;
    let head = world.log.stamp_all().await.unwrap();
    let cause = world.log.read(0, 1).await.unwrap().events[0].trace_parent.clone();
    let [version, trace, span, _] = cause.split('-').collect::<Vec<_>>()[..] else {
        panic!("{cause:?} is no trace context")
    };
    assert_eq!((version, trace.len(), span.len()), ("00", 32, 16), "{cause}");

    let handler = Arc::new(Teller(world.fact("cms_a", 2)));
    let subscription = Subscription::new("distribution", "order", handler).on::<Counted>();
    let db = world.consumer.db().clone();
    let consumer = Consumer::new(db.clone(), subscription, world.source().await);
    consumer.run_until(head).await.unwrap();
    let told = Log::new(db, "distribution");
    told.stamp_all().await.unwrap();
    let effect = told.read(0, 1).await.unwrap().events[0].trace_parent.clone();
    assert!(effect.contains(trace) && !effect.contains(span), "{cause} caused {effect}");
}
