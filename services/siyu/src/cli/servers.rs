//! The commands that run the suite.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{OutputArgs, words};
use crate::host::services::Service;

/// `siyu demo`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::DEMO_EXAMPLES)]
pub struct DemoArgs {
    /// End after the report instead of staying up
    #[arg(long)]
    pub once: bool,
    /// Where the database is kept: .siyu here unless it says otherwise
    #[arg(long, env = "SIYU_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where gRPC is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070")]
    pub grpc: SocketAddr,
    /// Where REST and documents are served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7080")]
    pub http: SocketAddr,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `siyu up`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::UP_EXAMPLES)]
pub struct UpArgs {
    /// Where the database is kept: .siyu here unless it says otherwise
    #[arg(long, env = "SIYU_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
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
    pub service: Service,
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
    pub service: Option<Service>,
    /// The configuration file (TOML)
    #[arg(long, env = "SIYU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `siyu config`
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// The configuration file (TOML)
    #[arg(long, env = "SIYU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}
