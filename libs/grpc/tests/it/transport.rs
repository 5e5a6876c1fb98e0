//! Connections: peers that are not there, peers that are gone without a word, and a stop that lets calls end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use siyu_grpc::{Caller, RemoteSettings, Settings, Upstream};
use siyu_proto::member::v1::{GetMerchantRequest, ListMerchantsRequest};
use siyu_runtime::CancellationToken;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use tonic::Code;

use crate::fixture::{Fixture, create, merchant, reason};

fn remote(address: &str) -> Upstream {
    let settings = RemoteSettings {
        connections: 1,
        connect_timeout_millis: 500,
        keep_alive_secs: 1,
        keep_alive_timeout_secs: 1,
    };
    Upstream::remote(address, &settings).unwrap()
}

/// An address where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable_within_a_second() {
    let fixture = Fixture::new();
    let mut client = fixture.operator(remote(&nowhere().await));
    let started = Instant::now();
    let refused = client.create_merchant(create("x")).await.unwrap_err();
    assert_eq!((refused.code(), &*reason(&refused)), (Code::Unavailable, "PEER_UNAVAILABLE"));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(Upstream::remote("not an address", &RemoteSettings::default()).is_err());
}

#[tokio::test]
async fn a_call_waits_out_a_short_restart_of_its_peer() {
    let fixture = Fixture::new();
    let address = nowhere().await;
    let mut client = fixture.operator(remote(&address));
    let call = tokio::spawn(async move { client.create_merchant(create("x")).await });
    siyu_runtime::pause(Duration::from_millis(60)).await;
    let listener = TcpListener::bind(address.trim_start_matches("http://")).await.unwrap();
    tokio::spawn(fixture.app.clone().serve(listener, CancellationToken::new()));
    call.await.unwrap().expect("it was not sent before, so it is sent again");
    assert_eq!(fixture.probe.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn calls_that_are_at_work_end_when_the_server_stops() {
    let fixture = Fixture::new();
    *fixture.probe.work.lock().unwrap() = Duration::from_millis(200);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let server = tokio::spawn(fixture.app.clone().serve(listener, stop.clone()));
    let mut client =
        fixture.client(remote(&address), Caller::Merchant(merchant(1)), "merchants.read");
    let call = {
        let mut client = client.clone();
        tokio::spawn(async move { client.get_merchant(GetMerchantRequest {}).await })
    };
    siyu_runtime::pause(Duration::from_millis(100)).await;
    stop.cancel();
    call.await.unwrap().expect("what was begun is ended");
    server.await.unwrap().unwrap();
    let refused = client.get_merchant(GetMerchantRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let fixture = Fixture::with(Settings { drain_secs: 1, ..Settings::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let server = tokio::spawn(fixture.app.clone().serve(listener, stop.clone()));
    let mut client = fixture.operator(remote(&address));
    let call = tokio::spawn(async move { client.create_merchant(create("slow")).await });
    while fixture.probe.calls.load(Ordering::SeqCst) == 0 {
        siyu_runtime::pause(Duration::from_millis(5)).await;
    }
    let started = Instant::now();
    stop.cancel();
    server.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    call.abort();
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_a_place() {
    let fixture = Fixture::with(Settings { connections_max: 1, ..Settings::default() });
    let (address, _stop) = fixture.listen().await;
    let mut first = fixture.operator(remote(&address));
    first.create_merchant(create("x")).await.unwrap();
    let mut second = fixture.operator(remote(&address));
    let mut request = tonic::Request::new(create("x"));
    request.set_timeout(Duration::from_millis(200));
    let late = second.create_merchant(request).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
    drop(first);
    second.create_merchant(create("x")).await.expect("the place is free again");
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_found_out() {
    let fixture = Fixture::new();
    let (address, _stop) = fixture.listen().await;
    let proxy = Proxy::start(address.trim_start_matches("http://").to_owned()).await;
    let mut client = fixture.operator(remote(&proxy.address));
    client.list_merchants(ListMerchantsRequest::default()).await.unwrap();

    proxy.is_dead.store(true, Ordering::SeqCst);
    let started = Instant::now();
    let lost = client.create_merchant(create("lost")).await.unwrap_err();
    assert_eq!((lost.code(), &*reason(&lost)), (Code::Unavailable, "PEER_UNAVAILABLE"));
    let time = started.elapsed();
    assert!(time < Duration::from_secs(6), "keep-alive, not the deadline of 10 s: {time:?}");

    proxy.is_dead.store(false, Ordering::SeqCst);
    client.list_merchants(ListMerchantsRequest::default()).await.expect("over a new connection");
}

/// A line that can go dead: bytes are swallowed, nothing is closed.
struct Proxy {
    address: String,
    is_dead: Arc<AtomicBool>,
}

impl Proxy {
    async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let is_dead = Arc::new(AtomicBool::new(false));
        let dead = is_dead.clone();
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = TcpStream::connect(&target).await.unwrap().into_split();
                tokio::spawn(carry(near_read, far_write, dead.clone()));
                tokio::spawn(carry(far_read, near_write, dead.clone()));
            }
        });
        Self { address, is_dead }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, dead: Arc<AtomicBool>) {
    let mut buffer = [0; 4096];
    let mut is_cut = false;
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        is_cut |= dead.load(Ordering::SeqCst);
        if !is_cut && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
