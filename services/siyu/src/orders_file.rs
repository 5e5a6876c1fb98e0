//! The order file: CSV in any column order, plain or gzip, to orders as the import takes them. It reads forwards, holds one
//! order at a time, and never fails for a bad row: that becomes a [`Reject`] with line, column and reason.
//!
//! Nothing here talks to the suite, and nothing here prints.

mod column;
mod group;
mod header;
mod moment;
mod newline;
mod options;
mod row;
mod source;

use std::{
    collections::VecDeque,
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::ByteRecord;
use siyu_proto::order::v1::ExternalOrder;

pub use column::{Column, RenameError, Renames};
pub(crate) use group::fingerprint;
pub use header::Header;
pub(crate) use options::NOT_UTF8;
pub use options::{Options, RepeatedRows};
pub use source::{Source, open};

use group::{Group, Numbers, Repeats};
use row::Problem;
use source::Budget;

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line that it starts on, from 1; the header is line 1.
    pub line: u64,
    /// The number that the line has or would have had within its order; none when the order is not known.
    pub line_no: Option<i32>,
    /// The line of an earlier row that is the same, byte for byte, where neither has a line number.
    pub repeats: Option<u64>,
    /// The fields, untouched.
    pub fields: ByteRecord,
}

/// Consecutive rows of one order.
#[derive(Debug, Clone, PartialEq)]
pub struct FileOrder {
    /// The order.
    pub order: ExternalOrder,
    /// The rows that its lines come from, one for each line.
    pub rows: Vec<Row>,
}

/// A row that cannot be an order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The row.
    pub row: Row,
    /// The column that is not as it must be; none when it is the row itself.
    pub column: Option<Column>,
    /// What is wrong with it.
    pub reason: String,
}

/// What comes out of a file, in its order.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and nearly all of them are orders")]
pub enum Item {
    /// An order, or a part of one whose rows stand apart.
    Order(FileOrder),
    /// A bad row.
    Reject(Reject),
}

/// Why a file cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing in it.
    #[error("the file is empty; it needs a header like order_no,buyer_id,paid_at,amount")]
    Empty,
    /// Not text with commas.
    #[error("this is not a CSV file: {0}")]
    NotCsv(String),
    /// A column that must be there is not.
    #[error("{0}")]
    Header(#[from] header::HeaderError),
    /// The file broke off in the middle.
    #[error("the file cannot be read further after line {line}: {source}")]
    Broken {
        /// The last line that could be read.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
    /// A row that no order line can be as long as: nearly always a quote that is not closed.
    #[error(
        "the row at line {line} is longer than {} KiB: is a quote (\") not closed there?",
        source::LONGEST_ROW_BYTES / 1024
    )]
    Endless {
        /// Where the row starts.
        line: u64,
    },
}

/// Reads a file as orders and rejects.
pub struct Reader {
    csv: csv::Reader<Budget>,
    budget: Arc<AtomicU64>,
    header: Header,
    options: Options,
    numbers: Numbers,
    repeats: Repeats,
    group: Option<Group>,
    ready: VecDeque<Item>,
    rows: u64,
    last_line: u64,
    ended: bool,
    broken: Option<Error>,
}

impl Reader {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error`] when this is no order file. Nothing was read as an order then.
    pub fn new(input: impl Read + Send + 'static, options: Options) -> Result<Self, Error> {
        let text = source::text(input)?;
        let (limited, budget) = Budget::new(text);
        let mut csv =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(limited);
        let mut first = ByteRecord::new();
        if !read(&mut csv, &budget, &mut first, 0)? {
            return Err(Error::Empty);
        }
        let header = Header::read(&first, &options.renames)?;
        Ok(Self {
            csv,
            budget,
            header,
            options,
            numbers: Numbers::default(),
            repeats: Repeats::default(),
            group: None,
            ready: VecDeque::new(),
            rows: 0,
            last_line: 1,
            ended: false,
            broken: None,
        })
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The rows read so far, bad ones included.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads one row into the queue.
    fn advance(&mut self) -> Result<(), Error> {
        let mut fields = ByteRecord::new();
        if !read(&mut self.csv, &self.budget, &mut fields, self.last_line)? {
            self.ended = true;
            self.flush();
            return Ok(());
        }
        // The record has been read with its line end; blank lines before it are counted too, those inside it are its own.
        let inside = fields.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let line = self.csv.position().line().saturating_sub(1 + inside).max(self.last_line + 1);
        self.last_line = line;
        if fields.iter().all(|field| field.trim_ascii().is_empty()) {
            return Ok(());
        }
        self.rows += 1;
        let mut row = Row { line, line_no: None, repeats: None, fields };
        let (numbers, mut counted) = (&mut self.numbers, false);
        let read = row::read(&self.header, &self.options, &mut row, |order_no| {
            counted = true;
            numbers.next(order_no)
        });
        match read {
            Ok(order) if counted => self.take_counted(order, row),
            Ok(order) => self.take(order, row),
            Err(problem) => self.reject(row, problem),
        }
        Ok(())
    }

    /// Takes a row whose number was counted: the file does not say whether a repeat is another line.
    fn take_counted(&mut self, order: ExternalOrder, mut row: Row) {
        row.repeats = self.repeats.first(&row.fields, row.line);
        match (row.repeats, self.options.repeated_rows) {
            (Some(first), RepeatedRows::Reject) => {
                let reason = format!("the row is that of line {first} again, and has no line_no");
                self.reject(row, Problem { column: None, reason });
            }
            (Some(_), RepeatedRows::Take) | (None, _) => self.take(order, row),
        }
    }

    fn take(&mut self, order: ExternalOrder, row: Row) {
        match &mut self.group {
            Some(group) if group.continues(&order) => {
                if let Err((problem, row)) = group.add(order, row) {
                    self.reject(row, problem);
                }
            }
            Some(_) | None => {
                self.flush();
                self.group = Some(Group::new(order, row));
            }
        }
    }

    fn reject(&mut self, row: Row, problem: Problem) {
        let Problem { column, reason } = problem;
        self.ready.push_back(Item::Reject(Reject { row, column, reason }));
    }

    fn flush(&mut self) {
        self.ready.extend(self.group.take().map(|group| Item::Order(group.into_order())));
    }
}

impl Iterator for Reader {
    type Item = Result<Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return self.broken.take().map(Err);
            }
            if let Err(error) = self.advance() {
                // What was read before the break is whole: it comes out first.
                self.ended = true;
                self.flush();
                self.broken = Some(error);
            }
        }
    }
}

fn read(
    csv: &mut csv::Reader<Budget>,
    budget: &AtomicU64,
    into: &mut ByteRecord,
    last_line: u64,
) -> Result<bool, Error> {
    budget.store(source::LONGEST_ROW_BYTES, Ordering::Relaxed);
    let line = csv.position().line();
    let error = match csv.read_byte_record(into) {
        Ok(more) => return Ok(more),
        Err(error) => error.into_kind(),
    };
    let csv::ErrorKind::Io(source) = error else {
        return Err(Error::NotCsv(format!("{error:?}")));
    };
    if source::is_over_budget(&source) {
        return Err(Error::Endless { line });
    }
    Err(Error::Broken { line: last_line, source })
}

#[cfg(test)]
mod tests;
