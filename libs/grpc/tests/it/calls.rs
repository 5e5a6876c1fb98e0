//! One call: panics, deadlines, context, health and reflection.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use siyu_grpc::{Caller, Ctx, Scopes, Settings, Upstream};
use siyu_proto::member::v1::{GetMerchantRequest, merchant_service_client::MerchantServiceClient};
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::fixture::{Fixture, create, merchant, reason};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_panic_is_one_failed_call() {
    let fixture = Fixture::new();
    for upstream in [fixture.local(), fixture.tcp().await] {
        let mut client = fixture.operator(upstream);
        let failed = client.create_merchant(create("panic")).await.unwrap_err();
        assert_eq!((failed.code(), failed.message()), (Code::Internal, "internal error"));
        assert_eq!(reason(&failed), "INTERNAL");
        client.create_merchant(create("next")).await.expect("the next call works");
    }
}

#[tokio::test]
async fn a_late_call_is_told_so_and_its_work_is_dropped() {
    let fixture = Fixture::new();
    for upstream in [fixture.local(), fixture.tcp().await] {
        let before = fixture.probe.dropped.load(Ordering::SeqCst);
        let mut client = fixture.operator(upstream.clone());
        let mut request = Request::new(create("slow"));
        request.set_timeout(Duration::from_millis(200));
        let started = Instant::now();
        let late = client.create_merchant(request).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
        assert_eq!(reason(&late), "DEADLINE_EXCEEDED");
        while fixture.probe.dropped.load(Ordering::SeqCst) == before {
            siyu_runtime::pause(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn tonics_own_timer_on_the_server_never_comes_first() {
    let fixture = Fixture::new();
    let (address, _stop) = fixture.listen().await;
    let token = fixture.assertions.mint(
        Caller::Platform,
        &"tok_1".into(),
        &Scopes::all(),
        siyu_kernel::Clock::now(&*fixture.clock),
    );
    // A client without a timer of its own: every tonic client has one.
    let stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut message = vec![0];
    let encoded = create("slow").encode_to_vec();
    message.extend(u32::try_from(encoded.len()).unwrap().to_be_bytes());
    message.extend(encoded);
    let request =
        http::Request::post(format!("{address}/siyu.member.v1.MerchantService/CreateMerchant"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", "200m")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(bytes::Bytes::from(message)))
            .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let late = Status::from_header_map(response.headers()).expect("a refusal");
    assert_eq!((late.code(), &*reason(&late)), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn the_server_has_a_deadline_of_its_own() {
    let settings = Settings { timeout_max_secs: 0, ..Settings::default() };
    let fixture = Fixture::with(settings);
    let late = fixture.operator(fixture.local()).create_merchant(create("slow")).await;
    assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn identity_deadline_and_trace_go_along_to_the_next_service() {
    let fixture = Fixture::new();
    let peer = fixture.peer(fixture.tcp().await);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(3);
    let ctx = Ctx {
        caller: Caller::Merchant(merchant(7)),
        subject: "tok_7".into(),
        scopes: Scopes::parse("merchants.read"),
        deadline: Some(deadline),
        trace_parent: PARENT.to_owned(),
        ..Ctx::internal("x", None, siyu_kernel::Clock::now(&*fixture.clock))
    };
    let mut client = MerchantServiceClient::new(peer.as_caller(&ctx));
    client.get_merchant(GetMerchantRequest {}).await.unwrap();
    let seen = fixture.probe.last();
    assert_eq!((seen.caller, &seen.subject), (ctx.caller, &ctx.subject));
    assert_eq!(seen.scopes, ctx.scopes);
    assert_eq!(seen.trace_parent[..36], PARENT[..36], "the same trace");
    assert_ne!(seen.trace_parent[36..52], PARENT[36..52], "another span");
    let left = deadline.saturating_duration_since(seen.deadline.unwrap());
    assert!(left < Duration::from_secs(1), "{left:?}");

    let gone = Ctx { deadline: Some(tokio::time::Instant::now()), ..ctx };
    let mut client = MerchantServiceClient::new(peer.as_caller(&gone));
    let late = client.get_merchant(GetMerchantRequest {}).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert_eq!(fixture.probe.calls.load(Ordering::SeqCst), 1, "the late call was not sent");
}

#[tokio::test]
async fn in_process_and_over_tcp_the_answers_are_the_same() {
    let fixture = Fixture::new();
    let mut answers = Vec::new();
    for upstream in [fixture.local(), fixture.tcp().await] {
        let mut told = Vec::new();
        for (caller, scopes, name) in [
            (Caller::Platform, "*", "fine"),
            (Caller::Platform, "*", ""),
            (Caller::Platform, "*", "taken"),
            (Caller::Platform, "*", "broken"),
            (Caller::Platform, "*", "panic"),
            (Caller::Platform, "orders.read", "fine"),
            (Caller::Merchant(merchant(1)), "*", "fine"),
        ] {
            let mut client = fixture.client(upstream.clone(), caller, scopes);
            let answer = client.create_merchant(create(name)).await;
            told.push(match answer {
                Ok(reply) => format!("{:?}", reply.into_inner()),
                Err(status) => format!(
                    "{:?} {} {:?}",
                    status.code(),
                    status.message(),
                    tonic_types::StatusExt::get_error_details(&status)
                ),
            });
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0][0].contains("fine") && answers[0][1].contains("InvalidArgument"));
}

#[tokio::test]
async fn health_tells_readiness_to_everyone() {
    let fixture = Fixture::new();
    let database = fixture.readiness.component("database");
    let mut health = HealthClient::new(fixture.tcp().await);
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    let mut watched = health.watch(ask("")).await.unwrap().into_inner();
    let mut next = async || watched.next().await.unwrap().unwrap().status();
    assert_eq!(next().await, ServingStatus::NotServing);
    database.ready();
    assert_eq!(next().await, ServingStatus::Serving);
    let known = health.check(ask("siyu.member.v1.MerchantService")).await.unwrap();
    assert_eq!(known.into_inner().status(), ServingStatus::Serving);
    let unknown = health.check(ask("siyu.member.v1.Nothing")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    fixture.readiness.drain();
    assert_eq!(next().await, ServingStatus::NotServing);
}

#[tokio::test]
async fn reflection_lists_what_is_served_and_keeps_the_options() {
    let fixture = Fixture::new();
    let mut reflection = ServerReflectionClient::new(fixture.local());
    let mut ask = async |request| {
        let request =
            ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let replies = reflection.server_reflection_info(tokio_stream::once(request)).await;
        replies.unwrap().into_inner().next().await.unwrap().unwrap().message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(list) =
        ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("a list was asked for");
    };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"siyu.member.v1.MerchantService".to_owned()), "{names:?}");
    assert!(!names.contains(&"siyu.member.v1.PersonService".to_owned()), "{names:?}");
    let symbol = MessageRequest::FileContainingSymbol("siyu.member.v1.MerchantService".to_owned());
    let MessageResponse::FileDescriptorResponse(file) = ask(symbol).await else {
        panic!("a file was asked for");
    };
    let text = String::from_utf8_lossy(&file.file_descriptor_proto[0]).into_owned();
    assert!(text.contains("merchants.write"), "the access option is in the file");
}

#[tokio::test]
async fn services_of_one_process_find_each_other_late() {
    let fixture = Fixture::new();
    let (early, late) = Upstream::late();
    let mut client = fixture.operator(early);
    let waiting = tokio::spawn(async move { client.create_merchant(create("x")).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "a call waits for a service that is still being built");
    late.bind(fixture.app.clone());
    waiting.await.unwrap().unwrap();
}
