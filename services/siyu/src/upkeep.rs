//! `siyu ledger check` and `siyu metrics rebuild`: whether what is kept twice agrees. `siyu metrics baseline`: what the triangle
//! is measured by.

mod stock;

use std::fmt::Write;

use serde::Serialize;
use siyu_kernel::Currency;
use siyu_proto::{
    distribution::v1::CheckCommissionLedgerRequest,
    member::v1::CheckLedgerRequest,
    metrics::v1::{RebuildMetricsRequest, SetTriangleBaselineRequest},
    order::v1::CheckOrderLedgerRequest,
};

use crate::{
    cli::{BaselineArgs, UpkeepArgs},
    client::{Client, Error},
    exit::{Exit, Failure},
    number::{amount, grouped, hundredths},
    output::Output,
};
pub use stock::{StockCheck, check_stock};

/// What `siyu ledger check --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerCheck {
    /// Every ledger balances, and every stock is what its movements and reservations add up to.
    pub sound: bool,
    /// The ledgers.
    pub ledgers: Vec<Ledger>,
    /// The stock.
    pub stock: StockCheck,
}

/// One ledger of the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// The service that keeps it.
    pub service: &'static str,
    /// Accounts that were checked.
    pub accounts: i64,
    /// Transfers that were checked.
    pub transfers: i64,
    /// What does not hold.
    pub findings: Vec<String>,
}

/// What `siyu metrics rebuild --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuild {
    /// Orders that were read.
    pub facts: i64,
    /// Days that were computed.
    pub days: i64,
    /// The figures before and after are equal, byte for byte.
    pub equal: bool,
}

/// What `siyu metrics baseline --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// The last day that it looks at.
    pub day: String,
    /// Counts the baselines of the merchant, from 1.
    pub version: i32,
    /// 私域产权力, in persons.
    pub property_power: Option<f64>,
    /// 单客价值度, in minor units.
    pub customer_value_minor: Option<f64>,
    /// 顾客推荐率.
    pub referral_rate: Option<f64>,
}

/// Checks every ledger, and the stock.
///
/// # Errors
/// [`Failure`]
pub async fn check_ledgers(args: &UpkeepArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let client = Client::connect(&args.connection).await?;
    let member = client.accounts().check_ledger(CheckLedgerRequest {}).await;
    let member = member.map_err(|status| client.failed(&status))?.into_inner();
    let request = CheckCommissionLedgerRequest {};
    let commission = client.commissions().check_commission_ledger(request).await;
    let commission = commission.map_err(|status| client.failed(&status))?.into_inner();
    let order = client.guarantees().check_order_ledger(CheckOrderLedgerRequest {}).await;
    let order = order.map_err(|status| client.failed(&status))?.into_inner();
    let ledgers = vec![
        Ledger {
            service: "member",
            accounts: member.accounts,
            transfers: member.transfers,
            findings: member.findings,
        },
        Ledger {
            service: "order",
            accounts: order.accounts,
            transfers: order.transfers,
            findings: order.findings,
        },
        Ledger {
            service: "distribution",
            accounts: commission.accounts,
            transfers: commission.transfers,
            findings: commission.findings,
        },
    ];
    let stock = check_stock(&client).await?;
    let sound = ledgers.iter().all(|ledger| ledger.findings.is_empty());
    let sound = sound && stock.findings.is_empty();
    let check = LedgerCheck { sound, ledgers, stock };
    output.result(&check, |_| check.text())?;
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

/// Rebuilds the figures.
///
/// # Errors
/// [`Failure`]
pub async fn rebuild_metrics(args: &UpkeepArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let client = Client::connect(&args.connection).await?;
    let reply = client.maintenance().rebuild_metrics(RebuildMetricsRequest {}).await;
    let reply = reply.map_err(|status| client.failed(&status))?.into_inner();
    let rebuild = Rebuild { facts: reply.facts, days: reply.days, equal: reply.equal };
    output.result(&rebuild, |_| rebuild.text())?;
    Ok(if rebuild.equal { Exit::Done } else { Exit::Failed })
}

/// Takes a new baseline for the triangle.
///
/// # Errors
/// [`Failure`]
pub async fn set_baseline(args: &BaselineArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let client = Client::connect(&args.connection).await?;
    let merchant = client.merchant().await?;
    let request =
        SetTriangleBaselineRequest { day: args.day.map(|day| day.to_string()).unwrap_or_default() };
    let reply = client.triangle().set_triangle_baseline(request).await;
    let reply = reply.map_err(|status| client.failed(&status))?.into_inner();
    let pillars = reply.baseline.ok_or(Error::Empty)?;
    let baseline = Baseline {
        day: reply.baseline_day,
        version: reply.baseline_version,
        property_power: pillars.property_power,
        customer_value_minor: pillars.customer_value_minor,
        referral_rate: pillars.referral_rate,
    };
    output.result(&baseline, |_| baseline.text(&merchant.currency_code))?;
    Ok(Exit::Done)
}

impl Baseline {
    fn text(&self, currency: &str) -> String {
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), hundredths);
        let value = Currency::parse(currency).ok().zip(self.customer_value_minor).map_or_else(
            || "–".to_owned(),
            |(currency, minor)| format!("{} {currency}", amount(whole(minor), currency)),
        );
        let rate = self.referral_rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.4}"));
        format!(
            "The triangle is compared with {} (baseline {}):\n  \
             A property power {}, B customer value {value}, C referral rate {rate}\n",
            self.day,
            self.version,
            number(self.property_power),
        )
    }
}

#[expect(clippy::cast_possible_truncation, reason = "shown, not computed with; a cast saturates")]
fn whole(minor: f64) -> i64 {
    minor.round() as i64
}

impl LedgerCheck {
    fn text(&self) -> String {
        let mut text = String::new();
        for ledger in &self.ledgers {
            let verdict = if ledger.findings.is_empty() { "balances" } else { "DOES NOT BALANCE" };
            let (accounts, transfers) = (grouped(ledger.accounts), grouped(ledger.transfers));
            let name = ledger.service;
            let _ =
                writeln!(text, "{name:<13} {verdict}: {accounts} accounts, {transfers} transfers");
            for finding in &ledger.findings {
                let _ = writeln!(text, "  {finding}");
            }
        }
        text + &self.stock.text()
    }
}

impl Rebuild {
    fn text(&self) -> String {
        let verdict = if self.equal { "equal, bit for bit" } else { "NOT EQUAL to what was there" };
        format!(
            "{} orders, {} days computed again: {verdict}\n",
            grouped(self.facts),
            grouped(self.days)
        )
    }
}
