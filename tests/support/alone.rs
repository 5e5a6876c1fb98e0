//! One service as a process of its own, on a durable PostgreSQL of its own; a story may kill both. Its siblings are not
//! there: what it asks them waits.

use std::{net::SocketAddr, sync::Arc};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use siyu::host::services::Service;
use siyu_gateway::Secret;
use siyu_grpc::{Assertions, Caller as GrpcCaller, Peer, RemoteSettings, Scopes, Upstream};
use siyu_kernel::Clock;
use siyu_pg::embedded::{APP, Durability, OWNER, Options, Server};
use siyu_runtime::{SystemClock, random_bytes};
use siyu_testkit::{Scratch, pristine_cache};
use sqlx::{Connection, PgConnection};
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

use super::{
    LIMIT,
    caller::Bearer,
    program::{Program, free_addr},
    until,
    up::is_ready,
};

/// The process, its database, and the way to it.
pub struct Alone {
    service: Service,
    addr: SocketAddr,
    admin: SocketAddr,
    env: Vec<(String, String)>,
    assertions: Arc<Assertions>,
    program: Option<Program>,
    server: Server,
    scratch: Scratch,
}

impl Alone {
    /// Makes the database, migrates it, starts the service with settings like `SIYU__DATABASE__MAX_CONNECTIONS`, and waits
    /// until it says that it is ready.
    pub async fn start(service: Service, settings: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new();
        let options = Options {
            pristine_cache: Some(pristine_cache()),
            ..Options::new(scratch.path().join("postgres"), Durability::Durable)
        };
        let server = Server::start(options).await.expect("PostgreSQL can be started");
        let name = service.name();
        server.ensure_database(name).await.expect("it can be made");
        let migrated = siyu_pg::migrate(&server.url(OWNER, name), &service.migrations()).await;
        migrated.expect("its schema can be made");
        let key = Secret::new(random_bytes());
        let (addr, admin) = (free_addr(), free_addr());
        let mut env = vec![
            ("SIYU__GRPC__ADDR".to_owned(), addr.to_string()),
            ("SIYU__ADMIN__ADDR".to_owned(), admin.to_string()),
            ("SIYU__DATABASE__URL".to_owned(), server.url(APP, name)),
            ("SIYU__AUTH__INTERNAL_KEY".to_owned(), key.expose().to_owned()),
            (format!("SIYU__{}__VAULT_KEY", name.to_uppercase()), "0123456789abcdef".repeat(4)),
        ];
        for peer in service.peers() {
            let name = format!("SIYU__PEERS__{}", peer.name().to_uppercase());
            env.push((name, format!("http://{}", free_addr())));
        }
        env.extend(settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let assertions = Assertions::new(key.expose().as_bytes()).expect("the key is long enough");
        let assertions = Arc::new(assertions);
        let mut alone =
            Self { service, addr, admin, env, assertions, program: None, server, scratch };
        alone.start_again();
        alone.wait().await;
        alone
    }

    /// Starts the process.
    pub fn start_again(&mut self) {
        let env: Vec<(&str, &str)> =
            self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let name = self.service.name();
        self.program = Some(Program::start(self.scratch.path(), name, &["serve", name], &env));
    }

    /// Waits until it says that it is ready.
    pub async fn wait(&mut self) {
        let (admin, name) = (self.admin, self.service.name());
        let program = self.program.as_mut().expect("it was started");
        until(&format!("siyu serve {name} is ready"), LIMIT, async || {
            assert!(program.is_running(), "siyu serve {name} ended");
            is_ready(admin, "/readyz").await.then_some(())
        })
        .await;
    }

    /// Kills the process; [`Alone::start_again`] starts another one.
    pub fn kill_service(&mut self) {
        self.program.as_mut().expect("it was started").kill9();
    }

    /// Kills PostgreSQL; [`Alone::restart_database`] starts it again.
    pub async fn kill_database(&self) {
        let pid = self.server.pid().expect("it runs");
        let pid = Pid::from_raw(pid.try_into().expect("process ids have 31 bits"));
        let mut exit = self.server.watch();
        kill(pid, Signal::SIGKILL).expect("it is our child");
        exit.wait_for(Option::is_some).await.expect("it is watched");
    }

    /// Starts PostgreSQL again. What is left of the one that was killed may take a moment to end.
    pub async fn restart_database(&self) {
        until("PostgreSQL runs again", LIMIT, async || self.server.restart().await.ok()).await;
    }

    /// Where the service listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The process id of the service.
    pub fn pid(&self) -> u32 {
        self.program.as_ref().expect("it was started").id()
    }

    /// The service as the gateway calls it, over new connections to an address: its own, or that of a line to it.
    pub fn peer(&self, addr: SocketAddr) -> Peer {
        let settings = RemoteSettings { connections: 1, ..Default::default() };
        let upstream = Upstream::remote(&format!("http://{addr}"), &settings);
        let upstream = upstream.expect("an address can be called");
        Peer::new(upstream, "gateway", Arc::clone(&self.assertions), Arc::new(SystemClock))
    }

    /// One connection to an address, that is opened by the first call and by nothing else; each call is made once.
    pub fn bare(
        &self,
        addr: SocketAddr,
        caller: GrpcCaller,
    ) -> InterceptedService<Channel, Bearer> {
        let endpoint = Endpoint::from_shared(format!("http://{addr}"));
        let channel = endpoint.expect("an address can be called").tcp_nodelay(true).connect_lazy();
        let now = SystemClock.now();
        let token = self.assertions.mint(caller, &"test".into(), &Scopes::all(), now);
        let bearer = format!("Bearer {token}").parse().expect("a token is visible ASCII");
        InterceptedService::new(channel, Bearer(bearer))
    }

    /// A connection that sees everything, to look behind the scenes.
    pub async fn owner(&self) -> PgConnection {
        let url = self.server.url(OWNER, self.service.name());
        PgConnection::connect(&url).await.expect("the owner can connect")
    }

    /// Asks the service to end, then ends PostgreSQL.
    pub async fn stop(mut self) {
        let finished = self.program.take().expect("it was started").stop().await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        self.server.stop().await.expect("PostgreSQL can be stopped");
    }
}
