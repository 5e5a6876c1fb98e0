//! What every call passes, from the outside in. The order stands in [`Stack::handle`] and [`Stack::admitted`], in plain sight.

mod deadline;
mod panics;
mod shed;
mod stream;
mod telemetry;

use std::sync::Arc;

use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use siyu_kernel::{Clock, Code, Fault};
use siyu_runtime::Readiness;
use tokio::time::Instant;
use tonic::{body::Body, service::Routes};
use tower::Service as _;
use tracing::{Instrument, Span};

use crate::{
    access::{Rule, Rules},
    auth::Assertions,
    ctx::Ctx,
    mend,
    settings::Settings,
    status::status,
    trace,
};
use deadline::Deadlines;
use shed::Shed;

/// The stack of one server; shared by its connections and by in-process callers.
#[derive(Debug)]
pub(crate) struct Stack {
    routes: Routes,
    rules: Arc<Rules>,
    assertions: Arc<Assertions>,
    clock: Arc<dyn Clock>,
    readiness: Readiness,
    shed: Shed,
    deadlines: Deadlines,
}

/// What a path means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A method of the contracts.
    Method(&'a Rule),
    /// Health and reflection: the same for everyone, and needed by those who have no credential.
    Open(&'static str),
    /// Nothing that exists.
    Unknown,
}

const OPEN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

impl Stack {
    pub(crate) fn new(
        routes: Routes,
        rules: Arc<Rules>,
        assertions: Arc<Assertions>,
        clock: Arc<dyn Clock>,
        readiness: Readiness,
        settings: &Settings,
    ) -> Self {
        let (shed, deadlines) = (Shed::new(settings), Deadlines::new(settings));
        Self { routes, rules, assertions, clock, readiness, shed, deadlines }
    }

    /// Answers a request: always with a response, whatever happens inside.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let target = self.target(request.uri().path());
        let span = target.span();
        trace::join(&span, request.headers());

        // Panic outermost: whatever breaks below is one failed call, not a lost connection.
        panics::caught(
            // Trace around all that takes time, so that a wait for a place is seen in the trace too.
            // Telemetry inside it counts every answer, refusals included: an overload must be visible.
            telemetry::measured(target, self.answer(target, request)).instrument(span),
        )
        .await
    }

    async fn answer(&self, target: Target<'_>, request: Request<Body>) -> Response<Body> {
        match self.admitted(target, request).await {
            Ok(response) => mend::mended(response),
            Err(fault) => status(fault).into_http(),
        }
    }

    async fn admitted(
        &self,
        target: Target<'_>,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Fault> {
        // The deadline counts from here, so that waiting for a place is part of it.
        let deadline = self.deadlines.of(target, request.headers(), Instant::now());
        deadline::kept(deadline, async {
            // Load shed before any work: a refusal must cost less than a call, or refusing does not help.
            let place = self.shed.place(target).await?;
            // Authentication before the message is read: nobody unknown makes us decode megabytes.
            self.authorise(target, &mut request, deadline)?;
            // Size and shape are checked where the message is read: by the codec, and by `serve`.
            let Ok(response) = self.routes.clone().call(request).await;
            Ok(place.held_by(response, target, deadline))
        })
        .await
    }

    fn authorise(
        &self,
        target: Target<'_>,
        request: &mut Request<Body>,
        deadline: Option<Instant>,
    ) -> Result<(), Fault> {
        let rule = match target {
            Target::Method(rule) => rule,
            Target::Open(_) => return Ok(()),
            Target::Unknown => {
                let message = "there is no such method";
                return Err(Fault::new(Code::Unimplemented, "METHOD_UNKNOWN", message));
            }
        };
        let now = self.clock.now();
        let token = bearer(request.headers())?;
        let who = self.assertions.verify(token, now)?;
        rule.admit(who.caller, &who.scopes)?;
        let ctx = Ctx {
            caller: who.caller,
            subject: who.subject,
            scopes: who.scopes,
            now,
            deadline,
            trace_parent: trace::parent_of(&Span::current(), request.headers()),
        };
        request.extensions_mut().insert(ctx);
        // For those who wait longer than a stop may take.
        request.extensions_mut().insert(self.readiness.clone());
        if rule.is_stream {
            // A stream outlives its first instant: each message is a call of its own, at its own time.
            request.extensions_mut().insert(self.clock.clone());
        }
        Ok(())
    }

    fn target(&self, path: &str) -> Target<'_> {
        if let Some(rule) = self.rules.get(path) {
            return Target::Method(rule);
        }
        let service = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
        let open = OPEN.into_iter().find(|&open| service == Some(open));
        open.map_or(Target::Unknown, Target::Open)
    }
}

impl Target<'_> {
    /// Service and method for telemetry. A made-up path has one name for all: a name per path would never end.
    fn names(&self) -> (&str, &str) {
        match self {
            Self::Method(rule) => (&rule.service, &rule.method),
            Self::Open(service) => (service, "*"),
            Self::Unknown => ("unknown", "unknown"),
        }
    }

    fn is_stream(&self) -> bool {
        match self {
            Self::Method(rule) => rule.is_stream,
            Self::Open(_) => true,
            Self::Unknown => false,
        }
    }

    fn span(&self) -> Span {
        let (service, method) = self.names();
        let name = format_args!("{service}/{method}");
        match self {
            // Probes come every few seconds and tell nothing.
            Self::Open(_) => Span::none(),
            Self::Method(_) | Self::Unknown => tracing::info_span!(
                "rpc",
                otel.name = %name,
                otel.kind = "server",
                rpc.system = "grpc",
                rpc.service = service,
                rpc.method = method,
                rpc.grpc.status_code = tracing::field::Empty,
            ),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Fault> {
    let missing = || {
        let message = "the call carries no credential";
        Fault::new(Code::Unauthenticated, "CREDENTIAL_MISSING", message)
    };
    let value = headers.get(AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}
