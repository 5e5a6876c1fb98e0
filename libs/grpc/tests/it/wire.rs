//! What is on the wire: messages that are none, and faults that tell what is wrong.

use http::{Request, Response};
use siyu_grpc::{fault, limits, retry_after};
use siyu_kernel::Code as FaultCode;
use siyu_proto::member::v1::{CreateMerchantRequest, ListMerchantsRequest};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, create, reason};

/// Sends bytes to a method as the operator.
async fn post(fixture: &Fixture, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Status {
    let mut call = fixture.peer(fixture.local()).call(
        siyu_grpc::Caller::Platform,
        "tok_1".into(),
        siyu_grpc::Scopes::all(),
    );
    let mut request = Request::post(path).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::new(http_body_util::Full::new(bytes::Bytes::from(body)));
    let response: Response<Body> =
        tower::Service::call(&mut call, request.body(body).unwrap()).await.unwrap();
    Status::from_header_map(response.headers()).expect("a refusal")
}

const CREATE: &str = "/siyu.member.v1.MerchantService/CreateMerchant";

#[tokio::test]
async fn every_bad_field_is_named_with_its_path() {
    let fixture = Fixture::new();
    let request =
        CreateMerchantRequest { request_id: "x".repeat(65), ..CreateMerchantRequest::default() };
    let refused = fixture.operator(fixture.local()).create_merchant(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused), "INVALID_FIELD");
    let bad = refused.get_details_bad_request().unwrap().field_violations;
    let bad: Vec<_> = bad.iter().map(|v| (v.field.as_str(), v.description.as_str())).collect();
    assert_eq!(
        bad,
        [("request_id", "must have at most 64 bytes, has 65"), ("name", "is required")]
    );
    assert_eq!(fixture.probe.calls.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_with_both_sizes() {
    let fixture = Fixture::new();
    for upstream in [fixture.local(), fixture.tcp().await] {
        let mut client = fixture.operator(upstream);
        let request = create(&"x".repeat(limits::MESSAGE_BYTES));
        let refused = client.create_merchant(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert_eq!(reason(&refused), "MESSAGE_TOO_LARGE");
        let limit = limits::MESSAGE_BYTES.to_string();
        assert!(refused.message().contains(&limit), "{}", refused.message());
        client.create_merchant(create("fits")).await.expect("the connection lives");
    }
}

#[tokio::test]
async fn what_is_no_message_is_the_callers_fault() {
    let fixture = Fixture::new();
    let framed = |message: &[u8]| {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        bytes.extend(message);
        bytes
    };
    let deep = [0x0b_u8; 2000]; // 2000 groups, one in the other
    for (what, bytes) in [
        ("bytes that are no field", framed(&[0xff; 20])),
        ("a text that is no UTF-8", framed(&[0x12, 0x02, 0xc3, 0x28])),
        ("a text that ends early", framed(&[0x12, 0x7f, b'x'])),
        ("groups without end", framed(&deep)),
        ("no message at all", Vec::new()),
    ] {
        let refused = post(&fixture, CREATE, &[], bytes).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{what}: {refused:?}");
        assert_eq!(reason(&refused), "MESSAGE_MALFORMED", "{what}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_said_to() {
    let fixture = Fixture::new();
    for path in ["/siyu.member.v1.MerchantService/Burn", "/x", "/", "/grpc.health.v1.Health/Burn"] {
        let refused = post(&fixture, path, &[], Vec::new()).await;
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
        assert_eq!(reason(&refused), "METHOD_UNKNOWN", "{path}");
    }
    let zipped = post(&fixture, CREATE, &[("grpc-encoding", "gzip")], vec![1, 0, 0, 0, 1, 0]).await;
    assert_eq!(reason(&zipped), "ENCODING_UNKNOWN", "so no message is larger than it says");
}

#[tokio::test]
async fn a_fault_reads_the_same_on_the_other_side() {
    let fixture = Fixture::new();
    for upstream in [fixture.local(), fixture.tcp().await] {
        let mut client = fixture.operator(upstream);
        let refused = client.create_merchant(create("taken")).await.unwrap_err();
        assert!(!format!("{refused:?}").contains("nobody's business"), "{refused:?}");
        assert_eq!(retry_after(&refused), None);
        let read = fault(refused);
        assert_eq!((read.code(), read.reason()), (FaultCode::AlreadyExists, "NAME_TAKEN"));
        assert_eq!(read.message(), "the name is taken");
        assert_eq!(read.metadata().get("name").map(String::as_str), Some("taken"));

        let invalid = fault(client.create_merchant(create("")).await.unwrap_err());
        assert_eq!(invalid.violations()[0].field, "name");

        let broken = client.create_merchant(create("broken")).await.unwrap_err();
        assert_eq!((broken.code(), broken.message()), (Code::Internal, "internal error"));
        assert!(!format!("{broken:?}").contains("password"), "{broken:?}");
    }
}

#[tokio::test]
async fn headers_without_end_do_not_hurt_the_next_call() {
    let fixture = Fixture::new();
    let mut client = fixture.operator(fixture.tcp().await);
    let mut request = tonic::Request::new(ListMerchantsRequest::default());
    let flood = "x".repeat(limits::HEADER_BYTES as usize);
    request.metadata_mut().insert("x-flood", flood.parse().unwrap());
    client.list_merchants(request).await.expect_err("too many headers");
    client.list_merchants(ListMerchantsRequest::default()).await.unwrap();
}
