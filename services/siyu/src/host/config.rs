//! The configuration of a process: defaults here, then a TOML file, then `SIYU__SECTION__KEY` in the environment.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use siyu_runtime::{config::Secret, telemetry};

use super::services::Service;

/// Everything that an operator may set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the service listens for gRPC; not read by the gateway.
    pub grpc: Grpc,
    /// Where the gateway listens for REST, gRPC and documents.
    pub http: Http,
    /// Where the process tells whether it lives and is ready.
    pub admin: Admin,
    /// The service's own database.
    pub database: Database,
    /// How `siyu migrate` reaches the databases.
    pub migrations: Migrations,
    /// Where the other services are.
    pub peers: Peers,
    /// The broker of events; without one, events are pulled.
    pub nats: Nats,
    /// How long the service's own events are kept.
    pub events: Events,
    /// What services trust each other by.
    pub auth: Auth,
    /// What only the member service reads.
    pub member: Member,
    /// What only the order service reads.
    pub order: Order,
    /// The bounds of the gateway.
    pub gateway: siyu_gateway::Config,
    /// Logs, traces, telemetry.
    pub telemetry: telemetry::Settings,
}

/// Where the service listens, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grpc {
    /// The address.
    pub addr: SocketAddr,
    /// The bounds of the server.
    pub limits: siyu_grpc::Settings,
    /// The way to peers in other processes.
    pub remote: siyu_grpc::RemoteSettings,
}

/// Where the gateway listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address.
    pub addr: SocketAddr,
}

/// Where the process tells how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// The address of `/livez` and `/readyz`.
    pub addr: SocketAddr,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `postgres://siyu_app:…@host:5432/order`, as the role `siyu_app`.
    pub url: Secret,
    /// How many connections the service may hold.
    pub max_connections: u32,
}

/// The databases as their owner sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Migrations {
    /// `postgres://siyu_owner:…@host:5432/{service}`; `{service}` stands for the name of each service.
    pub url: Secret,
}

/// Where the other services are, as `http://host:port`. Only those that a service asks or follows are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peers {
    /// The member service.
    pub member: String,
    /// The order service.
    pub order: String,
    /// The distribution service.
    pub distribution: String,
    /// The messaging service.
    pub messaging: String,
    /// The metrics service.
    pub metrics: String,
}

/// The broker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:4222`; empty: events are pulled.
    pub url: Secret,
}

/// How long the service's own events are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// An event goes when it is older than so many days and everybody who follows the service has handled it; 0: never.
    pub retention_days: u32,
}

/// What services trust each other by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The key that assertions are signed with: at least 32 bytes, the same for all services.
    pub internal_key: Secret,
}

/// What only the member service reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Member {
    /// The key that personal data are sealed under: at least 32 bytes, hexadecimal or base64. Who loses it loses the data.
    pub vault_key: Secret,
    /// The key before it, while not everything is sealed under the new one yet.
    pub vault_key_before: Secret,
}

/// What only the order service reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// The key that secrets with payment companies are sealed under: at least 32 bytes, hexadecimal or base64. Who loses it has
    /// to enter them anew.
    pub vault_key: Secret,
    /// The key before it, while not everything is sealed under the new one yet.
    pub vault_key_before: Secret,
    /// Where payment companies may be besides their own addresses, `https://host:port` separated by commas: a proxy, or a
    /// simulator. Merchants choose among them.
    pub provider_origins: String,
}

impl Order {
    /// The addresses.
    pub fn origins(&self) -> Vec<String> {
        let trimmed =
            self.provider_origins.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        trimmed.filter(|origin| !origin.is_empty()).map(str::to_owned).collect()
    }
}

impl Default for Grpc {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            limits: siyu_grpc::Settings::default(),
            remote: siyu_grpc::RemoteSettings::default(),
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        // A consumer that is restored from a backup of the last months still finds what it has to handle again.
        Self { retention_days: 90 }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)) }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)) }
    }
}

impl Default for Database {
    fn default() -> Self {
        // Sixteen keep two cores of PostgreSQL busy; more only queue there.
        Self { url: Secret::default(), max_connections: 16 }
    }
}

impl Migrations {
    /// The owner's url of a service's database.
    pub fn url_of(&self, service: Service) -> String {
        self.url.expose().replace("{service}", service.name())
    }
}

impl Peers {
    /// Where a service is; empty when it is not configured.
    pub fn of(&self, service: Service) -> &str {
        match service {
            Service::Member => &self.member,
            Service::Order => &self.order,
            Service::Distribution => &self.distribution,
            Service::Messaging => &self.messaging,
            Service::Metrics => &self.metrics,
            Service::Gateway => "",
        }
    }
}
