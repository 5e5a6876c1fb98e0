//! gRPC and gRPC-web through the gateway.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use prost::Message;
use siyu_gateway::{Config, Gateway};
use siyu_grpc::{Caller, Scopes};
use siyu_proto::{
    event::v1::{ReadEventsRequest, event_log_service_client::EventLogServiceClient},
    gateway::v1::{CreateTokenRequest, token_service_client::TokenServiceClient},
    member::v1::{
        merchant_service_client::MerchantServiceClient, store_service_client::StoreServiceClient, *,
    },
};
use siyu_testkit::merchant;
use tonic::{Code, Status, body::Body};
use tower::util::BoxCloneSyncService;

use crate::{
    fake::store_id,
    world::{Reply, World, assertions, request},
};

pub(crate) type Transport =
    BoxCloneSyncService<Request<Body>, http::Response<Body>, std::convert::Infallible>;

/// The gateway as the transport of a generated client.
pub(crate) fn transport(gateway: &Gateway) -> Transport {
    let gateway = gateway.clone();
    BoxCloneSyncService::new(tower::service_fn(move |request| {
        let gateway = gateway.clone();
        async move { Ok(gateway.answer(request).await) }
    }))
}

/// A message with metadata.
fn with<T>(message: T, metadata: &[(&'static str, &str)]) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    request
}

pub(crate) fn reason(status: &Status) -> String {
    siyu_grpc::fault(status.clone()).reason().to_owned()
}

#[tokio::test]
async fn rest_and_grpc_give_the_same_answers() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let bearer = format!("Bearer {token}");
    let mut stores = StoreServiceClient::new(transport(&world.gateway));
    let get = with(GetStoreRequest { store_id: store_id() }, &[("authorization", &bearer)]);
    let by_grpc = stores.get_store(get).await.unwrap().into_inner().store.unwrap();
    let by_rest = world.get(&format!("/v1/stores/{}", store_id()), &token).await.json();
    assert_eq!(by_rest["store"]["id"], by_grpc.id);
    for store in ["unknown", "state", "exists", "panic", ""] {
        let get = with(GetStoreRequest { store_id: store.into() }, &[("authorization", &bearer)]);
        let status = stores.get_store(get).await.unwrap_err();
        if store.is_empty() {
            assert_eq!(siyu_grpc::fault(status).violations()[0].field, "store_id");
            continue;
        }
        let problem = world.get(&format!("/v1/stores/{store}"), &token).await;
        assert_eq!(problem.problem().1, reason(&status), "{store}");
        assert_eq!(problem.json()["detail"], status.message(), "{store}");
    }
}

#[tokio::test]
async fn an_internal_method_cannot_be_told_from_one_that_does_not_exist() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    for bearer in [format!("Bearer {token}"), format!("Bearer {}", world.operator)] {
        let mut events = EventLogServiceClient::new(transport(&world.gateway));
        let read = with(ReadEventsRequest::default(), &[("authorization", &bearer)]);
        let internal = events.read_events(read).await.unwrap_err();
        let made_up = Request::post("/siyu.member.v1.MerchantService/Destroy")
            .header(header::AUTHORIZATION, &bearer);
        let made_up = send_grpc(&world, made_up, Bytes::new()).await.1;
        assert_eq!(internal.code(), Code::Unimplemented);
        assert_eq!((internal.code(), internal.message()), (made_up.code(), made_up.message()));
    }
}

/// Sends a message over HTTP/2 by hand.
async fn send_grpc(
    world: &World,
    request: http::request::Builder,
    message: Bytes,
) -> (Reply, Status) {
    let request = request
        .version(http::Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers");
    let response = world.gateway.answer(request.body(framed(&message)).unwrap()).await;
    let (head, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let status = Status::from_header_map(&head.headers)
        .or_else(|| Status::from_header_map(&trailers))
        .unwrap_or_else(|| Status::ok(""));
    let reply = Reply { status: head.status, headers: head.headers, body: collected.to_bytes() };
    (reply, status)
}

fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(message);
    frame.freeze()
}

fn framed(message: &[u8]) -> Body {
    Body::new(Full::new(frame(message)))
}

#[tokio::test]
async fn an_assertion_from_outside_opens_nothing() {
    let world = World::new().await;
    let now = siyu_kernel::Clock::now(&world.clock);
    // Even one under the right key: outside, only the gateway's own tokens count.
    let genuine = assertions().mint(Caller::Platform, &"evil".into(), &Scopes::all(), now);
    let none = {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
        let claims = format!(
            r#"{{"sub":"x","aud":"platform","scp":"*","iat":{0},"exp":{1}}}"#,
            now.timestamp(),
            now.timestamp() + 60
        );
        format!("{}.{}.", B64.encode(r#"{"alg":"none","typ":"JWT"}"#), B64.encode(claims))
    };
    for token in [genuine.as_ref(), none.as_str()] {
        let bearer = format!("Bearer {token}");
        let mut merchants = MerchantServiceClient::new(transport(&world.gateway));
        let list = with(ListMerchantsRequest::default(), &[("authorization", &bearer)]);
        let status = merchants.list_merchants(list).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unauthenticated, "CREDENTIAL_INVALID")
        );
        let rest = world.get("/v1/merchants", token).await;
        assert_eq!(rest.problem().1, "CREDENTIAL_INVALID");
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let get = request("GET", "/v1/merchant", &token)
        .header(header::AUTHORIZATION, format!("Bearer {}", world.operator));
    let reply = world.send(get.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.problem().1, "CREDENTIAL_INVALID");
}

#[tokio::test]
async fn deadline_and_trace_reach_the_service_and_identity_from_outside_does_not() {
    let world = World::new().await;
    let (_, token) = world.token(2, &[]).await;
    let bearer = format!("Bearer {token}");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut merchants = MerchantServiceClient::new(transport(&world.gateway));
    let first = merchant(1).to_string();
    let metadata = [
        ("authorization", bearer.as_str()),
        ("traceparent", trace),
        ("x-siyu-merchant", &first),
        ("siyu-caller", "platform"),
    ];
    let reply = merchants.get_merchant(with(GetMerchantRequest {}, &metadata)).await.unwrap();
    let seen = reply.into_inner().merchant.unwrap();
    assert_eq!((seen.id, seen.name), (merchant(2).to_string(), trace.to_owned()));

    let mut stores = StoreServiceClient::new(transport(&world.gateway));
    let metadata = [("authorization", bearer.as_str()), ("grpc-timeout", "50m")];
    let never = with(GetStoreRequest { store_id: "never".into() }, &metadata);
    assert_eq!(stores.get_store(never).await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn the_operator_makes_tokens_by_grpc_too() {
    let world = World::new().await;
    let mut tokens = TokenServiceClient::new(transport(&world.gateway));
    let create = CreateTokenRequest {
        merchant_id: merchant(3).to_string(),
        name: "by grpc".to_owned(),
        ..CreateTokenRequest::default()
    };
    let bearer = format!("Bearer {}", world.operator);
    let made = tokens.create_token(with(create, &[("authorization", &bearer)])).await.unwrap();
    let merchant = world.get("/v1/merchant", &made.into_inner().secret).await.json();
    assert_eq!(merchant["merchant"]["id"], siyu_testkit::merchant(3).to_string());
}

#[tokio::test]
async fn grpc_web_works_over_http_1() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let send = async |store: &str| {
        let message = GetStoreRequest { store_id: store.to_owned() }.encode_to_vec();
        let post = request("POST", "/siyu.member.v1.StoreService/GetStore", &token)
            .version(http::Version::HTTP_11)
            .header(header::CONTENT_TYPE, "application/grpc-web+proto")
            .header("x-grpc-web", "1");
        world.send(post.body(framed(&message)).unwrap()).await
    };
    let reply = send(&store_id()).await;
    assert_eq!(reply.header("content-type"), "application/grpc-web+proto");
    let body = reply.body.as_ref();
    let len = u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize;
    let message = GetStoreResponse::decode(&body[5..5 + len]).unwrap();
    assert_eq!(message.store.unwrap().id, store_id());
    assert_eq!(body[5 + len], 0x80, "a frame of trailers");
    assert!(String::from_utf8_lossy(&body[10 + len..]).contains("grpc-status:0"));
    let refused = send("unknown").await;
    assert_eq!(refused.header("grpc-status"), "5");
}

#[tokio::test]
async fn native_grpc_over_http_1_is_told_what_to_do() {
    let world = World::new().await;
    let post = request("POST", "/siyu.member.v1.StoreService/GetStore", "")
        .version(http::Version::HTTP_11)
        .header(header::CONTENT_TYPE, "application/grpc");
    let reply = world.send(post.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    assert_eq!(reply.problem().1, "HTTP2_REQUIRED");
}

#[tokio::test]
async fn a_service_that_is_not_connected_is_unavailable() {
    let world = World::build(Config::default(), |_| BTreeMap::new(), None).await;
    let bearer = format!("Bearer {}", world.operator);
    let mut merchants = MerchantServiceClient::new(transport(&world.gateway));
    let list = with(ListMerchantsRequest::default(), &[("authorization", &bearer)]);
    let status = merchants.list_merchants(list).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unavailable, "SERVICE_UNAVAILABLE")
    );
    let rest = world.get("/v1/merchants", &world.operator).await;
    assert_eq!((rest.status.as_u16(), rest.problem().1.as_str()), (503, "SERVICE_UNAVAILABLE"));
}
