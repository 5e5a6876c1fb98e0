//! The whole suite in one process: `siyu up`, the demo, and the tests of user stories.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use siyu_gateway::{Digest, Gateway, Parts, Secret as Token};
use siyu_grpc::{Assertions, Upstream};
use siyu_member::vault::{self, Vault};
use siyu_pg::{Db, embedded::Durability};
use siyu_runtime::{CancellationToken, random_bytes};
use tokio::net::TcpListener;

use super::{
    embedded::{Embedded, private_file},
    node::{Host, Upstreams},
    services::Service,
};
use crate::exit::Failure;

/// How long calls and tasks get to end.
const DRAIN: Duration = Duration::from_secs(8);

/// How to run the suite.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// Where REST and documents are served; gRPC too.
    pub http: SocketAddr,
    /// Whether commits survive a crash of the machine.
    pub durability: Durability,
}

/// The running suite.
pub struct Suite {
    host: Host,
    embedded: Embedded,
    dbs: BTreeMap<Service, Db>,
    operator: String,
    grpc: SocketAddr,
    http: SocketAddr,
}

impl Suite {
    /// Starts everything; when this returns, it is ready. Ports are bound first, so that a second suite fails at once.
    pub async fn start(options: Options) -> Result<Self, Failure> {
        let (grpc, http) = (bind(options.grpc).await?, bind(options.http).await?);
        let (grpc_addr, http_addr) = (address(&grpc)?, address(&http)?);
        fs::create_dir_all(&options.data_dir)
            .map_err(|error| Failure::failed(format!("{}: {error}", options.data_dir.display())))?;
        let embedded = Embedded::start(&options.data_dir, options.durability).await?;
        match Self::start_on(&options, &embedded, [grpc, http]).await {
            Ok((host, dbs, operator)) => {
                Ok(Self { host, embedded, dbs, operator, grpc: grpc_addr, http: http_addr })
            }
            Err(failure) => {
                embedded.stop().await?;
                Err(failure)
            }
        }
    }

    /// Starts the services on databases that run.
    async fn start_on(
        options: &Options,
        embedded: &Embedded,
        listeners: [TcpListener; 2],
    ) -> Result<(Host, BTreeMap<Service, Db>, String), Failure> {
        let operator = private_file(&options.data_dir.join("operator.token"), || {
            Token::new(random_bytes()).expose().to_owned()
        })?;
        let key = private_file(&options.data_dir.join("internal.key"), || {
            Token::new(random_bytes()).expose().to_owned()
        })?;
        let assertions = Arc::new(Assertions::new(key.as_bytes()).map_err(Failure::because)?);
        let vault_key =
            private_file(&options.data_dir.join("vault.key"), || vault::new_key(random_bytes))?;
        let vault = Vault::new(&vault_key, "", random_bytes::<32>).map_err(Failure::because)?;
        let host = Host::new(assertions, siyu_grpc::Settings::default(), None, Some(vault));
        let dbs = embedded.connect().await?;
        let gateway = start_services(&host, &dbs, &operator).await?;
        for listener in listeners {
            let gateway = gateway.clone();
            let listener = Arc::new(std::sync::Mutex::new(Some(listener)));
            drop(host.tasks.spawn(
                "gateway.serve",
                siyu_runtime::Policy::Shutdown,
                move |stop: CancellationToken| {
                    let (gateway, listener) = (gateway.clone(), take(&listener));
                    async move { gateway.serve(listener, stop).await }
                },
            ));
        }
        host.readiness.ready().await;
        Ok((host, dbs, operator))
    }

    /// Where gRPC is served.
    pub const fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// Where REST and documents are served.
    pub const fn http(&self) -> SocketAddr {
        self.http
    }

    /// The operator's token.
    pub fn operator_token(&self) -> &str {
        &self.operator
    }

    /// The database of a service, for tests and tools.
    pub fn db(&self, service: Service) -> &Db {
        &self.dbs[&service]
    }

    /// The url of a service's database as its owner, for tests and tools.
    pub fn owner_url(&self, service: Service) -> String {
        self.embedded.owner_url(service)
    }

    /// The process of the database server.
    pub fn postgres_pid(&self) -> Option<u32> {
        self.embedded.pid()
    }

    /// Runs until `stop`, or until something fails that cannot be mended.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), Failure> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            failure = self.embedded.supervise() => Err(failure),
            failure = self.host.tasks.failure() => Err(Failure::failed(failure)),
        }
    }

    /// Ends everything in order: no new calls, calls in progress, tasks, database.
    pub async fn stop(self) -> Result<(), Failure> {
        self.host.readiness.drain();
        self.host.tasks.shutdown(DRAIN).await;
        for db in self.dbs.values() {
            db.close().await;
        }
        self.embedded.stop().await
    }
}

/// Starts the services in one process, each reachable by the others without a network, and the gateway before them.
async fn start_services(
    host: &Host,
    dbs: &BTreeMap<Service, Db>,
    operator: &str,
) -> Result<Gateway, Failure> {
    let (mut upstreams, mut later): (Upstreams, _) = (Upstreams::new(), Vec::new());
    for service in Service::INNER {
        let (upstream, late) = Upstream::late();
        upstreams.insert(service, upstream);
        later.push((service, late));
    }
    for (service, late) in later {
        late.bind(host.start(service, &dbs[&service], &upstreams).await?);
    }
    let digest = Digest::of(operator)
        .ok_or_else(|| {
            Failure::failed("operator.token in the data directory is not a token of siyu")
        })?
        .to_string();
    let config = siyu_gateway::Config { operator_sha256: digest, ..Default::default() };
    gateway(host, &config, &dbs[&Service::Gateway], upstreams)
}

/// The gateway before services, wherever they are.
pub fn gateway(
    host: &Host,
    config: &siyu_gateway::Config,
    db: &Db,
    upstreams: Upstreams,
) -> Result<Gateway, Failure> {
    host.watch(Service::Gateway, db);
    let parts = Parts {
        db: db.clone(),
        upstreams: upstreams
            .into_iter()
            .map(|(service, upstream)| (service.name(), upstream))
            .collect(),
        assertions: host.assertions.clone(),
        clock: host.clock.clone(),
        ids: host.ids.clone(),
        random: random_bytes::<32>,
        readiness: host.readiness.clone(),
        tasks: host.tasks.clone(),
    };
    Gateway::build(config, parts).map_err(Failure::because)
}

/// Binds an address, or says who might have it.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(addr).await.map_err(|error| {
        Failure::failed(format!("cannot listen on {addr}: {error}"))
            .hint("another siyu may be running; --grpc and --http choose other addresses")
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(Failure::because)
}

/// Takes a listener out: its task runs once.
pub fn take(listener: &std::sync::Mutex<Option<TcpListener>>) -> TcpListener {
    let mut listener = listener.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    listener.take().expect("a task that ends the process when it fails runs once")
}
