//! Which places can have stock: the SKU is in the catalogue and counted, the location is known. Where there is stock already,
//! it stays, whatever became of the SKU.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Violation};
use siyu_pg::Tx;

use super::{book::Book, domain::Key, store};
use crate::location;

/// Why a place cannot have stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The SKU is not in the catalogue.
    Sku,
    /// No pieces of the SKU are counted.
    NotKept,
    /// There is no such location.
    Location,
}

/// Locks the stocks of places and makes those that are new; says which places cannot have any.
pub(super) async fn open(
    tx: &mut Tx,
    keys: &BTreeSet<Key>,
    now: DateTime<Utc>,
) -> Result<(Book, BTreeMap<Key, Unfit>), Fault> {
    let places = store::look(tx, &keys.iter().collect()).await?;
    let without: BTreeSet<&Key> =
        places.iter().filter(|(_, place)| place.stock.is_none()).map(|(key, _)| key).collect();
    let codes = without.iter().map(|key| key.location.as_str()).collect();
    let known = location::store::known(tx, &codes).await?;
    let unfit: BTreeMap<Key, Unfit> = without
        .iter()
        .filter_map(|&key| {
            let why = match places[key].kept {
                None => Unfit::Sku,
                Some(false) => Unfit::NotKept,
                Some(true) if !known.contains(&key.location) => Unfit::Location,
                Some(true) => return None,
            };
            Some((key.clone(), why))
        })
        .collect();
    let new: Vec<&Key> = without.into_iter().filter(|key| !unfit.contains_key(*key)).collect();
    store::ensure(tx, &new, now).await?;
    let fit = keys.iter().filter(|key| !unfit.contains_key(*key)).collect();
    Ok((Book::new(store::lock(tx, &fit).await?), unfit))
}

/// Like [`open`], for a request that is refused when any place cannot have stock.
pub(super) async fn open_all(
    tx: &mut Tx,
    keys: &BTreeSet<Key>,
    now: DateTime<Utc>,
) -> Result<Book, Fault> {
    let (book, unfit) = open(tx, keys, now).await?;
    match unfit.into_iter().next() {
        None => Ok(book),
        Some((key, why)) => Err(why.fault(&key)),
    }
}

/// Refuses a location that is unknown.
pub(super) async fn locations(tx: &mut Tx, codes: &BTreeSet<&str>) -> Result<(), Fault> {
    let known = location::store::known(tx, codes).await?;
    if codes.iter().all(|code| known.contains(*code)) {
        Ok(())
    } else {
        Err(Fault::not_found("location"))
    }
}

impl Unfit {
    /// The answer for a whole request.
    fn fault(self, key: &Key) -> Fault {
        match self {
            Self::Sku => Fault::not_found("SKU").with("sku", &key.sku),
            Self::Location => Fault::not_found("location").with("location", &key.location),
            Self::NotKept => {
                let message = format!("no pieces of \"{}\" are counted", key.sku);
                Fault::new(Code::FailedPrecondition, "STOCK_NOT_KEPT", message)
            }
        }
    }

    /// The answer for a row.
    pub(super) fn violation(self, key: &Key) -> Violation {
        let (field, description) = match self {
            Self::Sku => ("sku", format!("\"{}\" is not in the catalogue", key.sku)),
            Self::NotKept => ("sku", format!("no pieces of \"{}\" are counted", key.sku)),
            Self::Location => {
                ("location", format!("no location has the code \"{}\"", key.location))
            }
        };
        Violation { field: field.to_owned(), description }
    }
}
