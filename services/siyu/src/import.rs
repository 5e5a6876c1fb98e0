//! `siyu import orders`: an order file to the suite, streamed. Memory holds a few batches, whatever the file's size; every
//! batch can be sent again, so a break costs no more than a repeat.

mod feed;
mod orders;
mod rejects;
mod stream;
mod summary;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Instant,
};

use siyu_kernel::{Currency, Zone};
use siyu_proto::{
    member::v1::{ListStoresRequest, Merchant},
    order::v1::{ImportOutcome, ImportResult},
};

use crate::{
    cli::ImportOrdersArgs,
    client::{self, Client},
    exit::{Exit, Failure},
    orders_file::{self, Options, Reader, Source},
    output::{Output, Progress},
};
use feed::Batch;
use orders::Orders;
use rejects::Rejects;
use stream::News;
pub use summary::Summary;

/// What to import, and how.
pub struct Job {
    /// What people call the file.
    pub name: String,
    /// Its bytes.
    pub source: Source,
    /// How to read it.
    pub options: Options,
    /// Orders sent at once.
    pub batch: usize,
    /// Batches on their way at once.
    pub in_flight: usize,
    /// Where bad rows go; the file is made for the first one.
    pub rejects: PathBuf,
}

/// Why an import ended before its file did.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("{file}: {source}")]
    File {
        /// What people call it.
        file: String,
        /// Why.
        source: orders_file::Error,
    },
    /// The suite.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The suite went away for too long.
    #[error("{server} went away and did not come back: {reason}")]
    Lost {
        /// Where it was.
        server: String,
        /// The last words.
        reason: String,
    },
    /// The answer does not fit the question.
    #[error("the suite answered {answers} orders of a batch of {orders}")]
    Mismatch {
        /// What was sent.
        orders: usize,
        /// What came back.
        answers: usize,
    },
    /// The rejects file.
    #[error("cannot write the rejects file {}: {source}", path.display())]
    Rejects {
        /// The file.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// The merchant's own data are not as they must be.
    #[error("{0}")]
    Merchant(String),
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when the import ended before the file did.
pub async fn orders(args: &ImportOrdersArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let name =
        if args.file == Path::new("-") { "stdin".into() } else { args.file.display().to_string() };
    let rejects = args.rejects.clone().unwrap_or_else(|| format!("{name}.rejects.csv").into());
    let source = orders_file::open(&args.file).map_err(Failure::failed)?;
    if is_same_file(&rejects, &args.file) {
        return Err(Failure::usage("--rejects must not be the file that is read"));
    }
    rejects::check(&rejects)?;
    let client = Client::connect(&args.connection).await?;
    let merchant = client.merchant().await?;
    if let Some(wanted) = args.merchant.as_ref().filter(|wanted| **wanted != merchant.id) {
        let message =
            format!("the token is of {} ({}), not of {wanted}", merchant.id, merchant.name);
        return Err(Failure::usage(message).hint("take the token of that merchant"));
    }
    let options = options(&client, &merchant, args).await?;
    let mut progress = output.progress(source.size);
    let job = Job {
        name,
        source,
        options,
        batch: args.batch.get(),
        in_flight: args.in_flight.get(),
        rejects,
    };
    let summary = import(&client, &merchant, job, &mut progress).await;
    drop(progress);
    let summary = summary?;
    output.result(&summary, |look| summary.text(look))?;
    Ok(if summary.rejected_rows > 0 { Exit::Rejected } else { Exit::Done })
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    one == other
        || one.canonicalize().ok().is_some_and(|one| other.canonicalize().ok() == Some(one))
}

/// Imports a file for the merchant of the client's token.
///
/// # Errors
/// [`Error`]; what was answered before it is stored.
pub async fn import(
    client: &Client,
    merchant: &Merchant,
    job: Job,
    progress: &mut Progress,
) -> Result<Summary, Error> {
    let started = Instant::now();
    let Job { name, source, options, batch, in_flight, rejects } = job;
    let Source { read, position, .. } = source;
    // Blocking: the header of a pipe may be a long time coming.
    let opened = tokio::task::spawn_blocking(move || Reader::new(read, options)).await;
    let opened = opened.expect("reading a header does not panic");
    let file_error = |source| Error::File { file: name.clone(), source };
    let reader = opened.map_err(file_error)?;
    let ignored = reader.header().ignored().to_vec();
    if !ignored.is_empty() {
        progress.note(&format!("columns that nothing reads: {}", ignored.join(", ")));
    }
    let rejects = Rejects::new(rejects, reader.header())?;
    let summary = Summary::new(&name, merchant, ignored);
    let mut tally = Tally { rejects, summary, orders: Orders::default(), position: 0, progress };
    let batches = feed::start(reader, position, batch);
    let patience = stream::Patience::default();
    let mut hear = |news| tally.hear(news);
    let sent = stream::send_all(client, batches, in_flight, patience, &mut hear).await;
    let Tally { rejects, mut summary, orders, progress, .. } = tally;
    let rejects = rejects.finish()?;
    summary.finish(orders.counts(), rejects, started.elapsed());
    if sent.is_err() && summary.rows > 0 {
        progress.note(&summary.so_far());
    }
    match sent {
        Ok(reconnects) => Ok(Summary { reconnects, ..summary }),
        Err(stream::Error::File(source)) => Err(file_error(source)),
        Err(stream::Error::Import(error)) => Err(error),
    }
}

async fn options(
    client: &Client,
    merchant: &Merchant,
    args: &ImportOrdersArgs,
) -> Result<Options, Error> {
    let of_merchant = zone(&merchant.zone)?;
    let currency = Currency::parse(&merchant.currency_code)
        .map_err(|error| Error::Merchant(format!("the merchant's currency: {error}")))?;
    Ok(Options {
        platform: args.platform.clone(),
        shop: args.shop.clone(),
        currency: args.currency.unwrap_or(currency),
        zone: args.zone.unwrap_or(of_merchant),
        stores: stores(client, of_merchant).await?,
        renames: args.columns.clone(),
        repeated_rows: args.repeated_rows,
    })
}

/// The zone of every store, by the merchant's own key.
///
/// # Errors
/// [`Error::Client`], or a zone that is none.
pub async fn stores(client: &Client, of_merchant: Zone) -> Result<HashMap<String, Zone>, Error> {
    const PAGE_SIZE: i32 = 1000;
    let mut zones = HashMap::new();
    let mut page_token = String::new();
    loop {
        let request = ListStoresRequest { page_size: PAGE_SIZE, page_token };
        let reply = client.stores().list_stores(request).await;
        let page = reply.map_err(|status| client.failed(&status))?.into_inner();
        for store in page.stores {
            let own = if store.zone.is_empty() { of_merchant } else { zone(&store.zone)? };
            zones.insert(store.code, own);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(zones);
        }
    }
}

fn zone(name: &str) -> Result<Zone, Error> {
    Zone::parse(name).map_err(|error| Error::Merchant(error.to_string()))
}

/// Takes down what became of each batch.
struct Tally<'a> {
    rejects: Rejects,
    summary: Summary,
    orders: Orders,
    position: u64,
    progress: &'a mut Progress,
}

impl Tally<'_> {
    fn hear(&mut self, news: News) -> Result<(), Error> {
        match news {
            News::Answered(batch, results) => self.answered(batch, results),
            News::Away(words) => {
                self.progress
                    .note(&format!("the suite is away; waiting for it, then going on: {words}"));
                Ok(())
            }
        }
    }

    fn answered(&mut self, batch: Batch, results: Vec<ImportResult>) -> Result<(), Error> {
        // Batches of nothing but bad rows overtake those on their way.
        self.position = self.position.max(batch.position);
        self.summary.rows = self.summary.rows.max(batch.rows_read);
        for reject in &batch.rejects {
            self.rejects.write(reject)?;
        }
        for (order, result) in batch.orders.into_iter().zip(results) {
            self.orders.note(&order.order.order_no, result.outcome());
            if result.outcome() != ImportOutcome::Rejected {
                self.summary.repeats(&order);
            }
            for reject in rejects::of(order, &result) {
                self.rejects.write(&reject)?;
            }
        }
        self.progress.advance(self.position, self.summary.rows);
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let again = "what was stored stays; to go on, run the same command again: it starts at the first row, and what \
                     is there already is left alone";
        match error {
            Error::Client(error) => error.into(),
            Error::Lost { .. } => Self::unreachable(&error).hint(again),
            Error::File { source: orders_file::Error::Broken { .. }, .. } => {
                Self::failed(&error).hint(again)
            }
            Error::File { .. } | Error::Mismatch { .. } | Error::Merchant(_) => {
                Self::failed(&error)
            }
            Error::Rejects { .. } => Self::failed(&error)
                .hint("--rejects FILE puts it elsewhere; nothing that was stored counts twice"),
        }
    }
}

#[cfg(test)]
mod tests;
