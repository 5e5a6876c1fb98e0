//! What needs no credential over gRPC: reflection and health.

use http::StatusCode;
use siyu_gateway::Config;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{
    v1::{self, server_reflection_client::ServerReflectionClient},
    v1alpha::{self, server_reflection_request::MessageRequest},
};

use crate::{
    grpc::{reason, transport},
    world::World,
};

#[tokio::test]
async fn reflection_lists_what_is_public_with_its_options() {
    let world = World::new().await;
    let list = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client = ServerReflectionClient::new(transport(&world.gateway));
    let mut replies =
        client.server_reflection_info(tokio_stream::once(list)).await.unwrap().into_inner();
    let reply = replies.message().await.unwrap().unwrap();
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        reply.message_response
    else {
        panic!("{reply:?}")
    };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"siyu.order.v1.ImportService".to_owned()), "{names:?}");
    assert!(names.contains(&"siyu.gateway.v1.TokenService".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("EventLog")), "{names:?}");

    // grpcurl 1.8 asks in the older dialect.
    let ask = async |what: MessageRequest| {
        let request =
            v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(what) };
        let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(transport(
            &world.gateway,
        ));
        let replies = client.server_reflection_info(tokio_stream::once(request)).await;
        replies.unwrap().into_inner().message().await
    };
    let symbol = |name: &str| MessageRequest::FileContainingSymbol(name.to_owned());
    let found = format!("{:?}", ask(symbol("siyu.order.v1.OrderService")).await.unwrap());
    assert!(found.contains("FileDescriptorResponse"), "{found}");
    let details = format!("{:?}", ask(symbol("google.rpc.ErrorInfo")).await.unwrap());
    assert!(details.contains("FileDescriptorResponse"), "{details}");
    let hidden = ask(symbol("siyu.event.v1.EventLogService")).await;
    assert!(!format!("{hidden:?}").contains("FileDescriptorResponse"), "{hidden:?}");
}

#[tokio::test]
async fn health_tells_of_every_public_service() {
    let world = World::new().await;
    let check = async |service: &str| {
        let mut client = HealthClient::new(transport(&world.gateway));
        let request = HealthCheckRequest { service: service.to_owned() };
        client.check(request).await.map(|reply| reply.into_inner().status)
    };
    assert_eq!(check("").await.unwrap(), 1);
    assert_eq!(check("siyu.order.v1.OrderService").await.unwrap(), 1);
    assert_eq!(check("siyu.event.v1.EventLogService").await.unwrap_err().code(), Code::NotFound);
    world.readiness.drain();
    assert_eq!(check("siyu.order.v1.OrderService").await.unwrap(), 2);
}

#[tokio::test]
async fn callers_without_a_credential_cannot_take_the_places_of_others() {
    let mut config = Config::default();
    config.http.in_flight_max = 1;
    let world = World::with(config).await;
    let (_, token) = world.token(1, &[]).await;
    let mut watches = Vec::new();
    let refused = loop {
        let mut client = HealthClient::new(transport(&world.gateway));
        let request = HealthCheckRequest { service: String::new() };
        match client.watch(request).await {
            Ok(watch) => watches.push(watch),
            Err(status) => break status,
        }
    };
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "OVERLOADED"));
    assert_eq!(watches.len(), siyu_gateway::limits::OPEN_CALLS);
    assert_eq!(world.get("/v1/merchant", &token).await.status, StatusCode::OK);
    drop(watches);
    let mut client = HealthClient::new(transport(&world.gateway));
    let request = HealthCheckRequest { service: String::new() };
    client.check(request).await.unwrap();
}
