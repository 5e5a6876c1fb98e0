//! Calling a sibling: with an assertion of who asks, the trace it belongs to, and how long the answer is waited for.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Request, Response, header::AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use siyu_kernel::{Clock, Id, kind::Merchant};
use siyu_runtime::{jitter, pause};
use tokio::time::Instant;
use tonic::body::Body;
use tower::Service;
use tracing::{Instrument, Span};

use crate::{
    access::{Rules, Scopes},
    auth::Assertions,
    ctx::{Caller, Ctx},
    limits,
    repeat::{Broken, Repeat},
    status::status,
    timeout, trace,
    upstream::Upstream,
};

/// A sibling service, as one service calls it.
#[derive(Debug, Clone)]
pub struct Peer {
    upstream: Upstream,
    assertions: Arc<Assertions>,
    clock: Arc<dyn Clock>,
    service: Arc<str>,
}

/// The transport of one call, or of several by the same caller: hand it to a generated client.
#[derive(Debug, Clone)]
pub struct Call {
    peer: Peer,
    caller: Caller,
    subject: Arc<str>,
    scopes: Scopes,
    timeout: Duration,
    deadline: Option<Instant>,
    trace_parent: String,
}

impl Peer {
    /// The sibling behind `upstream`, as it is called by `service`.
    pub fn new(
        upstream: Upstream,
        service: &str,
        assertions: Arc<Assertions>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { upstream, assertions, clock, service: service.into() }
    }

    /// Calls with the identity and the rights of whoever called us, and within the time they wait.
    pub fn as_caller(&self, ctx: &Ctx) -> Call {
        let (subject, scopes) = (ctx.subject.clone(), ctx.scopes.clone());
        Call {
            deadline: ctx.deadline,
            trace_parent: ctx.trace_parent.clone(),
            ..self.call(ctx.caller, subject, scopes)
        }
    }

    /// Calls as this service, on behalf of the merchant of a call that it works on, and within the time its caller waits.
    pub fn as_service_within(&self, ctx: &Ctx) -> Call {
        Call {
            deadline: ctx.deadline,
            trace_parent: ctx.trace_parent.clone(),
            ..self.as_service(ctx.caller.merchant())
        }
    }

    /// Calls as this service (audience internal), for a merchant or for none: jobs and event handlers.
    pub fn as_service(&self, merchant: Option<Id<Merchant>>) -> Call {
        self.call(Caller::Internal(merchant), self.service.clone(), Scopes::all())
    }

    /// Calls as anyone: for the gateway, which has looked at the credential.
    pub fn call(&self, caller: Caller, subject: Arc<str>, scopes: Scopes) -> Call {
        Call {
            peer: self.clone(),
            caller,
            subject,
            scopes,
            timeout: limits::PEER_TIMEOUT,
            deadline: None,
            trace_parent: String::new(),
        }
    }
}

impl Call {
    /// Waits at most this long, and never longer than the deadline of the caller. A request that names a timeout of its own
    /// has that instead.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends one request and returns an answer, whatever happens on the way.
    async fn send(self, request: Request<Body>, span: Span) -> Response<Body> {
        let rule = Rules::suite().get(request.uri().path());
        let deadline = self.deadline(request.headers(), rule.is_some_and(|rule| rule.is_stream));
        let work = self.tries(request, Repeat::of(rule), deadline, &span);
        let answer = match deadline {
            // The peer keeps the deadline too; this one is for a peer that is gone.
            Some(at) => tokio::time::timeout_at(at, work).await.unwrap_or(Err(Broken::Late)),
            None => work.await,
        };
        answer.unwrap_or_else(|broken| status(broken.into()).into_http())
    }

    /// When nobody waits for the answer any more. A stream lasts until its caller's deadline, if there is one.
    fn deadline(&self, headers: &HeaderMap, is_stream: bool) -> Option<Instant> {
        let asked = headers.get(timeout::HEADER).and_then(timeout::read);
        let time = asked.or((!is_stream).then_some(self.timeout));
        let own = time.and_then(|time| Instant::now().checked_add(time));
        own.into_iter().chain(self.deadline).min()
    }

    async fn tries(
        &self,
        request: Request<Body>,
        repeat: Repeat,
        deadline: Option<Instant>,
        span: &Span,
    ) -> Result<Response<Body>, Broken> {
        let upstream = &self.peer.upstream;
        let (mut head, body) = request.into_parts();
        self.sign(&mut head.headers, deadline, span)?;
        if repeat == Repeat::Never {
            let request = Request::from_parts(head, body);
            return upstream.send(request).await.map_err(Broken::read);
        }
        // One message: kept, so that it can be sent again.
        let message = body.collect().await.map_err(|status| Broken::Lost(status.into()))?;
        let message = message.to_bytes();
        let mut wait = limits::PEER_WAIT;
        for _ in 1..limits::PEER_TRIES {
            let request = Request::from_parts(head.clone(), Body::new(Full::new(message.clone())));
            let broken = match upstream.send(request).await.map_err(Broken::read) {
                Err(broken) if broken.permits(repeat) => broken,
                answer => return answer,
            };
            tracing::debug!(?broken, ?wait, "the peer is not there, trying again");
            pause(jitter(wait)).await;
            wait *= 2;
            self.sign(&mut head.headers, deadline, span)?;
        }
        let request = Request::from_parts(head, Body::new(Full::new(message)));
        upstream.send(request).await.map_err(Broken::read)
    }

    /// Says who calls, in which trace, and how long the answer is waited for.
    fn sign(
        &self,
        headers: &mut HeaderMap,
        deadline: Option<Instant>,
        span: &Span,
    ) -> Result<(), Broken> {
        if let Some(at) = deadline {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Broken::Late);
            }
            headers.insert(timeout::HEADER, text(timeout::write(left)));
        }
        let (assertions, clock) = (&self.peer.assertions, &self.peer.clock);
        let token = assertions.mint(self.caller, &self.subject, &self.scopes, clock.now());
        headers.insert(AUTHORIZATION, text(format!("Bearer {token}")));
        let own = trace::current(span);
        let trace_parent = if own.is_empty() { &self.trace_parent } else { &own };
        if !trace_parent.is_empty() {
            headers.insert(trace::HEADER, text(trace_parent.clone()));
        }
        Ok(())
    }
}

impl Service<Request<Body>> for Call {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let span = tracing::info_span!(
            "call",
            otel.name = request.uri().path().trim_start_matches('/'),
            otel.kind = "client",
            rpc.system = "grpc",
        );
        if trace::current(&Span::current()).is_empty() && !self.trace_parent.is_empty() {
            // Work that stands in no trace of this process continues that of its cause: an event, an early caller.
            let cause = HeaderValue::try_from(&self.trace_parent).ok();
            trace::join(&span, &cause.map(|cause| (trace::HEADER, cause)).into_iter().collect());
        }
        let sent = self.clone().send(request, span.clone());
        Box::pin(sent.map(Ok).instrument(span))
    }
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("tokens, times and trace contexts are visible ASCII")
}
