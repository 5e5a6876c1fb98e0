//! More than a server can do: it refuses what it cannot do, at once, and says when to come back.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use futures::future::join_all;
use siyu_grpc::{Caller, Settings, limits, retry_after};
use siyu_proto::{
    event::v1::{ReadEventsRequest, event_log_service_client::EventLogServiceClient},
    member::v1::GetMerchantRequest,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::fixture::{Fixture, create, merchant, reason};

const WORK: Duration = Duration::from_millis(20);
const WAIT: Duration = Duration::from_millis(100);

fn small() -> Settings {
    let wait_millis = u64::try_from(WAIT.as_millis()).unwrap();
    Settings { in_flight_max: 10, waiting_max: 20, wait_millis, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_callers_of_ten_places_are_answered_in_time_and_the_rest_goes_on() {
    let fixture = Fixture::with(small());
    *fixture.probe.work.lock().unwrap() = WORK;
    for upstream in [fixture.local(), fixture.tcp().await] {
        let client =
            fixture.client(upstream.clone(), Caller::Merchant(merchant(1)), "merchants.read");
        let calls = (0..500).map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move {
                let started = Instant::now();
                let answer = client.get_merchant(GetMerchantRequest {}).await;
                (started.elapsed(), answer.map(|_| ()))
            })
        });
        let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        let done = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        // Those who found a place at once are done for certain; those who waited only if the machine is not busy.
        assert!((10..500).contains(&done), "ten at a time: {done}");
        for (time, answer) in &answers {
            // One wait and one piece of work, with much room for a busy machine; but no one waits for a deadline.
            assert!(*time < limits::PEER_TIMEOUT / 2, "{time:?}");
            let Err(refused) = answer else { continue };
            assert_eq!((refused.code(), &*reason(refused)), (Code::Unavailable, "OVERLOADED"));
            assert!(retry_after(refused).is_some());
        }
        let mut client = client.clone();
        client.get_merchant(GetMerchantRequest {}).await.expect("it recovers at once");
    }
}

#[tokio::test]
async fn siblings_and_probes_have_their_own_places() {
    let settings = Settings { in_flight_max: 1, waiting_max: 0, ..small() };
    let fixture = Fixture::with(settings);
    let mut busy = fixture.operator(fixture.local());
    let busy = tokio::spawn(async move { busy.create_merchant(create("slow")).await });
    while fixture.probe.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut client =
        fixture.client(fixture.local(), Caller::Merchant(merchant(1)), "merchants.read");
    let refused = client.get_merchant(GetMerchantRequest {}).await.unwrap_err();
    assert_eq!(reason(&refused), "OVERLOADED");

    let peer = fixture.peer(fixture.local());
    let mut sibling = EventLogServiceClient::new(peer.as_service(None));
    sibling.read_events(ReadEventsRequest::default()).await.expect("events flow");
    let mut health = HealthClient::new(fixture.local());
    health.check(HealthCheckRequest::default()).await.expect("it is busy, not dead");

    busy.abort();
    assert!(busy.await.unwrap_err().is_cancelled());
    client.get_merchant(GetMerchantRequest {}).await.expect("a dropped call frees its place");
}
