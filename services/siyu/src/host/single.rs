//! One service in a process: `siyu serve`, and the commands that prepare its database.

use std::{path::Path, sync::Arc, time::Duration};

use siyu_grpc::{Assertions, Upstream};
use siyu_pg::{Db, Settings};
use siyu_runtime::{
    CancellationToken, Policy, Tasks,
    config::{self, Secret},
    pause, random_bytes,
};
use siyu_vault::Vault;
use tokio::net::TcpListener;

use super::{
    admin,
    config::Config,
    node::{Host, Nats, Upstreams},
    services::Service,
    suite::{bind, gateway, take},
};
use crate::exit::Failure;

/// How long calls and tasks get to end.
const DRAIN: Duration = Duration::from_secs(15);
/// How often a schema that is behind is looked at again.
const SCHEMA_PAUSE: Duration = Duration::from_secs(2);

/// Reads the configuration.
pub fn load(file: Option<&Path>) -> Result<Config, Failure> {
    config::load(file).map_err(Failure::usage)
}

/// Serves one service until `stop`.
pub async fn serve(
    service: Service,
    config: Config,
    stop: CancellationToken,
) -> Result<(), Failure> {
    // Ports first: whoever cannot have them should know before anything else happens.
    let addr = if service == Service::Gateway { config.http.addr } else { config.grpc.addr };
    let (listener, admin_listener) = (bind(addr).await?, bind(config.admin.addr).await?);
    let host = host(service, &config)?;
    run_admin(&host, admin_listener);
    let done = tokio::select! {
        done = run(service, &config, &host, listener) => done,
        () = stop.cancelled() => Ok(()),
    };
    host.readiness.drain();
    host.tasks.shutdown(DRAIN).await;
    done
}

async fn run(
    service: Service,
    config: &Config,
    host: &Host,
    listener: TcpListener,
) -> Result<(), Failure> {
    let db = connect(config, service).await?;
    wait_for_schema(host, &db, service).await?;
    let upstreams = upstreams(config, service)?;
    let tasks = host.tasks.clone();
    if service == Service::Gateway {
        let gateway = gateway(host, &config.gateway, &db, upstreams)?;
        spawn(&tasks, listener, move |listener, stop| {
            let gateway = gateway.clone();
            async move { gateway.serve(listener, stop).await.map_err(Into::into) }
        });
    } else {
        let app = host.start(service, &db, &upstreams).await?;
        spawn(&tasks, listener, move |listener, stop| {
            let app = app.clone();
            async move { app.serve(listener, stop).await.map_err(Into::into) }
        });
    }
    Err(Failure::failed(tasks.failure().await))
}

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn spawn<W, F>(tasks: &Tasks, listener: TcpListener, serve: W)
where
    W: Fn(TcpListener, CancellationToken) -> F + Send + 'static,
    F: Future<Output = Served> + Send + 'static,
{
    let listener = Arc::new(std::sync::Mutex::new(Some(listener)));
    drop(tasks.spawn("serve", Policy::Shutdown, move |stop| serve(take(&listener), stop)));
}

fn run_admin(host: &Host, listener: TcpListener) {
    let readiness = host.readiness.clone();
    // Not ready before the service has said more.
    readiness.component("service").not_ready("starting");
    let listener = Arc::new(std::sync::Mutex::new(Some(listener)));
    drop(host.tasks.spawn("admin", Policy::Shutdown, move |stop| {
        admin::serve(take(&listener), readiness.clone(), stop)
    }));
}

fn host(service: Service, config: &Config) -> Result<Host, Failure> {
    let key = config.auth.internal_key.expose();
    let assertions = Assertions::new(key.as_bytes())
        .map_err(|error| Failure::usage(format!("auth.internal_key: {error}")))?;
    let nats =
        (!config.nats.url.is_empty()).then(|| Nats { url: config.nats.url.expose().to_owned() });
    let (member, order) = (&config.member, &config.order);
    let vault = match service {
        Service::Member => Some(vault("member", &member.vault_key, &member.vault_key_before)?),
        Service::Order => Some(vault("order", &order.vault_key, &order.vault_key_before)?),
        Service::Distribution | Service::Messaging | Service::Metrics | Service::Gateway => None,
    };
    let host = Host::new(Arc::new(assertions), config.grpc.limits.clone(), nats, vault);
    let provider_origins = order.origins();
    Ok(Host { events: config.events.clone(), provider_origins, ..host })
}

fn vault(section: &str, current: &Secret, before: &Secret) -> Result<Vault, Failure> {
    let (current, before) = (current.expose(), before.expose());
    let failure = |key: &str, error| Failure::usage(format!("{section}.{key} {error}"));
    // The one before is read alone first, so that the message names the right one.
    if !before.is_empty() {
        Vault::new(before, "", random_bytes::<32>)
            .map_err(|error| failure("vault_key_before", error))?;
    }
    Vault::new(current, before, random_bytes::<32>).map_err(|error| {
        let name = section.to_uppercase();
        failure("vault_key", error)
            .hint(format!("SIYU__{name}__VAULT_KEY=$(openssl rand -hex 32), kept safe"))
    })
}

async fn connect(config: &Config, service: Service) -> Result<Db, Failure> {
    if config.database.url.is_empty() {
        return Err(
            Failure::usage("database.url is not set").hint("SIYU__DATABASE__URL=postgres://…")
        );
    }
    let settings = Settings {
        max_connections: config.database.max_connections,
        application_name: format!("siyu-{}", service.name()),
        ..Settings::new(config.database.url.expose())
    };
    Db::connect(&settings).await.map_err(|error| Failure::failed(format!("database.url: {error}")))
}

/// Waits, not ready, until the schema is there: the migration runs beside, or comes later.
async fn wait_for_schema(host: &Host, db: &Db, service: Service) -> Result<(), Failure> {
    let component = host.readiness.component("service");
    let migrations = service.migrations();
    loop {
        match siyu_pg::pending(db, &migrations).await {
            Ok(pending) if pending.is_empty() => break,
            Ok(pending) => {
                let reason = format!(
                    "{} migrations are pending: run `siyu migrate {}`",
                    pending.len(),
                    service.name()
                );
                tracing::warn!("{reason}");
                component.not_ready(reason);
            }
            Err(error) => {
                tracing::warn!(%error, "the schema cannot be looked at");
                component.not_ready(error.to_string());
            }
        }
        pause(SCHEMA_PAUSE).await;
    }
    component.ready();
    Ok(())
}

fn upstreams(config: &Config, service: Service) -> Result<Upstreams, Failure> {
    let mut upstreams = Upstreams::new();
    for &peer in service.peers() {
        let url = config.peers.of(peer);
        if url.is_empty() {
            let (service, peer) = (service.name(), peer.name());
            return Err(Failure::usage(format!(
                "peers.{peer} is not set: the {service} service needs it"
            )));
        }
        let upstream = Upstream::remote(url, &config.grpc.remote)
            .map_err(|error| Failure::usage(format!("peers.{}: {error}", peer.name())))?;
        upstreams.insert(peer, upstream);
    }
    Ok(upstreams)
}

/// Brings databases up to date, of one service or of all; returns a line for each.
pub async fn migrate(
    config: &Config,
    service: Option<Service>,
) -> Result<Vec<(Service, usize)>, Failure> {
    if config.migrations.url.is_empty() {
        return Err(Failure::usage("migrations.url is not set")
            .hint("SIYU__MIGRATIONS__URL=postgres://owner:…@host/{service}; {service} stands for each service's name"));
    }
    let services = service.map_or_else(|| Service::ALL.to_vec(), |service| vec![service]);
    let mut lines = Vec::new();
    for service in services {
        let url = config.migrations.url_of(service);
        let applied = siyu_pg::migrate(&url, &service.migrations()).await;
        let applied =
            applied.map_err(|error| Failure::failed(format!("{}: {error}", service.name())))?;
        lines.push((service, applied.versions.len()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_sound_vault_key_is_told_which_one_and_why() {
        let good = "ab".repeat(32);
        for (current, before, message) in [
            ("", "", "vault_key is not set"),
            ("abcd", "", "vault_key must hold at least 32 bytes, it holds 2"),
            ("what?", "", "vault_key must be hexadecimal or base64"),
            (&good, "abcd", "vault_key_before must hold at least 32 bytes, it holds 2"),
        ] {
            for section in ["member", "order"] {
                let failure = vault(section, &current.into(), &before.into()).unwrap_err();
                assert_eq!(
                    (failure.exit, failure.message),
                    (crate::exit::Exit::Usage, format!("{section}.{message}"))
                );
            }
        }
        assert!(vault("order", &good.as_str().into(), &"".into()).is_ok());
    }

    #[test]
    fn addresses_of_payment_companies_are_read_one_by_one() {
        let order = super::super::config::Order {
            provider_origins: " https://a:1/ ,, https://b".to_owned(),
            ..Default::default()
        };
        assert_eq!(order.origins(), ["https://a:1", "https://b"]);
    }
}
