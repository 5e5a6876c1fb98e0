//! The commands that run the suite.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

use super::OutputArgs;

/// `siyu demo`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Start everything, import real orders and show the report.

Starts the whole suite in this process on an embedded PostgreSQL, opens a demo merchant,
imports the CDNOW orders (69,659 purchases of 23,570 customers, 1997-1998) through the public
API, waits until the figures have caught up, and prints the report. Then the suite stays up,
with its addresses, a token and commands to try on the screen, until Ctrl-C.

A second run finds the data and imports nothing twice.",
    after_help = "\
Examples:
  siyu demo
  siyu demo --once --json > report.json"
)]
pub struct DemoArgs {
    /// End after the report instead of staying up
    #[arg(long)]
    pub once: bool,
    /// Where the database is kept
    #[arg(long, env = "SIYU_DATA_DIR", value_name = "DIR", default_value = ".siyu")]
    pub data_dir: PathBuf,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `siyu up`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Run the whole suite in one process, on a PostgreSQL of its own.

Finds PostgreSQL's programs, keeps a private database under the data directory, brings it to
the schema of this version, and serves the five services and the gateway until Ctrl-C. A
second Ctrl-C ends at once. No other process is left behind.",
    after_help = "\
Examples:
  siyu up
  siyu up --data-dir /var/lib/siyu --http 0.0.0.0:7080"
)]
pub struct UpArgs {
    /// Where the database is kept
    #[arg(long, env = "SIYU_DATA_DIR", value_name = "DIR", default_value = ".siyu")]
    pub data_dir: PathBuf,
    /// Where the services listen for gRPC
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070")]
    pub grpc: SocketAddr,
    /// Where the gateway listens: REST/JSON, documents, and gRPC for clients
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7080")]
    pub http: SocketAddr,
}

/// `siyu serve`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Run one service on configured PostgreSQL, peers and, if set, NATS JetStream.

Values come from the defaults, then the file, then the environment: SIYU__SECTION__KEY=value
sets section.key. `siyu config SERVICE` prints every key with its effective value. A service
refuses to start while `siyu migrate` has work to do.",
    after_help = "\
Examples:
  siyu serve order --config /etc/siyu/order.toml
  SIYU__DATABASE__URL=postgres://siyu_app@db/siyu_order siyu serve order"
)]
pub struct ServeArgs {
    /// Which one
    #[arg(value_enum)]
    pub service: ServiceName,
    /// The configuration file (TOML)
    #[arg(long, env = "SIYU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `siyu migrate`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Bring the databases to the schema of this version.

Safe to run by several at once and again: each migration is applied once, in its own
transaction. `siyu up` and `siyu demo` do this by themselves.",
    after_help = "\
Examples:
  siyu migrate --config /etc/siyu/siyu.toml
  siyu migrate order"
)]
pub struct MigrateArgs {
    /// Only this service's database; all of them without
    #[arg(value_enum)]
    pub service: Option<ServiceName>,
    /// The configuration file (TOML)
    #[arg(long, env = "SIYU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `siyu config`
#[derive(Debug, Clone, Args)]
#[command(long_about = "\
Print the effective configuration, without secrets.

Shows each key with its value after the defaults, the file and the environment; what is
secret is shown as ***. A key that nothing reads is an error that names it.")]
pub struct ConfigArgs {
    /// Only this service's; all of them without
    #[arg(value_enum)]
    pub service: Option<ServiceName>,
    /// The configuration file (TOML)
    #[arg(long, env = "SIYU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The services of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum ServiceName {
    /// People, stores, points.
    Member,
    /// Orders of every platform.
    Order,
    /// Promoters and what they earn.
    Distribution,
    /// Words to people.
    Messaging,
    /// The numbers.
    Metrics,
    /// The door: tokens, REST, documents.
    Gateway,
}
