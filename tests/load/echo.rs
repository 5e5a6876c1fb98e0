//! A call through the gateway (token, passthrough, the service's stack) against a bare tonic server with the same method, and
//! the same call as REST against it as gRPC. The method does nothing, so that only the way is measured.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::try_join_all;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use siyu::host::services::Service;
use siyu_gateway::{Gateway, Parts};
use siyu_grpc::{Assertions, Server, Settings, Upstream, serve};
use siyu_kernel::Fault;
use siyu_proto::member::v1::{
    CreateMerchantRequest, CreateMerchantResponse, GetMerchantRequest, GetMerchantResponse,
    ListMerchantsRequest, ListMerchantsResponse, LookupMerchantRequest, LookupMerchantResponse,
    Merchant,
    merchant_service_client::MerchantServiceClient,
    merchant_service_server::{MerchantService, MerchantServiceServer},
};
use siyu_runtime::{CancellationToken, Readiness, SystemClock, SystemIds, Tasks, random_bytes};
use tokio::net::{TcpListener, TcpStream};
use tonic::{Request, Response, Status, async_trait, metadata::MetadataValue, transport::Endpoint};

use crate::{
    Bench, Result,
    measure::{Cpu, Row, Speed, as_f64, median},
};

const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 4;
const CALLERS_EACH: usize = 8;

#[derive(Clone)]
struct Echo;

fn reply() -> GetMerchantResponse {
    let merchant = Merchant { id: "mch_1".into(), name: "echo".into(), ..Default::default() };
    GetMerchantResponse { merchant: Some(merchant) }
}

#[async_trait]
impl MerchantService for Echo {
    async fn get_merchant(
        &self,
        request: Request<GetMerchantRequest>,
    ) -> std::result::Result<Response<GetMerchantResponse>, Status> {
        if request.extensions().get::<siyu_grpc::Ctx>().is_none() {
            return Ok(Response::new(reply()));
        }
        serve(request, |_, _| async { Ok::<_, Fault>(reply()) }).await
    }

    async fn create_merchant(
        &self,
        _: Request<CreateMerchantRequest>,
    ) -> std::result::Result<Response<CreateMerchantResponse>, Status> {
        Err(Status::unimplemented("echo"))
    }

    async fn lookup_merchant(
        &self,
        _: Request<LookupMerchantRequest>,
    ) -> std::result::Result<Response<LookupMerchantResponse>, Status> {
        Err(Status::unimplemented("echo"))
    }

    async fn list_merchants(
        &self,
        _: Request<ListMerchantsRequest>,
    ) -> std::result::Result<Response<ListMerchantsResponse>, Status> {
        Err(Status::unimplemented("echo"))
    }
}

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let stop = CancellationToken::new();
    let bare = bare(&stop).await?;
    let door = door(bench, &stop).await?;
    let (mut limit, mut grpc, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        limit.push(by_grpc(bare, &bench.token).await?);
        grpc.push(by_grpc(door, &bench.token).await?);
        rest.push(by_rest(door, &bench.token).await?);
    }
    stop.cancel();
    let grpc = median(grpc);
    Ok(vec![
        Row::speed("unary call through the gateway : bare echo", "calls", grpc, median(limit), ""),
        Row::speed("REST : the same call by gRPC", "calls", median(rest), grpc, "≥ 0.7"),
    ])
}

async fn bare(stop: &CancellationToken) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let stop = stop.clone();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = tonic::transport::Server::builder().add_service(MerchantServiceServer::new(Echo));
    tokio::spawn(server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()));
    Ok(addr)
}

/// The gateway of the suite's tokens before a member service that does nothing.
async fn door(bench: &Bench, stop: &CancellationToken) -> Result<SocketAddr> {
    let assertions = Arc::new(Assertions::new(&random_bytes::<32>())?);
    let (clock, readiness) = (Arc::new(SystemClock), Readiness::new());
    let server =
        Server::new(Settings::default(), assertions.clone(), clock.clone(), readiness.clone());
    let app = server.service(MerchantServiceServer::new(Echo)).build()?;
    let upstreams: BTreeMap<&'static str, Upstream> =
        Service::INNER.map(|service| (service.name(), Upstream::in_process(app.clone()))).into();
    let parts = Parts {
        db: bench.suite.db(Service::Gateway).clone(),
        upstreams,
        assertions,
        clock,
        ids: Arc::new(SystemIds),
        random: random_bytes::<32>,
        readiness,
        tasks: Tasks::new(),
    };
    let gateway = Gateway::build(&siyu_gateway::Config::default(), parts)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let stop = stop.clone();
    tokio::spawn(async move { gateway.serve(listener, stop).await });
    Ok(addr)
}

async fn by_grpc(addr: SocketAddr, token: &str) -> Result<Speed> {
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse()?;
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(Endpoint::from_shared(format!("http://{addr}"))?.connect().await?);
    }
    let (cpu, start) = (Cpu::start(None), Instant::now());
    let callers = channels.iter().cycle().take(CONNECTIONS * CALLERS_EACH).map(|channel| {
        let (channel, bearer) = (channel.clone(), bearer.clone());
        async move {
            let mut client = MerchantServiceClient::new(channel);
            let mut done = 0;
            while start.elapsed() < ROUND {
                let mut request = Request::new(GetMerchantRequest {});
                request.metadata_mut().insert("authorization", bearer.clone());
                client.get_merchant(request).await?;
                done += 1;
            }
            Ok::<u64, Status>(done)
        }
    });
    let done: u64 = try_join_all(callers).await?.into_iter().sum();
    Ok(speed(done, start, &cpu))
}

async fn by_rest(addr: SocketAddr, token: &str) -> Result<Speed> {
    let (cpu, start) = (Cpu::start(None), Instant::now());
    let callers = (0..CONNECTIONS * CALLERS_EACH).map(|_| rest_caller(addr, token, start));
    let done: u64 = try_join_all(callers).await?.into_iter().sum();
    Ok(speed(done, start, &cpu))
}

async fn rest_caller(addr: SocketAddr, token: &str, start: Instant) -> Result<u64> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut done = 0;
    while start.elapsed() < ROUND {
        let request = http::Request::get("/v1/merchant")
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {token}"))
            .body(Empty::<Bytes>::new())?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(format!("REST answered {}", response.status()).into());
        }
        response.into_body().collect().await?;
        done += 1;
    }
    Ok(done)
}

fn speed(done: u64, start: Instant, cpu: &Cpu) -> Speed {
    let done = as_f64(done);
    Speed { per_second: done / start.elapsed().as_secs_f64(), cpu_ms: cpu.ms() / done }
}
