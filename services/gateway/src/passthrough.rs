//! gRPC from outside: a call of a public method goes to its service as it came, bytes never decoded, streams and trailers
//! included. What changes are the headers: the secret becomes an assertion, and only what a service needs is let through, so
//! that nothing a caller says of itself arrives there.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{
    HeaderMap, HeaderName, Request, Response, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT},
    uri::PathAndQuery,
};
use siyu_grpc::health::Reporter;
use siyu_kernel::{Code, Fault};
use siyu_runtime::Readiness;
use tonic::{body::Body, service::Routes};
use tonic_health::pb::health_server::HealthServer;
use tower::Service;

use crate::{
    auth::Doorman,
    contract::{Contract, Method},
    stream::Ending,
    trace::{TRACE_PARENT, Trace},
    upstreams::Upstreams,
};

/// The way of gRPC calls.
#[derive(Debug)]
pub(crate) struct Passthrough {
    contract: Arc<Contract>,
    upstreams: Arc<Upstreams>,
    doorman: Arc<Doorman>,
    readiness: Readiness,
    /// Health and reflection, for all public services.
    own: Routes,
}

/// What reaches a service of the headers that a caller sent; all other metadata ends here.
const LET_THROUGH: [HeaderName; 7] = [
    CONTENT_TYPE,
    TE,
    USER_AGENT,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderName::from_static("tracestate"),
];

/// Whether the gateway answers itself: health and reflection are the same for everyone, and needed by those who have no
/// credential yet.
pub(crate) fn is_own(path: &str) -> bool {
    ["/grpc.health.v1.Health/", "/grpc.reflection."].iter().any(|own| path.starts_with(own))
}

impl Passthrough {
    pub(crate) fn new(
        contract: Arc<Contract>,
        upstreams: Arc<Upstreams>,
        doorman: Arc<Doorman>,
        readiness: Readiness,
    ) -> Result<Self, tonic_reflection::server::Error> {
        let own = own_services(&contract, readiness.clone())?;
        Ok(Self { contract, upstreams, doorman, readiness, own })
    }

    /// The method that a path names, for telemetry.
    pub(crate) fn name(&self, path: &str) -> Option<&str> {
        self.contract.method(path).map(|method| method.grpc_name())
    }

    /// Answers one call.
    pub(crate) async fn answer(&self, request: Request<Body>, trace: &Trace) -> Response<Body> {
        if is_own(request.uri().path()) {
            let Ok(response) = self.own.clone().call(request).await;
            return response;
        }
        let answer = self.forward(request, trace).await;
        answer.unwrap_or_else(|fault| siyu_grpc::status(fault).into_http())
    }

    async fn forward(
        &self,
        request: Request<Body>,
        trace: &Trace,
    ) -> Result<Response<Body>, Fault> {
        // An internal method is answered like one that does not exist.
        let method = self.contract.method(request.uri().path()).ok_or_else(unknown)?;
        let assertion = self.doorman.admit(request.headers()).await?;
        let upstream = self.upstreams.of(method)?;
        let mut request = inside(method, request);
        request.headers_mut().insert(AUTHORIZATION, assertion);
        request.headers_mut().insert(TRACE_PARENT, trace.header());
        let response = upstream.clone().call(request).await.map_err(|error| {
            Fault::new(Code::Unavailable, "PEER_UNAVAILABLE", "a service is not available")
                .caused_by(error)
        })?;
        if !method.server_streams {
            return Ok(response);
        }
        Ok(response.map(|body| Ending::body(body, self.readiness.clone())))
    }
}

/// The request as the service gets it.
fn inside(method: &Method, request: Request<Body>) -> Request<Body> {
    let (head, body) = request.into_parts();
    let mut headers = HeaderMap::with_capacity(LET_THROUGH.len() + 2);
    for name in LET_THROUGH {
        if let Some(value) = head.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let mut inside = Request::new(body);
    *inside.method_mut() = http::Method::POST;
    *inside.version_mut() = http::Version::HTTP_2;
    *inside.uri_mut() = uri(method.path.clone());
    *inside.headers_mut() = headers;
    inside
}

/// The path alone: where the service is, its connection knows.
fn uri(path: PathAndQuery) -> Uri {
    Uri::from(path)
}

fn unknown() -> Fault {
    Fault::new(Code::Unimplemented, "METHOD_UNKNOWN", "there is no such method")
}

fn own_services(
    contract: &Contract,
    readiness: Readiness,
) -> Result<Routes, tonic_reflection::server::Error> {
    let names = || contract.public().iter().map(|service| service.name.clone());
    let set = contract.public_set();
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(&set)
            // The details of errors, so that tools can show reason and fields.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET);
        names().fold(builder, tonic_reflection::server::Builder::with_service_name)
    };
    let mut routes = Routes::builder();
    routes.add_service(HealthServer::new(Reporter::new(readiness, names())));
    // grpcurl up to 1.8 speaks v1alpha only.
    routes.add_service(reflection().build_v1()?);
    routes.add_service(reflection().build_v1alpha()?);
    Ok(routes.routes().prepare())
}

/// The passthrough of one call, as the layer of gRPC-web wants it.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    pub passthrough: Arc<Passthrough>,
    pub trace: Trace,
}

impl Service<Request<Body>> for Once {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { passthrough, trace } = self.clone();
        Box::pin(async move { Ok(passthrough.answer(request, &trace).await) })
    }
}
