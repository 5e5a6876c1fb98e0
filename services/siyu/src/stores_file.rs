//! The store file: CSV to stores, all or nothing. `siyu store import` sends them.

mod hours;
mod parse;

use std::{
    fmt::Write,
    io::Read,
    path::{Path, PathBuf},
};

use serde::Serialize;
use siyu_proto::member::v1::{Store, UpsertStoresRequest};

use crate::{
    cli::StoreImportArgs,
    client::Client,
    exit::{Exit, Failure},
    orders_file,
    output::Output,
};
pub use parse::{Error, RowError, parse};

/// The most stores in one request.
const MOST_STORES: usize = 1000;
/// A longer file is no list of stores.
const MOST_BYTES: u64 = 16 << 20;

/// What `siyu store import --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The stores as they are now, in the order of the file.
    pub stores: Vec<ImportedStore>,
}

/// One store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedStore {
    /// The merchant's own key.
    pub id: String,
    /// The suite's id, prefix "sto".
    pub store_id: String,
    /// The name.
    pub name: String,
    /// The zone.
    pub zone: String,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`]; nothing of the file is stored when a row of it is bad.
pub async fn import(args: &StoreImportArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let stores = read(&args.file)?;
    let client = Client::connect(&args.connection).await?;
    let mut imported = Imported { stores: Vec::with_capacity(stores.len()) };
    for chunk in stores.chunks(MOST_STORES) {
        let request = UpsertStoresRequest { stores: chunk.to_vec() };
        let reply = client.stores().upsert_stores(request).await;
        let reply = reply.map_err(|status| client.failed(&status))?.into_inner();
        imported.stores.extend(reply.stores.into_iter().map(ImportedStore::from));
    }
    output.confirm(&imported, |_| imported.text())?;
    Ok(Exit::Done)
}

fn read(path: &PathBuf) -> Result<Vec<Store>, Failure> {
    let source = orders_file::open(path).map_err(Failure::failed)?;
    let mut bytes = Vec::new();
    let read = source.read.take(MOST_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    parse(&bytes).map_err(|error| Failure::failed(format!("{name}: {error}")))
}

impl From<Store> for ImportedStore {
    fn from(store: Store) -> Self {
        Self { id: store.code, store_id: store.id, name: store.name, zone: store.zone }
    }
}

impl Imported {
    fn text(&self) -> String {
        let widest = self.stores.iter().map(|store| console::measure_text_width(&store.id)).max();
        let mut text = String::new();
        for store in &self.stores {
            let id =
                console::pad_str(&store.id, widest.unwrap_or(0), console::Alignment::Left, None);
            let _ = writeln!(text, "{id}  {}  {} ({})", store.store_id, store.name, store.zone);
        }
        let _ = writeln!(text, "{} stores", self.stores.len());
        text
    }
}
