//! Services by hand instead of by generated traits: these tests need a few methods, and must not change with every method
//! that a contract gains.

use std::{
    collections::HashMap,
    convert::Infallible,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{Request, Response};
use prost::Message;
use siyu_grpc::{Ctx, limits, serve, serve_each};
use siyu_kernel::Fault;
use siyu_proto::Shape;
use tonic::{Status, Streaming, body::Body, server::NamedService};
use tonic_prost::ProstCodec;
use tower::Service;

type Handler = Arc<dyn Fn(Request<Body>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// A service of the contracts, by the methods that a test gives it.
pub(crate) struct Methods<N> {
    handlers: HashMap<&'static str, Handler>,
    name: PhantomData<fn() -> N>,
}

/// The full name of a service.
pub(crate) trait Name: 'static {
    const NAME: &'static str;
}

pub(crate) enum Merchants {}
pub(crate) enum Events {}
pub(crate) enum Imports {}

impl Name for Merchants {
    const NAME: &'static str = "siyu.member.v1.MerchantService";
}
impl Name for Events {
    const NAME: &'static str = "siyu.event.v1.EventLogService";
}
impl Name for Imports {
    const NAME: &'static str = "siyu.order.v1.ImportService";
}

impl<N> Methods<N> {
    pub(crate) fn new() -> Self {
        Self { handlers: HashMap::new(), name: PhantomData }
    }

    /// A method with one request and one reply.
    pub(crate) fn unary<M, R, W, F>(mut self, method: &'static str, work: W) -> Self
    where
        M: Message + Default + Shape + 'static,
        R: Message + Default + 'static,
        W: Fn(Ctx, M) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<R, Fault>> + Send + 'static,
    {
        let handler = move |request| -> BoxFuture<'static, Response<Body>> {
            let work = work.clone();
            let method = tower::service_fn(move |request| serve(request, work.clone()));
            Box::pin(async move {
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<R, M>::default());
                grpc.unary(method, request).await
            })
        };
        self.handlers.insert(method, Arc::new(handler));
        self
    }

    /// A method with a reply for each of many requests.
    pub(crate) fn each<M, R, W, F>(mut self, method: &'static str, work: W) -> Self
    where
        M: Message + Default + Shape + 'static,
        R: Message + Default + 'static,
        W: Fn(Ctx, M) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<R, Fault>> + Send + 'static,
    {
        let handler = move |request| -> BoxFuture<'static, Response<Body>> {
            let work = work.clone();
            let method = tower::service_fn(move |request: tonic::Request<Streaming<M>>| {
                serve_each(request, work.clone())
            });
            Box::pin(async move {
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<R, M>::default())
                    .max_decoding_message_size(limits::IMPORT_MESSAGE_BYTES);
                grpc.streaming(method, request).await
            })
        };
        self.handlers.insert(method, Arc::new(handler));
        self
    }
}

impl<N> Clone for Methods<N> {
    fn clone(&self) -> Self {
        Self { handlers: self.handlers.clone(), name: PhantomData }
    }
}

impl<N: Name> NamedService for Methods<N> {
    const NAME: &'static str = N::NAME;
}

impl<N> Service<Request<Body>> for Methods<N> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next();
        let Some(handler) = method.and_then(|method| self.handlers.get(method)) else {
            return Box::pin(async { Ok(Status::unimplemented("").into_http()) });
        };
        let answer = handler(request);
        Box::pin(async move { Ok(answer.await) })
    }
}
