//! A server whose methods do what the test asks for, and the ways to reach it.

use std::{
    future::ready,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use siyu_grpc::{
    App, Assertions, Caller, Ctx, Peer, RemoteSettings, Scopes, Server, Settings, Upstream,
};
use siyu_kernel::{Clock, Code, Fault, Id, kind::Merchant as MerchantKind};
use siyu_proto::{
    event::v1::{ReadEventsRequest, ReadEventsResponse},
    member::v1::{
        CreateMerchantRequest, CreateMerchantResponse, GetMerchantRequest, GetMerchantResponse,
        ListMerchantsRequest, ListMerchantsResponse, Merchant,
        merchant_service_client::MerchantServiceClient,
    },
};
use siyu_runtime::{CancellationToken, Readiness};
use tokio::net::TcpListener;
use tonic::Status;
use tonic_types::StatusExt;
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

use crate::methods::{Events, Merchants, Methods};

pub(crate) const KEY: &[u8] = b"a key of the tests, 32 bytes long";
pub(crate) const START: &str = "2024-06-01T00:00:00Z";

/// A clock that stands still until it is told.
#[derive(Debug)]
pub(crate) struct Fixed(Mutex<DateTime<Utc>>);

/// A server, its clock and its key.
pub(crate) struct Fixture {
    pub(crate) app: App,
    pub(crate) clock: Arc<Fixed>,
    pub(crate) assertions: Arc<Assertions>,
    pub(crate) readiness: Readiness,
    pub(crate) probe: Arc<Probe>,
}

/// What the methods saw and did.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    pub(crate) seen: Mutex<Vec<Ctx>>,
    pub(crate) calls: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) work: Mutex<Duration>,
}

impl Fixed {
    pub(crate) fn set(&self, text: &str) {
        *self.0.lock().unwrap() = text.parse().unwrap();
    }
}

impl Clock for Fixed {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) fn merchant(number: u128) -> Id<MerchantKind> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::build(settings, None)
    }

    pub(crate) fn build(settings: Settings, contracts: Option<&'static [u8]>) -> Self {
        static TRACES: Once = Once::new();
        TRACES.call_once(start_traces);
        let clock = Arc::new(Fixed(Mutex::new(START.parse().unwrap())));
        let assertions = Arc::new(Assertions::new(KEY).unwrap());
        let (readiness, probe) = (Readiness::new(), Arc::new(Probe::default()));
        let server = Server::new(settings, assertions.clone(), clock.clone(), readiness.clone());
        let server = match contracts {
            Some(contracts) => server.contracts(contracts),
            None => server,
        };
        let app = server
            .service(merchants(&probe))
            .service(events(&probe))
            .service(crate::streams::imports(&probe))
            .build()
            .unwrap();
        Self { app, clock, assertions, readiness, probe }
    }

    pub(crate) fn local(&self) -> Upstream {
        Upstream::in_process(self.app.clone())
    }

    /// Serves over TCP until the token is cancelled.
    pub(crate) async fn listen(&self) -> (String, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(self.app.clone().serve(listener, stop.clone()));
        (address, stop)
    }

    pub(crate) async fn tcp(&self) -> Upstream {
        let (address, _) = self.listen().await;
        Upstream::remote(&address, &RemoteSettings::default()).unwrap()
    }

    /// The server seen as a sibling called "test".
    pub(crate) fn peer(&self, upstream: Upstream) -> Peer {
        Peer::new(upstream, "test", self.assertions.clone(), self.clock.clone())
    }

    pub(crate) fn client(
        &self,
        upstream: Upstream,
        caller: Caller,
        scopes: &str,
    ) -> MerchantServiceClient<siyu_grpc::Call> {
        let call = self.peer(upstream).call(caller, "tok_test".into(), Scopes::parse(scopes));
        MerchantServiceClient::new(call)
    }

    /// The operator with every right.
    pub(crate) fn operator(&self, upstream: Upstream) -> MerchantServiceClient<siyu_grpc::Call> {
        self.client(upstream, Caller::Platform, "*")
    }
}

/// Traces as the process has them, for the whole test binary: a subscriber per test would miss the call sites that another
/// test's thread has seen first.
fn start_traces() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(layer).init();
}

/// A request whose name says what the method does.
pub(crate) fn create(name: &str) -> CreateMerchantRequest {
    CreateMerchantRequest { name: name.to_owned(), ..CreateMerchantRequest::default() }
}

/// The reason of a status of ours.
pub(crate) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map_or_else(|| format!("no reason, but {status:?}"), |info| info.reason)
}

/// Counts work that was dropped before its end.
struct Work<'a>(&'a Probe, bool);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Probe {
    pub(crate) fn saw(&self, ctx: Ctx) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().unwrap().push(ctx);
    }

    pub(crate) fn last(&self) -> Ctx {
        self.seen.lock().unwrap().last().expect("a call came through").clone()
    }

    async fn create(&self, ctx: Ctx, request: CreateMerchantRequest) -> Result<Merchant, Fault> {
        self.saw(ctx);
        match request.name.as_str() {
            "panic" => panic!("told to"),
            "slow" => {
                let mut work = Work(self, false);
                siyu_runtime::pause(Duration::from_mins(1)).await;
                work.1 = true;
            }
            "taken" => {
                return Err(Fault::new(Code::AlreadyExists, "NAME_TAKEN", "the name is taken")
                    .with("name", &request.name)
                    .caused_by("a cause that is nobody's business"));
            }
            "broken" => return Err(Fault::internal("the password of the database is wrong")),
            _ => {}
        }
        Ok(Merchant { name: request.name, ..Merchant::default() })
    }
}

fn merchants(probe: &Arc<Probe>) -> Methods<Merchants> {
    let (creates, gets, lists) = (probe.clone(), probe.clone(), probe.clone());
    Methods::new()
        .unary("CreateMerchant", move |ctx, request: CreateMerchantRequest| {
            let probe = creates.clone();
            async move {
                let merchant = Some(probe.create(ctx, request).await?);
                Ok(CreateMerchantResponse { merchant })
            }
        })
        .unary("GetMerchant", move |ctx: Ctx, _: GetMerchantRequest| {
            let probe = gets.clone();
            async move {
                let work = *probe.work.lock().unwrap();
                if !work.is_zero() {
                    siyu_runtime::pause(work).await;
                }
                let id = ctx.merchant()?.to_string();
                probe.saw(ctx);
                Ok(GetMerchantResponse { merchant: Some(Merchant { id, ..Merchant::default() }) })
            }
        })
        .unary("ListMerchants", move |ctx, _: ListMerchantsRequest| {
            lists.saw(ctx);
            ready(Ok(ListMerchantsResponse::default()))
        })
}

fn events(probe: &Arc<Probe>) -> Methods<Events> {
    let probe = probe.clone();
    Methods::new().unary("ReadEvents", move |ctx, _: ReadEventsRequest| {
        probe.saw(ctx);
        ready(Ok(ReadEventsResponse::default()))
    })
}
