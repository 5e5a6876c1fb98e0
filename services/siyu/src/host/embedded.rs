//! The private PostgreSQL of `siyu up`: started, migrated, watched, and started again when it dies.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use siyu_pg::{
    Db, Settings,
    embedded::{self, Durability, Options, Server},
};
use siyu_runtime::{CancellationToken, pause};

use super::services::Service;
use crate::exit::{Failure, reason};

/// Connections for each service: together far below what the server admits.
const CONNECTIONS: u32 = 16;
/// A server that died is started again at most so often in a row.
const RESTARTS_MAX: u32 = 5;
/// The first wait before it is started again; each next one doubles.
const RESTART_PAUSE: Duration = Duration::from_millis(200);

/// A private server with a migrated database for each service.
pub struct Embedded {
    server: Server,
}

impl Embedded {
    /// Starts the server under a data directory and brings every database up to date. `None` when `stop` came first: then
    /// nothing runs any more, and a migration that was under way is undone.
    pub async fn start(
        data_dir: &Path,
        durability: Durability,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Failure> {
        // A server that is being made or started is waited for: cut off, it would be left behind.
        let server = Server::start(Options::new(data_dir.join("postgres"), durability))
            .await
            .map_err(Failure::because)?;
        let embedded = Self { server };
        match stop.run_until_cancelled(Box::pin(embedded.migrate())).await {
            Some(Ok(())) => Ok(Some(embedded)),
            Some(Err(failure)) => {
                embedded.stop().await?;
                let hint = format!(
                    "the data directory {} was made by another version of siyu",
                    data_dir.display()
                );
                Err(failure.hint(hint))
            }
            None => {
                embedded.stop().await?;
                Ok(None)
            }
        }
    }

    async fn migrate(&self) -> Result<(), Failure> {
        for service in Service::ALL {
            self.server.ensure_database(service.name()).await.map_err(Failure::because)?;
        }
        let migrate = |service: Service| {
            let url = self.server.url(embedded::OWNER, service.name());
            async move { siyu_pg::migrate(&url, &service.migrations()).await }
        };
        futures::future::try_join_all(Service::ALL.map(migrate)).await.map_err(Failure::because)?;
        Ok(())
    }

    /// The database of each service, as the services' own role.
    pub async fn connect(&self) -> Result<BTreeMap<Service, Db>, Failure> {
        let mut dbs = BTreeMap::new();
        for service in Service::ALL {
            let url = self.server.url(embedded::APP, service.name());
            let settings = Settings {
                max_connections: CONNECTIONS,
                application_name: format!("siyu-{}", service.name()),
                ..Settings::new(url)
            };
            dbs.insert(service, Db::connect(&settings).await.map_err(Failure::because)?);
        }
        Ok(dbs)
    }

    /// The url of a database as its owner, for tools.
    pub fn owner_url(&self, service: Service) -> String {
        self.server.url(embedded::OWNER, service.name())
    }

    /// The process of the server.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Starts the server again whenever it dies; returns when that does not help.
    pub async fn supervise(&self) -> Failure {
        let mut exits = self.server.watch();
        loop {
            let exit = match exits.wait_for(Option::is_some).await {
                Ok(exit) => exit.clone().map(|exit| exit.message).unwrap_or_default(),
                Err(_) => return Failure::failed("PostgreSQL is no longer watched"),
            };
            tracing::warn!(exit, "PostgreSQL ended unexpectedly; it is started again");
            if let Err(failure) = self.restart().await {
                return failure.hint(format!("its log is {}", self.server.log_file().display()));
            }
            tracing::warn!("PostgreSQL runs again; nothing that was committed is lost");
        }
    }

    async fn restart(&self) -> Result<(), Failure> {
        let mut wait = RESTART_PAUSE;
        let mut attempt = 1;
        loop {
            match self.server.restart().await {
                Ok(()) => return Ok(()),
                Err(error) if attempt == RESTARTS_MAX => return Err(Failure::because(error)),
                Err(error) => tracing::warn!(%error, attempt, "PostgreSQL did not start"),
            }
            pause(wait).await;
            wait *= 2;
            attempt += 1;
        }
    }

    /// Stops the server.
    pub async fn stop(self) -> Result<(), Failure> {
        self.server.stop().await.map_err(Failure::because)
    }
}

/// Where the database is kept when nobody says: `.siyu` here; `/var/lib/siyu` when root stands in a folder that the account
/// of PostgreSQL cannot pass.
pub fn default_data_dir() -> PathBuf {
    let here = PathBuf::from(".siyu");
    let Ok(absolute) = std::path::absolute(&here) else { return here };
    let passable = |folder: &Path| {
        fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
    };
    let ancestors_pass = absolute.ancestors().skip(1).all(passable);
    if nix::unistd::geteuid().is_root() && !ancestors_pass {
        PathBuf::from("/var/lib/siyu")
    } else {
        here
    }
}

/// The text of a file that only its owner can read; made with `make` when it is missing.
pub fn private_file(path: &Path, make: impl FnOnce() -> String) -> Result<String, Failure> {
    let named = |error: std::io::Error| {
        Failure::failed(format!("cannot use {}: {}", path.display(), reason(&error)))
    };
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = make();
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let mut file = file.map_err(named)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(named)?;
            Ok(text)
        }
        Err(error) => Err(named(error)),
    }
}
