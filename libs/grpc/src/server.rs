//! A server: services behind the stack, over TCP and in-process alike.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{Request, Response};
use siyu_kernel::Clock;
use siyu_runtime::{CancellationToken, Readiness};
use tokio::net::TcpListener;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};
use tonic_health::pb::health_server::HealthServer;
use tower::Service;

use crate::{
    access::Rules, auth::Assertions, health::Reporter, listen, settings::Settings, stack::Stack,
};

/// A server being put together.
#[derive(Debug)]
pub struct Server {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    settings: Settings,
    assertions: Arc<Assertions>,
    clock: Arc<dyn Clock>,
    readiness: Readiness,
    contracts: Option<&'static [u8]>,
}

/// A server that is put together: a tower service, to be served over TCP or called in-process. Clones are the same server.
#[derive(Debug, Clone)]
pub struct App {
    stack: Arc<Stack>,
    settings: Arc<Settings>,
}

/// A server that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The contracts cannot be read.
    #[error("the descriptor set cannot be read")]
    Descriptor(#[from] prost_reflect::DescriptorError),
    /// Reflection cannot read them.
    #[error("reflection cannot read the descriptor set")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl Server {
    /// A server of the suite's contracts without services yet.
    pub fn new(
        settings: Settings,
        assertions: Arc<Assertions>,
        clock: Arc<dyn Clock>,
        readiness: Readiness,
    ) -> Self {
        Self {
            routes: Routes::builder(),
            names: Vec::new(),
            settings,
            assertions,
            clock,
            readiness,
            contracts: None,
        }
    }

    /// Reads rules and reflection from other contracts than the suite's.
    #[must_use]
    pub fn contracts(mut self, descriptor_set: &'static [u8]) -> Self {
        self.contracts = Some(descriptor_set);
        self
    }

    /// Adds a generated service, for example `MerchantServiceServer::new(…)`.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Adds health and reflection, and puts the stack around all of it.
    ///
    /// # Errors
    /// [`BuildError`] when the contracts cannot be read.
    pub fn build(mut self) -> Result<App, BuildError> {
        let rules = match self.contracts {
            None => Rules::suite().clone(),
            Some(set) => Arc::new(Rules::from_descriptor(set)?),
        };
        let descriptor_set = self.contracts.unwrap_or(siyu_proto::DESCRIPTOR_SET);
        let services = self.names.iter().map(|&name| name.to_owned());
        let reporter = Reporter::new(self.readiness.clone(), services);
        self.routes.add_service(HealthServer::new(reporter));
        let reflection = || {
            let builder = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptor_set);
            self.names.iter().fold(builder, |builder, &name| builder.with_service_name(name))
        };
        // grpcurl up to 1.8 speaks v1alpha only.
        self.routes.add_service(reflection().build_v1()?);
        self.routes.add_service(reflection().build_v1alpha()?);
        let routes = self.routes.routes().prepare();
        let (who, when) = (self.assertions, self.clock);
        let stack = Stack::new(routes, rules, who, when, self.readiness, &self.settings);
        Ok(App { stack: Arc::new(stack), settings: Arc::new(self.settings) })
    }
}

impl App {
    /// Serves on a socket that is already bound, until `stop`; then no new connection is taken, calls in progress get their
    /// time, and connections that are still there after it are dropped.
    ///
    /// # Errors
    /// When the socket cannot be served at all.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), tonic::transport::Error> {
        let settings = self.settings.clone();
        listen::serve(self, listener, &settings, stop).await
    }

    /// Answers one request.
    pub fn answer(&self, request: Request<Body>) -> impl Future<Output = Response<Body>> + use<> {
        self.stack.clone().handle(request)
    }
}

impl Service<Request<Body>> for App {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Never full here: a call that finds no place is refused by the stack, in time and with a reason.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.answer(request);
        Box::pin(async move { Ok(answer.await) })
    }
}
