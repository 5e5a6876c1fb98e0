//! How to read a file: what its rows do not say themselves.

use std::collections::HashMap;

use siyu_kernel::{Currency, Zone};

use super::Renames;

/// What to do with a file in another encoding: nearly always the one that spreadsheets in China write.
pub(crate) const NOT_UTF8: &str =
    "convert it first, for example: iconv -f GBK -t UTF-8 FILE > utf8.csv";

/// What the rows do not say themselves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The platform that the orders come from.
    pub platform: String,
    /// The shop on the platform.
    pub shop: String,
    /// The currency of rows that name none.
    pub currency: Currency,
    /// The zone of a local time without a store.
    pub zone: Zone,
    /// The zone of each store, by the merchant's own key.
    pub stores: HashMap<String, Zone>,
    /// How the file calls our columns.
    pub renames: Renames,
    /// What to do with a row without a line number that stands in the file before.
    pub repeated_rows: RepeatedRows,
}

/// What to do with a row that has no line number and is, byte for byte, an earlier row: the same article twice in one order,
/// or one line that was written twice. Only the merchant knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RepeatedRows {
    /// It is a line of its own, and is reported.
    #[default]
    Take,
    /// It goes to the rejects file.
    Reject,
}
