//! Many messages over one call.

use std::{sync::Arc, time::Duration};

use siyu_grpc::{Caller, Replies, Scopes, Settings, limits, serve_each};
use siyu_kernel::Fault;
use siyu_proto::order::v1::{
    ExternalOrder, ImportOrdersRequest, ImportOrdersResponse, ListQuarantinedOrdersRequest,
    ListQuarantinedOrdersResponse, SetStatusMappingRequest, SetStatusMappingResponse,
    StreamImportOrdersRequest, StreamImportOrdersResponse,
    import_service_client::ImportServiceClient,
    import_service_server::{ImportService, ImportServiceServer},
};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, Probe, merchant, reason};

#[derive(Debug)]
pub(crate) struct Imports(Arc<Probe>);

pub(crate) fn service(probe: Arc<Probe>) -> ImportServiceServer<Imports> {
    ImportServiceServer::new(Imports(probe)).max_decoding_message_size(limits::IMPORT_MESSAGE_BYTES)
}

#[tonic::async_trait]
impl ImportService for Imports {
    async fn import_orders(
        &self,
        _: Request<ImportOrdersRequest>,
    ) -> Result<Response<ImportOrdersResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    type StreamImportOrdersStream = Replies<StreamImportOrdersResponse>;

    async fn stream_import_orders(
        &self,
        request: Request<Streaming<StreamImportOrdersRequest>>,
    ) -> Result<Response<Self::StreamImportOrdersStream>, Status> {
        let probe = self.0.clone();
        serve_each(request, move |ctx, message: StreamImportOrdersRequest| {
            let probe = probe.clone();
            async move {
                probe.saw(ctx);
                assert_ne!(message.orders[0].order_no, "panic", "told to");
                Ok::<_, Fault>(StreamImportOrdersResponse::default())
            }
        })
        .await
    }

    async fn list_quarantined_orders(
        &self,
        _: Request<ListQuarantinedOrdersRequest>,
    ) -> Result<Response<ListQuarantinedOrdersResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn set_status_mapping(
        &self,
        _: Request<SetStatusMappingRequest>,
    ) -> Result<Response<SetStatusMappingResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

fn batch(order_no: &str) -> StreamImportOrdersRequest {
    let order = ExternalOrder {
        platform: "taobao".into(),
        shop_id: "1".into(),
        order_no: order_no.into(),
        buyer_id: "1".into(),
        status: "paid".into(),
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
        send.send(batch("")).await.unwrap();
        let refused = replies.next().await.unwrap().unwrap_err();
        let bad = refused.get_details_bad_request().expect("violations").field_violations;
        assert_eq!(bad[0].field, "orders[0].order_no");
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
        let late = replies.next().await.unwrap().unwrap_err();
        assert_eq!((late.code(), &*reason(&late)), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
        drop((send, replies));
        let (send, mut replies) = open(&fixture, upstream, Some(timeout)).await;
        send.send(batch("1")).await.unwrap();
        replies.next().await.unwrap().expect("the place is free again");
    }
}
