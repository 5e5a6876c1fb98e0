//! The program `siyu`: starts the suite, and is its client. One module per command; nothing here holds a business rule.

pub mod cli;
pub mod client;
pub mod demo;
pub mod exit;
pub mod host;
pub mod import;
pub mod merchant;
mod number;
pub mod orders_file;
pub mod output;
pub mod probe;
pub mod report;
pub mod serve;
pub mod stores_file;
pub mod upkeep;

use cli::{
    Cli, Command, ImportCommand, LedgerCommand, MerchantCommand, MetricsCommand, StoreCommand,
};
use exit::{Exit, Failure};

/// Runs what the command line asks for.
///
/// # Errors
/// [`Failure`] with the exit code and the words for the person at the terminal.
pub async fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Demo(args) => Box::pin(demo::run(args)).await,
        Command::Up(args) => serve::up(args).await,
        Command::Serve(args) => serve::serve(args).await,
        Command::Migrate(args) => serve::migrate(args).await,
        Command::Config(args) => serve::config(&args),
        Command::Probe(args) => probe::run(&args).await,
        Command::Merchant(MerchantCommand::Create(args)) => merchant::create(&args).await,
        Command::Store(StoreCommand::Import(args)) => stores_file::import(&args).await,
        Command::Import(ImportCommand::Orders(args)) => import::orders(&args).await,
        Command::Report(args) => report::run(&args).await,
        Command::Ledger(LedgerCommand::Check(args)) => upkeep::check_ledgers(&args).await,
        Command::Metrics(MetricsCommand::Rebuild(args)) => upkeep::rebuild_metrics(&args).await,
        Command::Metrics(MetricsCommand::Baseline(args)) => upkeep::set_baseline(&args).await,
    }
}
