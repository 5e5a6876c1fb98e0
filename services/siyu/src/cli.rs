//! The command line: what can be asked, and the words that explain it. No work is done here.

mod clients;
mod servers;
mod words;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use siyu_runtime::Secret;

pub use clients::{
    BaselineArgs, ImportCommand, ImportOrdersArgs, LedgerCommand, MerchantCommand,
    MerchantCreateArgs, MetricsCommand, ProbeArgs, ReportArgs, StoreCommand, StoreImportArgs,
    UpkeepArgs,
};
pub use servers::{ConfigArgs, DemoArgs, MigrateArgs, ServeArgs, UpArgs};

/// Where a running suite is looked for when nothing else is said: the gateway of `siyu up`.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7080";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "siyu",
    version,
    about = "The back end of private-domain commerce (私域), and its client",
    long_about = words::SIYU,
    after_long_help = words::EXIT_CODES,
    arg_required_else_help = true,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What is asked.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything, import real orders and show the report
    #[command(long_about = words::DEMO)]
    Demo(DemoArgs),
    /// Run the whole suite in one process, on a PostgreSQL of its own
    #[command(long_about = words::UP)]
    Up(UpArgs),
    /// Run one service on configured PostgreSQL and peers
    #[command(long_about = words::SERVE)]
    Serve(ServeArgs),
    /// Bring the databases to the schema of this version
    #[command(long_about = words::MIGRATE)]
    Migrate(MigrateArgs),
    /// Print the effective configuration, without secrets
    #[command(long_about = words::CONFIG)]
    Config(ConfigArgs),
    /// Ask a running service whether it is ready
    #[command(long_about = words::PROBE)]
    Probe(ProbeArgs),
    /// Open merchants
    #[command(subcommand)]
    Merchant(MerchantCommand),
    /// Bring in stores
    #[command(subcommand)]
    Store(StoreCommand),
    /// Bring in orders
    #[command(subcommand)]
    Import(ImportCommand),
    /// Show what the orders say: sales, who comes back, the triangle
    #[command(long_about = words::REPORT)]
    Report(ReportArgs),
    /// Verify the ledgers
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Look after the figures
    #[command(subcommand)]
    Metrics(MetricsCommand),
}

/// How a client finds the suite and says who it is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Where the gateway listens
    #[arg(long, env = "SIYU_SERVER", value_name = "URL", default_value = DEFAULT_SERVER)]
    pub server: String,
    /// The bearer token; better in the environment than here, where other users see it
    #[arg(long, env = "SIYU_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    #[arg(value_parser = secret)]
    pub token: Option<Secret>,
    /// The authority (PEM) that signed the certificate of an https:// server
    #[arg(long, env = "SIYU_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// How a command shows its result.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print the result as one JSON object on stdout, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// No progress and no notes; errors and the result stay
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colours; "auto" looks at the terminal and at `NO_COLOR`
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColorChoice,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Never.
    Never,
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that may fail")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests;
