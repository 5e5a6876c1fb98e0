//! Many messages over one call.

use std::{sync::Arc, time::Duration};

use siyu_grpc::{Caller, Scopes, Settings, limits};
use siyu_proto::{
    order::v1::{
        ExternalOrder, OrderLine, StreamImportOrdersRequest, StreamImportOrdersResponse,
        import_service_client::ImportServiceClient,
    },
    r#type::v1::Money,
};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Code, Request, Streaming};
use tonic_types::StatusExt;

use crate::{
    fixture::{Fixture, Probe, create, merchant, reason},
    methods::{Imports, Methods},
};

pub(crate) fn imports(probe: &Arc<Probe>) -> Methods<Imports> {
    let probe = probe.clone();
    Methods::new().each("StreamImportOrders", move |ctx, message: StreamImportOrdersRequest| {
        let probe = probe.clone();
        async move {
            probe.saw(ctx);
            assert_ne!(message.orders[0].order_no, "panic", "told to");
            Ok(StreamImportOrdersResponse::default())
        }
    })
}

fn batch(order_no: &str) -> StreamImportOrdersRequest {
    let line = OrderLine { line_no: 1, paid: Some(Money::default()), ..OrderLine::default() };
    let order = ExternalOrder {
        platform: "taobao".into(),
        shop_id: "1".into(),
        order_no: order_no.into(),
        buyer_id: "1".into(),
        lines: vec![line],
        ..ExternalOrder::default()
    };
    StreamImportOrdersRequest { orders: vec![order] }
}

async fn open(
    fixture: &Fixture,
    upstream: siyu_grpc::Upstream,
    timeout: Option<Duration>,
) -> (mpsc::Sender<StreamImportOrdersRequest>, Streaming<StreamImportOrdersResponse>) {
    let caller = Caller::Merchant(merchant(1));
    let call = fixture.peer(upstream).call(caller, "tok_1".into(), Scopes::parse("orders.*"));
    let (send, receive) = mpsc::channel(1);
    let mut request = Request::new(ReceiverStream::new(receive));
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    let replies = ImportServiceClient::new(call).stream_import_orders(request).await.unwrap();
    (send, replies.into_inner())
}

#[tokio::test]
async fn each_message_has_its_reply_at_its_own_time() {
    let fixture = Fixture::with(Settings { timeout_max_secs: 0, ..Settings::default() });
    for upstream in [fixture.local(), fixture.tcp().await] {
        let (send, mut replies) = open(&fixture, upstream, None).await;
        for time in ["2024-06-01T00:00:10Z", "2024-06-01T00:59:00Z"] {
            fixture.clock.set(time);
            send.send(batch("1")).await.unwrap();
            replies.next().await.unwrap().unwrap();
            assert_eq!(
                fixture.probe.last().now,
                time.parse::<chrono::DateTime<chrono::Utc>>().unwrap()
            );
        }
        drop(send);
        assert!(replies.next().await.is_none());
        fixture.clock.set(crate::fixture::START);
    }
}

#[tokio::test]
async fn a_bad_message_ends_the_stream_after_the_replies_before_it() {
    let fixture = Fixture::new();
    for upstream in [fixture.local(), fixture.tcp().await] {
        let (send, mut replies) = open(&fixture, upstream.clone(), None).await;
        send.send(batch("1")).await.unwrap();
        replies.next().await.unwrap().unwrap();
        send.send(StreamImportOrdersRequest::default()).await.unwrap();
        let refused = replies.next().await.unwrap().unwrap_err();
        let bad = refused.get_details_bad_request().expect("violations").field_violations;
        assert_eq!(bad[0].field, "orders");
        assert!(replies.next().await.is_none());

        let (send, mut replies) = open(&fixture, upstream, None).await;
        send.send(batch("panic")).await.unwrap();
        let failed = replies.next().await.unwrap().unwrap_err();
        assert_eq!((failed.code(), &*reason(&failed)), (Code::Internal, "INTERNAL"));
    }
}

#[tokio::test]
async fn a_message_of_a_stream_above_the_limit_is_refused() {
    let fixture = Fixture::new();
    let (send, mut replies) = open(&fixture, fixture.local(), None).await;
    send.send(batch(&"x".repeat(limits::IMPORT_MESSAGE_BYTES))).await.unwrap();
    let refused = replies.next().await.unwrap().unwrap_err();
    assert_eq!(reason(&refused), "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_stream_ends_at_its_callers_deadline_and_frees_its_place() {
    let fixture =
        Fixture::with(Settings { in_flight_max: 1, waiting_max: 0, ..Settings::default() });
    for upstream in [fixture.local(), fixture.tcp().await] {
        let timeout = Duration::from_millis(300);
        let (send, mut replies) = open(&fixture, upstream.clone(), Some(timeout)).await;
        send.send(batch("1")).await.unwrap();
        replies.next().await.unwrap().unwrap();
        let refused = fixture.operator(upstream.clone()).create_merchant(create("x")).await;
        assert_eq!(reason(&refused.unwrap_err()), "OVERLOADED", "the stream holds the only place");
        let late = replies.next().await.unwrap().unwrap_err();
        assert_eq!((late.code(), &*reason(&late)), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
        drop((send, replies));
        let (send, mut replies) = open(&fixture, upstream, Some(timeout)).await;
        send.send(batch("1")).await.unwrap();
        replies.next().await.unwrap().expect("the place is free again");
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_server_drains_and_says_so() {
    for over_tcp in [false, true] {
        let fixture = Fixture::new();
        let upstream = if over_tcp { fixture.tcp().await } else { fixture.local() };
        let (send, mut replies) = open(&fixture, upstream, None).await;
        send.send(batch("1")).await.unwrap();
        replies.next().await.unwrap().unwrap();
        fixture.readiness.drain();
        let ended = replies.next().await.unwrap().unwrap_err();
        assert_eq!((ended.code(), &*reason(&ended)), (Code::Unavailable, siyu_grpc::DRAINING));
        assert!(replies.next().await.is_none());
        drop(send);
    }
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_stop_of_its_server() {
    let fixture = Fixture::with(Settings { drain_secs: 3600, ..Settings::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = siyu_runtime::CancellationToken::new();
    let serving = tokio::spawn(fixture.app.clone().serve(listener, stop.clone()));
    let upstream =
        siyu_grpc::Upstream::remote(&address, &siyu_grpc::RemoteSettings::default()).unwrap();
    let (send, mut replies) = open(&fixture, upstream, None).await;
    send.send(batch("1")).await.unwrap();
    replies.next().await.unwrap().unwrap();
    fixture.readiness.drain();
    stop.cancel();
    serving.await.unwrap().unwrap();
    drop(send);
}
