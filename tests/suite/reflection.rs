//! `grpcurl` needs no contract at hand: the suite tells it, and answers.

use std::{collections::BTreeSet, net::SocketAddr};

use prost_reflect::{DescriptorPool, FieldDescriptor, MethodDescriptor, ServiceDescriptor};
use serde_json::Value;
use siyu_grpc::{Audience, Idempotency, Rules};
use siyu_tests::support::{LIMIT, Merchant, story, suite, tool};
use tokio::{process::Command, time::timeout};

/// A read of the service that needs nothing in its request.
fn plain_read(service: &ServiceDescriptor) -> Option<MethodDescriptor> {
    let shape = service.parent_pool().get_extension_by_name("siyu.type.v1.shape").unwrap();
    let is_required = |field: FieldDescriptor| {
        let options = field.options();
        let shape = options.get_extension(&shape);
        let required = shape.as_message().and_then(|shape| shape.get_field_by_name("required"));
        required.is_some_and(|required| required.as_bool() == Some(true))
    };
    service.methods().find(|method| {
        let path = format!("/{}/{}", service.full_name(), method.name());
        let rule = Rules::suite().get(&path).unwrap();
        rule.idempotency == Idempotency::NoSideEffects
            && rule.audience() == Some(Audience::Merchant)
            && !rule.is_stream
            && !method.input().fields().any(is_required)
    })
}

/// What `grpcurl` prints.
async fn grpcurl(addr: SocketAddr, token: &str, args: &[&str]) -> String {
    let header = format!("authorization: Bearer {token}");
    let output = Command::new(tool("grpcurl"))
        .args(["-plaintext", "-H", &header, &addr.to_string()])
        .args(args)
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, output).await.expect("grpcurl ends").expect("grpcurl runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn grpcurl_lists_every_public_service_and_calls_it() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let (addr, token) = (merchant.place.http, merchant.caller.token());
        let listed = grpcurl(addr, token, &["list"]).await;
        let listed: BTreeSet<&str> = listed.lines().collect();
        let pool = DescriptorPool::decode(siyu_proto::DESCRIPTOR_SET).unwrap();
        // Siblings alone read the log of a service.
        let public = |service: &ServiceDescriptor| !service.full_name().starts_with("siyu.event.");
        let services: Vec<ServiceDescriptor> = pool.services().filter(public).collect();
        for service in &services {
            assert!(listed.contains(service.full_name()), "{service:?}: {listed:?}");
        }
        let calls: Vec<MethodDescriptor> = services.iter().filter_map(plain_read).collect();
        assert!(calls.len() > 40, "{calls:?}");
        for call in calls {
            let call = format!("{}/{}", call.parent_service().full_name(), call.name());
            let reply = grpcurl(addr, token, &[&call]).await;
            let reply: Result<Value, _> = serde_json::from_str(&reply);
            assert!(reply.is_ok_and(|reply| reply.is_object()), "{call}");
        }
    });
}
