//! The commands that run the suite: `up`, `serve`, `migrate`, `config`.

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf};

use serde::Serialize;
use siyu_pg::embedded::Durability;
use siyu_runtime::{config, signals, telemetry};

use crate::{
    cli::{ConfigArgs, MigrateArgs, OutputArgs, ServeArgs, UpArgs},
    exit::{Exit, Failure},
    host::{
        embedded::default_data_dir,
        single,
        suite::{Options, Suite},
    },
    output::Output,
};

/// How long the last traces and logs get to be sent.
const FLUSH: std::time::Duration = std::time::Duration::from_secs(2);

/// `siyu up`
///
/// # Errors
/// [`Failure`]
pub async fn up(args: UpArgs) -> Result<Exit, Failure> {
    let stop = signals::listen().map_err(Failure::failed)?;
    let telemetry = start_telemetry(&telemetry::Settings::default(), "siyu")?;
    let output = Output::new(&OutputArgs::default());
    let started = Suite::start_unless(options(args.data_dir, args.grpc, args.http), &stop).await?;
    let Some(suite) = started else {
        output.note("stopped before it was ready");
        telemetry.shutdown(FLUSH).await;
        return Ok(Exit::Done);
    };
    output.result(&Up::of(&suite), |_| addresses(&suite))?;
    let done = suite.run(stop).await;
    output.note("stopping");
    let stopped = suite.stop().await;
    telemetry.shutdown(FLUSH).await;
    done.and(stopped).map(|()| Exit::Done)
}

/// What `siyu up` and the demo start with.
pub fn options(data_dir: Option<PathBuf>, grpc: SocketAddr, http: SocketAddr) -> Options {
    let data_dir = data_dir.unwrap_or_else(default_data_dir);
    Options { data_dir, grpc, http, durability: Durability::Durable }
}

/// What `siyu up` has started.
#[derive(Serialize)]
struct Up {
    grpc: String,
    http: String,
    operator_token: String,
}

impl Up {
    fn of(suite: &Suite) -> Self {
        Self {
            grpc: suite.grpc().to_string(),
            http: format!("http://{}", suite.http()),
            operator_token: suite.operator_token().to_owned(),
        }
    }
}

/// Where the suite is, and who may do everything.
fn addresses(suite: &Suite) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "gRPC            {}", suite.grpc());
    let _ = writeln!(text, "REST, documents http://{}/docs", suite.http());
    let _ = writeln!(text, "operator token  {}", suite.operator_token());
    let _ = writeln!(text, "  kept in       {}", suite.operator_file().display());
    text
}

/// Starts logs and traces.
pub fn start_telemetry(
    settings: &telemetry::Settings,
    service: &str,
) -> Result<telemetry::Telemetry, Failure> {
    telemetry::init(settings, service, &std::process::id().to_string()).map_err(Failure::usage)
}

/// `siyu serve`
///
/// # Errors
/// [`Failure`]
pub async fn serve(args: ServeArgs) -> Result<Exit, Failure> {
    let config = single::load(args.config.as_deref())?;
    let stop = signals::listen().map_err(Failure::failed)?;
    let telemetry = start_telemetry(&config.telemetry, args.service.name())?;
    let done = single::serve(args.service, config, stop).await;
    telemetry.shutdown(FLUSH).await;
    done.map(|()| Exit::Done)
}

#[derive(Serialize)]
struct Migrated {
    service: &'static str,
    applied: usize,
}

/// `siyu migrate`
///
/// # Errors
/// [`Failure`]
pub async fn migrate(args: MigrateArgs) -> Result<Exit, Failure> {
    let config = single::load(args.config.as_deref())?;
    let lines = single::migrate(&config, args.service).await?;
    let migrated: Vec<Migrated> = lines
        .into_iter()
        .map(|(service, applied)| Migrated { service: service.name(), applied })
        .collect();
    Output::new(&OutputArgs::default()).result(&migrated, |_| {
        let line = |m: &Migrated| match m.applied {
            0 => format!("{:<13} up to date\n", m.service),
            n => format!("{:<13} {n} migrations applied\n", m.service),
        };
        migrated.iter().map(line).collect()
    })?;
    Ok(Exit::Done)
}

/// `siyu config`
///
/// # Errors
/// [`Failure`]
pub fn config(args: &ConfigArgs) -> Result<Exit, Failure> {
    let config = single::load(args.config.as_deref())?;
    let text = config::effective(&config);
    Output::new(&OutputArgs::default()).result(&text, |_| text.clone())?;
    Ok(Exit::Done)
}
