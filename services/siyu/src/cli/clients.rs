//! The commands that talk to a running suite.

use std::{num::NonZeroUsize, path::PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use siyu_kernel::{Currency, Zone};

use super::{Connection, EXIT_CODES, OutputArgs};
use crate::orders_file::Renames;

/// `siyu probe`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Ask a running service whether it is ready, by the gRPC health protocol.

Prints the answer. Ends with 0 when it is serving, 1 when it says that it is not, 4 when it
cannot be reached. Meant for container health checks, where no other client is at hand.",
    after_help = "\
Examples:
  siyu probe
  siyu probe --server http://127.0.0.1:7071 --service siyu.order.v1.OrderService"
)]
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
    Create(MerchantCreateArgs),
}

/// `siyu merchant create`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Open a merchant and print its id and a token that may do everything for it.

Only the operator may: SIYU_TOKEN must be the operator's token, which `siyu up` shows at its
first start. The merchant's token is shown this once and stored nowhere but as a digest.",
    after_help = "\
Examples:
  siyu merchant create --name \"Blue Bottle\" --zone Asia/Shanghai --currency CNY
  export SIYU_TOKEN=$(siyu merchant create --name Demo --zone UTC --currency USD --json | jq -r .token)"
)]
pub struct MerchantCreateArgs {
    /// The name that people know it by
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// The IANA zone in which its days, weeks and months are cut
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    pub zone: Zone,
    /// The ISO 4217 code in which it keeps its figures
    #[arg(long, value_name = "CODE", value_parser = Currency::parse)]
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
    Import(StoreImportArgs),
}

/// `siyu store import`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "\
Create or change stores from a CSV file. All or nothing: a mistake in one row stops the whole file.

  id         your own key of the store; order files name it as store_id. Needed.
  name       the name. Needed.
  kind       direct (直营, the default) or franchise (加盟)
  zone       IANA zone; the merchant's without
  hours      opening hours, entries separated by \";\"; 10:00-22:00 every day without
  area_sqm   selling floor in square metres, at most two decimals

Hours: days, then spans; a span that ends before it starts reaches into the next day. A date
replaces the hours of that one day.

  Mon-Fri 10:00-22:00; Sat,Sun 11:00-23:00; Fri 20:00-02:00; 2024-10-01 closed
  daily 00:00-24:00
  Mon-Sat 09:00-12:30,14:00-19:00; Sun closed",
    after_help = "\
Examples:
  siyu store import stores.csv
  siyu store import - < stores.csv"
)]
pub struct StoreImportArgs {
    /// The file; \"-\" reads stdin
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
    Orders(Box<ImportOrdersArgs>),
}

const IMPORT_ABOUT: &str = "\
Bring in orders from a file: CSV with a header, plain or gzip, or stdin.

Columns, in any order; others are ignored:

  order_no     the number on the platform. Needed.
  line_no      the line within the order; without it, lines are counted as they come
  buyer_id     the buyer's id in the shop. Needed.
  paid_at      RFC 3339 instant, or local date or date-time. Needed.
  store_id     your own key of the store, as in `siyu store import`
  domain       private (私域, the default), public (公域) or pos
  channel      the channel within the domain, for example mini_program
  sku, category
  quantity     pieces; 1 without
  currency     ISO 4217; the merchant's without
  amount       what the buyer paid for the line, a decimal: 19.99. Needed.
  status       the platform's own word; paid without. A word that is not known is put aside.
  updated_at   the platform's version of the order; paid_at without

Rows of one order_no are the lines of one order. A local time is read in the zone of its
store, else in --zone, else in the merchant's.

An order is known by (platform, shop, order_no, line_no). What is known and not newer is left
alone, so a file can be imported again, after a break or by mistake, and nothing counts twice.

A bad row is reported with line, column and reason, goes to the rejects file as it was, and
stops nothing. Mend the rejects file and import it like any other; keep --platform and --shop.";

/// `siyu import orders`
#[derive(Debug, Clone, Args)]
#[command(
    long_about = IMPORT_ABOUT,
    after_help = "\
Examples:
  siyu import orders orders.csv.gz
  siyu import orders export.csv --platform tmall --shop flagship \\
      --columns order_no=订单编号,buyer_id=买家会员名,paid_at=付款时间,amount=实付金额
  zcat 2024-*.csv.gz | siyu import orders - --zone Asia/Shanghai --json",
    after_long_help = EXIT_CODES
)]
pub struct ImportOrdersArgs {
    /// The file, plain or gzip; \"-\" reads stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the file calls our columns
    #[arg(long, value_name = "OURS=THEIRS,…", default_value = "", hide_default_value = true)]
    pub columns: Renames,
    /// The platform that the orders come from: a-z, 0-9, "_" and "-"
    #[arg(long, value_name = "NAME", default_value = "file", value_parser = platform)]
    pub platform: String,
    /// The shop on the platform
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub shop: String,
    /// Zone of local times without a store; the merchant's without
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    pub zone: Option<Zone>,
    /// Currency of rows that name none; the merchant's without
    #[arg(long, value_name = "CODE", value_parser = Currency::parse)]
    pub currency: Option<Currency>,
    /// A guard: stop unless the token is this merchant's
    #[arg(long, value_name = "ID")]
    pub merchant: Option<String>,
    /// Where bad rows go [default: FILE.rejects.csv]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
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
#[command(
    long_about = "\
Show what the orders say: turnover, buyers, who comes back, cohorts, RFM segments, the triangle.

The window is half open: --from is the first day, --to the first day after it, so a year is
--from 2024-01-01 --to 2025-01-01. Without them the window is everything there is. Days are
cut in the merchant's zone. --as-of is the last day that is looked at, inclusive; without it
the last day of the window.

--json prints one object, described in REPORT.md beside the program's source.",
    after_help = "\
Examples:
  siyu report
  siyu report --from 2024-01-01 --to 2025-01-01
  siyu report --from 2024-06-01 --to 2024-07-01 --json | jq .gmv_minor"
)]
pub struct ReportArgs {
    /// First day of the window, inclusive [default: the first day with an order]
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// End of the window: the first day that does not count [default: after the last order]
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
    /// Last day that is looked at, inclusive [default: the last day of the window]
    #[arg(long, value_name = "DATE")]
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
    #[command(long_about = "\
Verify that every ledger of the merchant balances: the trial balance of each asset is zero, and
every balance equals the transfers on it. Ends with 1 and says what does not hold otherwise.")]
    Check(UpkeepArgs),
}

/// `siyu metrics …`
#[derive(Debug, Subcommand)]
pub enum MetricsCommand {
    /// Compute every figure of the merchant again from the stored facts
    #[command(long_about = "\
Compute every figure of the merchant again from the stored facts, and compare it with what was
there. Equal bit for bit is the rule; ends with 1 when it was not so.")]
    Rebuild(UpkeepArgs),
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
