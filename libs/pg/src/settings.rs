//! How a service reaches its database. Every bound has its reason.

use std::{fmt, str::FromStr, time::Duration};

use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use crate::{Error, tx::PLANS};

/// The settings of one pool.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://…` of the role that services log in as; never printed, for it may hold a password.
    pub url: String,
    /// Connections at most. Beyond some four per core of the database they only wait for each other.
    pub max_connections: u32,
    /// How long a transaction waits for a connection, and for a database that is just starting again.
    pub acquire_timeout: Duration,
    /// How long one statement may run: a request that nobody waits for any more must not hold its locks.
    pub statement_timeout: Duration,
    /// How long a transaction may stand still before the database ends it and frees its locks.
    pub idle_in_transaction_timeout: Duration,
    /// How old a connection may become: memory of a backend grows, and a new primary wants to be found.
    pub max_lifetime: Duration,
    /// How long a connection may be unused: middleboxes forget silent ones.
    pub idle_timeout: Duration,
    /// Who is connected, as shown in `pg_stat_activity`.
    pub application_name: String,
}

impl Settings {
    /// The defaults for a URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            idle_in_transaction_timeout: Duration::from_mins(1),
            max_lifetime: Duration::from_mins(30),
            idle_timeout: Duration::from_mins(5),
            application_name: "siyu".to_owned(),
        }
    }

    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions, Error> {
        let millis = |limit: Duration| limit.as_millis().to_string();
        let options = parse(&self.url)?.application_name(&self.application_name).options([
            ("statement_timeout", millis(self.statement_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.idle_in_transaction_timeout)),
        ]);
        Ok(options.options(PLANS))
    }
}

/// Reads a URL. Statements are not logged one by one: spans tell how long an operation takes.
pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, Error> {
    PgConnectOptions::from_str(url)
        .map(ConnectOptions::disable_statement_logging)
        .map_err(Error::Other)
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("application_name", &self.application_name)
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}
