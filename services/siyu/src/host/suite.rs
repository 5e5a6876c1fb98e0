//! The whole suite in one process: `siyu up`, the demo, and the tests of user stories.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use siyu_gateway::{Digest, Gateway, Parts, Secret as Token};
use siyu_grpc::{Assertions, Upstream};
use siyu_pg::{Db, embedded::Durability};
use siyu_runtime::{CancellationToken, random_bytes};
use siyu_vault::Vault;
use tokio::net::TcpListener;

use super::{
    embedded::{Embedded, private_file},
    node::{Host, Upstreams},
    services::Service,
};
use crate::exit::{Failure, reason};

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
    data_dir: PathBuf,
    grpc: SocketAddr,
    http: SocketAddr,
}

/// The operator's token, in the data directory.
const OPERATOR_TOKEN: &str = "operator.token";

impl Suite {
    /// Starts everything; when this returns, it is ready.
    pub async fn start(options: Options) -> Result<Self, Failure> {
        let started = Self::start_unless(options, &CancellationToken::new()).await?;
        Ok(started.expect("nobody else has the token to stop it"))
    }

    /// Starts everything; `None` when `stop` came first: then nothing runs any more. Ports are bound first, so that a second
    /// suite fails at once.
    pub async fn start_unless(
        options: Options,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Failure> {
        apart(options.grpc, options.http)?;
        let (grpc, http) = (bind(options.grpc).await?, bind(options.http).await?);
        let (grpc_addr, http_addr) = (address(&grpc)?, address(&http)?);
        let (operator, host) = prepare(&options.data_dir)?;
        let embedded = Embedded::start(&options.data_dir, options.durability, stop).await?;
        let Some(embedded) = embedded else { return Ok(None) };
        let starting = Box::pin(Self::start_on(&host, &operator, &embedded, [grpc, http]));
        let failed = match stop.run_until_cancelled(starting).await {
            Some(Ok(dbs)) => {
                let (grpc, http) = (grpc_addr, http_addr);
                let data_dir = options.data_dir;
                return Ok(Some(Self { host, embedded, dbs, operator, data_dir, grpc, http }));
            }
            Some(Err(failure)) => Err(failure),
            None => Ok(None),
        };
        host.readiness.drain();
        host.tasks.shutdown(DRAIN).await;
        embedded.stop().await?;
        failed
    }

    /// Starts the services on databases that run.
    async fn start_on(
        host: &Host,
        operator: &str,
        embedded: &Embedded,
        listeners: [TcpListener; 2],
    ) -> Result<BTreeMap<Service, Db>, Failure> {
        let dbs = embedded.connect().await?;
        let gateway = start_services(host, &dbs, operator).await?;
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
        Ok(dbs)
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

    /// Where the operator's token is kept.
    pub fn operator_file(&self) -> PathBuf {
        self.data_dir.join(OPERATOR_TOKEN)
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

/// The data directory with the secrets in it, and the host that trusts them.
fn prepare(data_dir: &Path) -> Result<(String, Host), Failure> {
    if data_dir.exists() && !data_dir.is_dir() {
        let message = format!("the data directory {} is a file", data_dir.display());
        return Err(Failure::usage(message).hint("--data-dir names a directory"));
    }
    fs::create_dir_all(data_dir).map_err(|error| {
        let (dir, reason) = (data_dir.display(), reason(&error));
        Failure::failed(format!("cannot make the data directory {dir}: {reason}"))
    })?;
    let secret = |name: &str| {
        private_file(&data_dir.join(name), || Token::new(random_bytes()).expose().to_owned())
    };
    let (operator, key) = (secret(OPERATOR_TOKEN)?, secret("internal.key")?);
    let assertions = Arc::new(Assertions::new(key.as_bytes()).map_err(Failure::because)?);
    let vault_key =
        private_file(&data_dir.join("vault.key"), || siyu_vault::new_key(random_bytes))?;
    let vault = Vault::new(&vault_key, "", random_bytes::<32>).map_err(Failure::because)?;
    Ok((operator, Host::new(assertions, siyu_grpc::Settings::default(), None, Some(vault))))
}

/// Refuses two addresses of which one would take the other's place.
fn apart(grpc: SocketAddr, http: SocketAddr) -> Result<(), Failure> {
    let (one, other) = (grpc.ip(), http.ip());
    let overlap = one == other || one.is_unspecified() || other.is_unspecified();
    if grpc.port() != http.port() || grpc.port() == 0 || !overlap {
        return Ok(());
    }
    let message = format!("--grpc {grpc} and --http {http} are the same address");
    Err(Failure::usage(message).hint("each needs a port of its own; --http answers gRPC too"))
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
        Failure::failed(format!("cannot listen on {addr}: {}", reason(&error)))
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

#[cfg(test)]
mod tests;
