#![doc = include_str!("../README.md")]

// What the contracts say.
mod contract;
// Who comes in.
mod auth;
mod token;
// How a call gets to its service.
mod passthrough;
mod rest;
mod upstreams;
// What people read.
mod docs;
mod example;
mod openapi;
// What comes in on the ports, and what goes out.
mod body;
mod door;
mod hooks;
mod problem;
mod serve;
mod stream;
mod trace;

pub mod config;
pub mod limits;

use std::{collections::BTreeMap, io, sync::Arc};

use http::{Request, Response};
use siyu_grpc::{App, Assertions, Peer, Server, Upstream};
use siyu_kernel::{Clock, Ids};
use siyu_pg::{Db, Migration};
use siyu_proto::gateway::v1::token_service_server::TokenServiceServer;
use siyu_runtime::{CancellationToken, Policy, Readiness, Tasks};
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::body::Body;

pub use config::Config;
pub use contract::ContractError;
pub use token::{Digest, Secret};

use auth::Doorman;
use contract::Contract;
use door::{Cors, Door, Pages};
use hooks::Hooks;
use passthrough::Passthrough;
use rest::Rest;
use token::Tokens;
use upstreams::Upstreams;

/// The schema of the gateway's database, besides [`siyu_pg::base_migrations`].
#[must_use]
pub const fn migrations() -> &'static [Migration] {
    &[Migration {
        version: 1001,
        name: "create_tokens",
        sql: include_str!("../migrations/1001_create_tokens.sql"),
    }]
}

/// What the gateway is built from.
#[derive(Debug)]
pub struct Parts {
    /// Its database, migrated.
    pub db: Db,
    /// The services behind it, by the second part of their packages: "member", "order", … "gateway" is its own.
    pub upstreams: BTreeMap<&'static str, Upstream>,
    /// Signs what the services believe.
    pub assertions: Arc<Assertions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// 256 bits that nobody can guess: `siyu_runtime::random_bytes`.
    pub random: fn() -> [u8; 32],
    /// Whether the process may be given work.
    pub readiness: Readiness,
    /// Runs the look-ups of tokens.
    pub tasks: Tasks,
}

/// A gateway that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configured digest of the operator's token is none.
    #[error("operator_sha256 must be 64 hexadecimal digits")]
    Operator,
    /// A contract asks for what the gateway does not do.
    #[error("the contracts cannot be served")]
    Contract(#[from] ContractError),
    /// Its own service cannot be built.
    #[error(transparent)]
    Server(#[from] siyu_grpc::BuildError),
    /// Reflection cannot read the contracts.
    #[error("reflection cannot read the contracts")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// The door. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Gateway {
    door: Arc<Door>,
    config: Arc<Config>,
}

impl Gateway {
    /// Builds the gateway of the suite's contracts.
    ///
    /// # Errors
    /// [`BuildError`], before anything is served.
    pub fn build(config: &Config, parts: Parts) -> Result<Self, BuildError> {
        Self::of_contracts(siyu_proto::DESCRIPTOR_SET, config, parts)
    }

    /// Builds a gateway of other contracts, given as an encoded descriptor set: for tests of what the suite's do not use.
    ///
    /// # Errors
    /// As [`Gateway::build`].
    pub fn of_contracts(
        descriptor_set: &[u8],
        config: &Config,
        parts: Parts,
    ) -> Result<Self, BuildError> {
        let contract = Arc::new(Contract::read(descriptor_set)?);
        let doorman = doorman(config, &parts)?;
        let own = own_service(config, &contract, &parts, doorman.clone())?;
        let mut upstreams = parts.upstreams;
        upstreams.insert("gateway", Upstream::in_process(own));
        let order = upstreams.get("order").cloned().unwrap_or_else(|| Upstream::late().0);
        let order = Peer::new(order, "gateway", parts.assertions, parts.clock.clone());
        let hooks = Hooks::new(order, parts.clock, &config.http);
        let upstreams = Arc::new(Upstreams(upstreams));

        let openapi = openapi::document(&contract);
        let pages = Pages::new(&docs::page(&contract), &openapi, parts.readiness.clone());
        let rest = Rest::new(&contract, upstreams.clone(), doorman.clone(), &config.http)?;
        let grpc = Passthrough::new(contract, upstreams, doorman, parts.readiness)?;
        let door = Door {
            rest,
            grpc: Arc::new(grpc),
            pages,
            hooks,
            hook_places: Arc::new(Semaphore::new(limits::HOOK_CALLS)),
            cors: Cors::new(&config.cors_origins),
            ids: parts.ids,
            places: Arc::new(Semaphore::new(config.http.in_flight_max)),
            open_places: Arc::new(Semaphore::new(limits::OPEN_CALLS)),
        };
        Ok(Self { door: Arc::new(door), config: Arc::new(config.clone()) })
    }

    /// Serves a port, with every protocol, until `stop`. Call it once for each port.
    ///
    /// # Errors
    /// When the port cannot be served at all.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        serve::serve(self.door.clone(), self.config.http.clone(), listener, stop).await
    }

    /// Answers one request, as if it had come in by a port.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.door.answer(request).await
    }
}

fn doorman(config: &Config, parts: &Parts) -> Result<Arc<Doorman>, BuildError> {
    let operator = match config.operator_sha256.as_str() {
        "" => None,
        hex => Some(Digest::parse(hex).ok_or(BuildError::Operator)?),
    };
    let (db, clock) = (parts.db.clone(), parts.clock.clone());
    let (doorman, lookups) = Doorman::new(db, operator, parts.assertions.clone(), clock);
    // It never fails; should it end, each look-up says so, and what is known stays known for its moment.
    let mut lookups = Some(lookups);
    parts.tasks.spawn("gateway.authenticate", Policy::Log, move |stop| {
        let lookups = lookups.take();
        async move {
            if let Some(lookups) = lookups {
                stop.run_until_cancelled(lookups).await;
            }
            Ok::<_, std::convert::Infallible>(())
        }
    });
    Ok(Arc::new(doorman))
}

fn own_service(
    config: &Config,
    contract: &Contract,
    parts: &Parts,
    doorman: Arc<Doorman>,
) -> Result<App, siyu_grpc::BuildError> {
    let (assertions, clock) = (parts.assertions.clone(), parts.clock.clone());
    let member = parts.upstreams.get("member").cloned().unwrap_or_else(|| Upstream::late().0);
    let tokens = Tokens {
        db: parts.db.clone(),
        member: Peer::new(member, "gateway", assertions.clone(), clock.clone()),
        doorman,
        scopes: contract.scopes().map(str::to_owned).collect(),
        ids: parts.ids.clone(),
        random: parts.random,
    };
    Server::new(config.grpc.clone(), assertions, clock, parts.readiness.clone())
        .service(TokenServiceServer::new(tokens))
        .build()
}
