//! The database of each service with its schema as it stands, on the server of this process.

use siyu::host::services::Service;
use siyu_pg::{
    embedded::{APP, OWNER},
    migrate,
};
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

static MADE: OnceCell<()> = OnceCell::const_new();

/// A connection to the database of a service as the one who owns the tables.
pub(crate) async fn owner(service: Service) -> PgConnection {
    connect(OWNER, service).await
}

/// A connection as the services themselves have it.
pub(crate) async fn app(service: Service) -> PgConnection {
    connect(APP, service).await
}

async fn connect(role: &str, service: Service) -> PgConnection {
    let server = siyu_testkit::postgres().await;
    MADE.get_or_init(make).await;
    PgConnection::connect(&server.url(role, service.name())).await.unwrap()
}

async fn make() {
    let server = siyu_testkit::postgres().await;
    for service in Service::ALL {
        server.ensure_database(service.name()).await.unwrap();
        migrate(&server.url(OWNER, service.name()), &service.migrations()).await.unwrap();
    }
}

/// The tables of a service's database that belong to no tenant.
pub(crate) fn system_tables(service: Service) -> &'static [&'static str] {
    match service {
        Service::Gateway => &[],
        Service::Member
        | Service::Order
        | Service::Distribution
        | Service::Messaging
        | Service::Metrics => siyu_events::SYSTEM_TABLES,
    }
}
