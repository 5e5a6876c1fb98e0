//! `make bench`: what the suite does against limits that are measured in the same run. Ratios, not times, are what may be
//! quoted: machines differ, and so does one machine from minute to minute. A row is the median of three interleaved rounds.
#![expect(clippy::print_stdout, reason = "the table is the product of this program")]
#![expect(clippy::disallowed_methods, reason = "a load generator has its own tasks and clock")]
#![expect(clippy::float_arithmetic, reason = "ratios for people")]

mod audience;
mod dashboard;
mod echo;
mod events;
mod import;
mod ledger;
mod limit;
mod measure;
mod orders;
mod process;
mod wallet;

use std::{env, net::SocketAddr};

use measure::Row;
use siyu::{
    client::{Client, channel},
    host::suite::{Options, Suite},
};
use siyu_pg::embedded::Durability;
use siyu_proto::{gateway::v1::CreateTokenRequest, member::v1::CreateMerchantRequest};
use siyu_runtime::Secret;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The suite under load, with one merchant.
pub(crate) struct Bench {
    pub(crate) suite: Suite,
    pub(crate) client: Client,
    pub(crate) token: String,
    pub(crate) merchant_id: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let only: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    let dir = env::temp_dir().join(format!("siyu-bench-{}", std::process::id()));
    let bench = start(&dir).await?;
    println!("{}", measure::machine(&dir)?);
    let mut rows: Vec<Row> = Vec::new();
    if wanted("import") {
        rows.extend(import::run(&bench).await?);
    }
    if wanted("ledger") {
        rows.extend(ledger::run(&bench).await?);
    }
    if wanted("wallet") {
        rows.extend(wallet::run(&bench).await?);
    }
    if wanted("orders") {
        rows.extend(orders::run(&bench, &dir).await?);
    }
    if wanted("echo") {
        rows.extend(echo::run(&bench).await?);
    }
    if wanted("dashboard") {
        rows.extend(dashboard::run(&bench).await?);
    }
    if wanted("audience") {
        rows.extend(audience::run(&bench).await?);
    }
    if wanted("events") {
        rows.extend(events::run(&bench).await?);
    }
    bench.suite.stop().await?;
    if wanted("process") {
        rows.extend(process::run(&dir).await?);
    }
    std::fs::remove_dir_all(&dir)?;
    println!("{}", measure::table(&rows));
    println!("load after the run {}", measure::load_average());
    Ok(())
}

async fn start(dir: &std::path::Path) -> Result<Bench> {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options {
        data_dir: dir.to_owned(),
        grpc: local,
        http: local,
        durability: Durability::Durable,
    };
    let suite = Suite::start(options).await?;
    let operator = client(&suite, suite.operator_token()).await?;
    let request = CreateMerchantRequest { name: "bench".into(), ..Default::default() };
    let merchant = operator.merchants().create_merchant(request).await?.into_inner().merchant;
    let merchant_id = merchant.ok_or("no merchant")?.id;
    let request = CreateTokenRequest {
        merchant_id: merchant_id.clone(),
        name: "bench".into(),
        ..Default::default()
    };
    let token = operator.tokens().create_token(request).await?.into_inner().secret;
    let client = client(&suite, &token).await?;
    Ok(Bench { suite, client, token, merchant_id })
}

pub(crate) async fn client(suite: &Suite, token: &str) -> Result<Client> {
    let server = format!("http://{}", suite.grpc());
    let channel = channel(&server, None).await?;
    Ok(Client::over(channel, &Secret::from(token), &server)?)
}
