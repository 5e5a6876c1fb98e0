//! The commands that talk to a running suite.

use std::{num::NonZeroUsize, path::PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use siyu_kernel::{Currency, CurrencyError, Zone};

use super::{Connection, OutputArgs, words};
use crate::orders_file::{Renames, RepeatedRows};

/// `siyu probe`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::PROBE_EXAMPLES)]
pub struct ProbeArgs {
    /// Where it listens for gRPC
    #[arg(long, env = "SIYU_SERVER", value_name = "URL", default_value = super::DEFAULT_SERVER)]
    pub server: String,
    /// One gRPC service; the whole process without
    #[arg(long, value_name = "NAME", default_value = "")]
    pub service: String,
    /// How long to wait for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub timeout_secs: u64,
    /// Print nothing; the exit code says it
    #[arg(long, short)]
    pub quiet: bool,
}

/// `siyu merchant …`
#[derive(Debug, Subcommand)]
pub enum MerchantCommand {
    /// Open a merchant and print its id and a token
    #[command(long_about = words::MERCHANT_CREATE)]
    Create(MerchantCreateArgs),
}

/// `siyu merchant create`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::MERCHANT_CREATE_EXAMPLES)]
pub struct MerchantCreateArgs {
    /// The name that people know it by
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// The IANA zone in which its days, weeks and months are cut
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    pub zone: Zone,
    /// The ISO 4217 code in which it keeps its figures
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub currency: Currency,
    /// How the suite is found.
    #[command(flatten)]
    pub connection: Connection,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `siyu store …`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Create or change stores from a file
    #[command(long_about = words::STORE_IMPORT)]
    Import(StoreImportArgs),
}

/// `siyu store import`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::STORE_IMPORT_EXAMPLES)]
pub struct StoreImportArgs {
    /// The file; "-" reads stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the suite is found.
    #[command(flatten)]
    pub connection: Connection,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `siyu import …`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Bring in orders from a file
    #[command(long_about = words::IMPORT_ORDERS)]
    Orders(Box<ImportOrdersArgs>),
}

/// `siyu import orders`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::IMPORT_ORDERS_EXAMPLES)]
#[command(after_long_help = words::import_orders_long())]
pub struct ImportOrdersArgs {
    /// The file, plain or gzip; "-" reads stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the file calls our columns
    #[arg(long, value_name = "OURS=THEIRS,…", default_value = "", hide_default_value = true)]
    pub columns: Renames,
    /// The platform that the orders come from: a-z, 0-9, "_" and "-"
    #[arg(long, value_name = "NAME", default_value = "file", value_parser = platform)]
    pub platform: String,
    /// The shop on the platform
    #[arg(long, value_name = "NAME", default_value = "main", value_parser = shop)]
    pub shop: String,
    /// Zone of local times without a store; the merchant's without
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    pub zone: Option<Zone>,
    /// Currency of rows that name none; the merchant's without
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub currency: Option<Currency>,
    /// A guard: stop unless the token is this merchant's
    #[arg(long, value_name = "ID")]
    pub merchant: Option<String>,
    /// Where bad rows go; written anew by each run [default: FILE.rejects.csv]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// A row without `line_no` that repeats an earlier one: another line, or a reject
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub repeated_rows: RepeatedRows,
    /// Orders sent at once, at most 1000
    #[arg(long, value_name = "N", default_value = "500", value_parser = batch)]
    pub batch: NonZeroUsize,
    /// Batches on their way at once, at most 64
    #[arg(long, value_name = "N", default_value = "4", value_parser = in_flight)]
    pub in_flight: NonZeroUsize,
    /// How the suite is found.
    #[command(flatten)]
    pub connection: Connection,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `siyu report`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::REPORT_EXAMPLES)]
pub struct ReportArgs {
    /// First day of the window, inclusive [default: the first day with an order]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<NaiveDate>,
    /// End of the window: the first day that does not count [default: after the last order]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: Option<NaiveDate>,
    /// Last day that is looked at, inclusive [default: the last day of the window]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<NaiveDate>,
    /// How the suite is found.
    #[command(flatten)]
    pub connection: Connection,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `siyu ledger …`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Verify that every ledger of the merchant balances
    #[command(long_about = words::LEDGER_CHECK)]
    Check(UpkeepArgs),
}

/// `siyu metrics …`
#[derive(Debug, Subcommand)]
pub enum MetricsCommand {
    /// Compute every figure of the merchant again from the stored facts
    #[command(long_about = words::METRICS_REBUILD)]
    Rebuild(UpkeepArgs),
    /// Take a new baseline for the triangle
    #[command(long_about = words::METRICS_BASELINE)]
    Baseline(BaselineArgs),
}

/// `siyu metrics baseline`
#[derive(Debug, Clone, Args)]
#[command(after_help = words::METRICS_BASELINE_EXAMPLES)]
pub struct BaselineArgs {
    /// The last day that it looks at [default: a year before the last order]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub day: Option<NaiveDate>,
    /// How the suite is found.
    #[command(flatten)]
    pub connection: Connection,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `siyu ledger check` and `siyu metrics rebuild` need.
#[derive(Debug, Clone, Args)]
pub struct UpkeepArgs {
    /// How the suite is found.
    #[command(flatten)]
    pub connection: Connection,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

fn platform(text: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if text.is_empty() || text.len() > 32 || !text.chars().all(known) {
        return Err("must have 1 to 32 characters of a-z, 0-9, \"_\" and \"-\"".to_owned());
    }
    Ok(text.to_owned())
}

fn shop(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.len() > 64 {
        return Err("must have 1 to 64 bytes".to_owned());
    }
    Ok(text.to_owned())
}

fn currency(text: &str) -> Result<Currency, CurrencyError> {
    Currency::parse(&text.to_ascii_uppercase())
}

fn day(text: &str) -> Result<NaiveDate, String> {
    // chrono alone also takes "2024-6-1".
    let date = text.parse().ok().filter(|date: &NaiveDate| date.to_string() == text);
    date.ok_or_else(|| "must be a day of the calendar like 2024-06-30".to_owned())
}

fn batch(text: &str) -> Result<NonZeroUsize, String> {
    within(text, 1000)
}

fn in_flight(text: &str) -> Result<NonZeroUsize, String> {
    within(text, 64)
}

fn within(text: &str, max: usize) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|n: &NonZeroUsize| n.get() <= max);
    number.ok_or_else(|| format!("must be a number from 1 to {max}"))
}
