//! `siyu demo`: the suite with real orders in it, for a first look. A second run finds the data and imports nothing twice.

use std::{
    collections::HashMap,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use siyu_kernel::{Currency, Zone};
use siyu_proto::{
    gateway::v1::CreateTokenRequest, member::v1::CreateMerchantRequest,
    metrics::v1::GetProgressRequest,
};
use siyu_runtime::{CancellationToken, Secret, pause, signals, telemetry};

use crate::{
    cli::{Connection, DemoArgs},
    client::{Client, Error},
    exit::{Exit, Failure, reason},
    host::suite::Suite,
    import::{self, Job, Summary},
    orders_file::{Options, Renames, RepeatedRows, Source},
    output::Output,
    report::{self, Report},
    serve,
};

/// The orders: every purchase of everyone who first bought in the first quarter of 1997 (`tests/data/cdnow/README.md`).
const ORDERS: &[u8] = include_bytes!("../../../tests/data/cdnow/orders.csv.gz");
/// One merchant per data directory, whatever happens between its creation and the end of the first run.
const REQUEST_ID: &str = "siyu-demo";
/// How often it is asked whether metrics has caught up.
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);
/// How often it may not have come any further before the demo gives up: a minute.
const STALLS_MAX: u32 = 300;

/// `siyu demo`
///
/// # Errors
/// [`Failure`]
pub async fn run(args: DemoArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let stop = signals::listen().map_err(Failure::failed)?;
    let settings = telemetry::Settings {
        filter: "error,siyu=warn,sqlx::postgres::notice=off".to_owned(),
        ..Default::default()
    };
    let telemetry = serve::start_telemetry(&settings, "siyu-demo")?;
    output.note("starting the suite");
    let options = serve::options(args.data_dir.clone(), args.grpc, args.http);
    let data_dir = options.data_dir.clone();
    let Some(suite) = Suite::start_unless(options, &stop).await? else {
        output.note("stopped before it was ready");
        telemetry.shutdown(Duration::from_secs(1)).await;
        return Ok(Exit::Done);
    };
    let done = tokio::select! {
        done = show(&suite, &data_dir, &args, &output, &stop) => done,
        ended = suite.run(stop.clone()) => ended,
    };
    let stopped = suite.stop().await;
    telemetry.shutdown(Duration::from_secs(1)).await;
    done.and(stopped).map(|()| Exit::Done)
}

/// What `siyu demo --json` prints: the report, and what the import did.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// That of the run that imported; null when an earlier version of this program did.
    import: Option<Summary>,
}

async fn show(
    suite: &Suite,
    data_dir: &Path,
    args: &DemoArgs,
    output: &Output,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let token = token(suite, data_dir).await?;
    let client = connect(suite, &token).await?;
    let merchant = client.merchant().await?;
    let import = import_orders(&client, data_dir, output).await?;
    catch_up(&client, output).await?;
    let report = report::fetch(&client, &merchant, report::Window::default()).await?;
    let shown = Shown { report: &report, import };
    output.result(&shown, |look| report::render(&report, look))?;
    if args.once {
        return Ok(());
    }
    output.note(farewell(suite, &token));
    stop.cancelled().await;
    Ok(())
}

/// The demo merchant's token: kept in the data directory, made once.
async fn token(suite: &Suite, data_dir: &Path) -> Result<String, Failure> {
    let path: PathBuf = data_dir.join("demo.token");
    if path.exists() {
        return crate::host::embedded::private_file(&path, String::new);
    }
    let operator = connect(suite, suite.operator_token()).await?;
    let request = CreateMerchantRequest {
        request_id: REQUEST_ID.to_owned(),
        name: "CDNOW demo".to_owned(),
        zone: "America/New_York".to_owned(),
        currency_code: "USD".to_owned(),
    };
    let reply = operator.merchants().create_merchant(request).await;
    let reply = reply.map_err(|status| operator.failed(&status))?.into_inner();
    let merchant = reply.merchant.ok_or(Error::Empty)?;
    let request = CreateTokenRequest {
        merchant_id: merchant.id,
        name: "demo".to_owned(),
        ..Default::default()
    };
    let reply = operator.tokens().create_token(request).await;
    let secret = reply.map_err(|status| operator.failed(&status))?.into_inner().secret;
    crate::host::embedded::private_file(&path, || secret)
}

async fn connect(suite: &Suite, token: &str) -> Result<Client, Failure> {
    let server = format!("http://{}", suite.http());
    let token = Some(Secret::from(token));
    Ok(Client::connect(&Connection { server, token, ca_file: None }).await?)
}

async fn import_orders(
    client: &Client,
    data_dir: &Path,
    output: &Output,
) -> Result<Option<Summary>, Failure> {
    let imported = data_dir.join("demo.imported");
    if let Ok(summary) = fs::read(&imported) {
        output.note("the orders are here from an earlier run; nothing to import");
        return Ok(serde_json::from_slice(&summary).ok());
    }
    let merchant = client.merchant().await?;
    let size = u64::try_from(ORDERS.len()).ok();
    let source = Source::new(Cursor::new(ORDERS), size);
    let job = Job {
        name: "the CDNOW orders".to_owned(),
        source,
        options: Options {
            platform: "cdnow".to_owned(),
            shop: "main".to_owned(),
            currency: Currency::parse("USD").map_err(Failure::failed)?,
            zone: Zone::parse(&merchant.zone).map_err(Failure::failed)?,
            stores: HashMap::new(),
            renames: Renames::default(),
            repeated_rows: RepeatedRows::default(),
        },
        batch: 500,
        in_flight: 4,
        rejects: data_dir.join("demo.rejects.csv"),
    };
    output.note("importing 69,659 real orders of 23,570 customers through the public API");
    let mut progress = output.progress(size);
    let summary = import::import(client, &merchant, job, &mut progress).await?;
    output.note(summary.text(output.look));
    let text = serde_json::to_vec(&summary).map_err(Failure::failed)?;
    fs::write(&imported, text).map_err(|error| {
        Failure::failed(format!("cannot write {}: {}", imported.display(), reason(&error)))
    })?;
    Ok(Some(summary))
}

/// Waits until every fact is in the figures.
async fn catch_up(client: &Client, output: &Output) -> Result<(), Failure> {
    output.note("waiting for metrics to catch up");
    let (mut last, mut stalls) = (0, 0);
    loop {
        let reply = client.maintenance().get_progress(GetProgressRequest {}).await;
        let progress = reply.map_err(|status| client.failed(&status))?.into_inner();
        let parked: i64 = progress.sources.iter().map(|source| source.parked).sum();
        if parked > 0 {
            return Err(Failure::failed(format!("metrics could not take in {parked} facts")));
        }
        if progress.caught_up {
            return Ok(());
        }
        let position = progress.sources.iter().map(|source| source.position).sum();
        stalls = if position == last { stalls + 1 } else { 0 };
        last = position;
        if stalls > STALLS_MAX {
            return Err(Failure::failed("metrics does not come any further"));
        }
        pause(PROGRESS_PAUSE).await;
    }
}

fn farewell(suite: &Suite, token: &str) -> String {
    let (grpc, http) = (suite.grpc(), suite.http());
    format!(
        "\nThe suite stays up; Ctrl-C ends it.\n\
        \n  gRPC   {grpc}\n  REST   http://{http}  (documents: http://{http}/docs)\n\
        \nThree commands to try, in another terminal:\n\
        \n  export SIYU_TOKEN={token}\
        \n  curl -s -H \"Authorization: Bearer $SIYU_TOKEN\" 'http://{http}/v1/metrics/sales?from_day=1997-01-01&to_day=1997-02-01'\
        \n  grpcurl -plaintext -H \"Authorization: Bearer $SIYU_TOKEN\" {grpc} siyu.metrics.v1.RetentionService/GetCohorts\
        \n  siyu report --server http://{http} --from 1998-01-01 --to 1998-07-01\n"
    )
}
