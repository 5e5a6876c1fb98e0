//! What people and other systems do to stock: receive, count, put right, set aside, move. Pure: a book of locked stocks comes
//! in, with changes it goes out.

use std::collections::BTreeMap;

use siyu_kernel::{Code, Fault};

use super::{
    book::Book,
    domain::{Cause, Key, Of},
};
use crate::limits;

/// Why a stock cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More is taken than there is.
    #[error("{asked} of \"{}\" at \"{}\" were asked for, {available} are available", key.sku, key.location)]
    Short {
        /// The stock.
        key: Key,
        /// Pieces that were asked for.
        asked: i64,
        /// Pieces that there are.
        available: i64,
    },
    /// There would be more than anybody has.
    #[error("\"{}\" at \"{}\" would have more than {} pieces", key.sku, key.location, limits::STOCK_PIECES_MAX)]
    TooLarge {
        /// The stock.
        key: Key,
    },
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let reason = match &refused {
            Refused::Short { .. } => "STOCK_SHORT",
            Refused::TooLarge { .. } => "STOCK_TOO_LARGE",
        };
        Self::new(Code::FailedPrecondition, reason, refused.to_string())
    }
}

/// Adds pieces or takes pieces away; gives what is on hand then. Pieces that orders wait for may be taken away, too: what is
/// broken is broken.
pub fn add(book: &mut Book, key: &Key, cause: Cause, delta: i64, of: Of) -> Result<i64, Refused> {
    let on_hand = book.stock(key).map_or(0, |stock| stock.on_hand);
    let after = on_hand + delta;
    if after < 0 {
        return Err(Refused::Short { key: key.clone(), asked: -delta, available: on_hand });
    }
    if after > limits::STOCK_PIECES_MAX {
        return Err(Refused::TooLarge { key: key.clone() });
    }
    book.post(key, cause, (delta, 0), of);
    Ok(after)
}

/// Puts on hand what a count found; a count that finds what was known is a movement, too.
pub fn count(book: &mut Book, key: &Key, found: i64, of: Of) -> Result<i64, Refused> {
    let on_hand = book.stock(key).map_or(0, |stock| stock.on_hand);
    add(book, key, Cause::Counted, found - on_hand, of)
}

/// Says how many pieces are not sold.
pub fn set_safety(book: &mut Book, key: &Key, safety: i64) {
    if book.stock(key).is_some_and(|stock| stock.safety != safety) {
        book.change(key).safety = safety;
    }
}

/// Sets pieces aside in place of those that were; no more than can be sold.
pub fn set_buckets(
    book: &mut Book,
    key: &Key,
    buckets: BTreeMap<String, i64>,
) -> Result<(), Refused> {
    let asked: i64 = buckets.values().sum();
    let available = book.stock(key).map_or(0, super::Stock::available);
    if asked > available {
        return Err(Refused::Short { key: key.clone(), asked, available });
    }
    book.change(key).buckets = buckets;
    Ok(())
}

/// Moves pieces to another location that are neither reserved nor set aside.
pub fn transfer(
    book: &mut Book,
    from: &Key,
    to: &Key,
    quantity: i64,
    document_no: &str,
) -> Result<(), Refused> {
    let available = book.stock(from).map_or(0, super::Stock::movable);
    if quantity > available {
        return Err(Refused::Short { key: from.clone(), asked: quantity, available });
    }
    let of = |note: &str| Of {
        document_no: document_no.to_owned(),
        note: note.to_owned(),
        ..Of::default()
    };
    add(book, to, Cause::TransferredIn, quantity, of(&format!("from {}", from.location)))?;
    book.post(from, Cause::TransferredOut, (-quantity, 0), of(&format!("to {}", to.location)));
    Ok(())
}
