//! The suite as six processes: five services and the gateway, each `siyu serve`, on one PostgreSQL and NATS JetStream.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use siyu::host::services::Service;
use siyu_gateway::Secret;
use siyu_pg::embedded::{APP, OWNER, Server};
use siyu_runtime::random_bytes;
use siyu_testkit::{Scratch, postgres};

use super::{
    LIMIT,
    broker::Broker,
    place::{Databases, Place},
    program::{Program, free_addr, run_siyu},
    until,
    up::is_ready,
};

/// The processes.
pub struct Six {
    scratch: Scratch,
    broker: Broker,
    addrs: BTreeMap<Service, (SocketAddr, SocketAddr)>,
    programs: BTreeMap<Service, Program>,
    operator: Secret,
    key: Secret,
    vault_key: String,
    app_urls: Databases,
    owner_urls: Databases,
}

impl Six {
    /// Makes the databases, migrates them with the program, starts all six, and waits until each says that it is ready.
    pub async fn start() -> Self {
        Self::start_on(postgres().await).await
    }

    /// The same on a PostgreSQL of a story's own.
    pub async fn start_on(server: &Server) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let place = format!("six{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let database = |name: &str| format!("{place}_{name}");
        for service in Service::ALL {
            server.ensure_database(&database(service.name())).await.expect("it can be made");
        }
        let url = |role, service: Service| server.url(role, &database(service.name()));
        let mut six = Self {
            scratch: Scratch::new(),
            broker: Broker::start().await,
            addrs: Service::ALL.map(|service| (service, (free_addr(), free_addr()))).into(),
            programs: BTreeMap::new(),
            operator: Secret::new(random_bytes()),
            key: Secret::new(random_bytes()),
            vault_key: "0123456789abcdef".repeat(4),
            app_urls: Databases::new(|service| url(APP, service)),
            owner_urls: Databases::new(|service| url(OWNER, service)),
        };
        let url = server.url(OWNER, &database("{service}"));
        let migrated = run_siyu(&["migrate"], &[("SIYU__MIGRATIONS__URL", &url)]).await;
        assert_eq!(migrated.code, Some(0), "{migrated:?}");
        for service in Service::ALL {
            six.start_one(service);
        }
        for service in Service::ALL {
            six.wait_for(service).await;
        }
        six
    }

    /// A folder for what belongs to the story.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Asks one process to end, as a rolling update does, and waits until it has ended well.
    pub async fn terminate(&mut self, service: Service) {
        let program = self.programs.remove(&service).expect("it was started");
        let finished = program.terminate().await;
        assert_eq!(finished.code, Some(0), "{}: {finished:?}", service.name());
    }

    /// Kills one process.
    pub fn kill9(&mut self, service: Service) {
        self.programs.get_mut(&service).expect("it was started").kill9();
    }

    /// Starts one process.
    pub fn start_one(&mut self, service: Service) {
        let env = self.env(service);
        let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let args = ["serve", service.name()];
        let program = Program::start(self.scratch.path(), service.name(), &args, &env);
        self.programs.insert(service, program);
    }

    /// Waits until one process says that it is ready.
    pub async fn wait_for(&mut self, service: Service) {
        let admin = self.addrs[&service].1;
        let program = self.programs.get_mut(&service).expect("it was started");
        until(&format!("siyu serve {} is ready", service.name()), LIMIT, async || {
            assert!(program.is_running(), "siyu serve {} ended", service.name());
            is_ready(admin, "/readyz").await.then_some(())
        })
        .await;
    }

    /// Where the suite is.
    pub fn place(&self) -> Place {
        Place {
            http: self.addrs[&Service::Gateway].0,
            operator: self.operator.expose().to_owned(),
            databases: self.owner_urls.clone(),
        }
    }

    /// Asks all of them to end.
    pub async fn stop(self) {
        for (service, program) in self.programs {
            let finished = program.stop().await;
            assert_eq!(finished.code, Some(0), "{}: {finished:?}", service.name());
        }
    }

    fn env(&self, service: Service) -> Vec<(String, String)> {
        let (addr, admin) = self.addrs[&service];
        let listen = if service == Service::Gateway { "HTTP" } else { "GRPC" };
        let mut env = vec![
            (format!("SIYU__{listen}__ADDR"), addr.to_string()),
            ("SIYU__ADMIN__ADDR".to_owned(), admin.to_string()),
            ("SIYU__DATABASE__URL".to_owned(), self.app_urls.url(service).to_owned()),
            ("SIYU__NATS__URL".to_owned(), self.broker.url()),
            ("SIYU__AUTH__INTERNAL_KEY".to_owned(), self.key.expose().to_owned()),
        ];
        for peer in service.peers() {
            let name = format!("SIYU__PEERS__{}", peer.name().to_uppercase());
            env.push((name, format!("http://{}", self.addrs[peer].0)));
        }
        if matches!(service, Service::Member | Service::Order) {
            let name = format!("SIYU__{}__VAULT_KEY", service.name().to_uppercase());
            env.push((name, self.vault_key.clone()));
        }
        if service == Service::Gateway {
            let digest = self.operator.digest().to_string();
            env.push(("SIYU__GATEWAY__OPERATOR_SHA256".to_owned(), digest));
        }
        env
    }
}
