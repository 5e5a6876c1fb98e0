//! The commands that run the suite.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{OutputArgs, words};

/// `siyu demo`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::DEMO_EXAMPLES)]
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
#[command(after_help = words::UP_EXAMPLES)]
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
#[command(after_help = words::SERVE_EXAMPLES)]
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
#[command(after_help = words::MIGRATE_EXAMPLES)]
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
