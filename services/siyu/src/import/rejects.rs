//! The rejects file: bad rows as they were, with where and why. It is an order file itself: mended, it can be imported.
//!
//! After the columns of the file come `line_no` (where the file has none), `reject_line`, `reject_column`, `reject_reason`
//! and `reject_row`. A row with more fields than the header fits no columns: it stands whole in `reject_row`, and the columns
//! of the file are left empty, so that nothing is imported from a wrong column.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use csv::{ByteRecord, Writer};
use siyu_proto::order::v1::{ImportOutcome, ImportResult};

use super::Error;
use crate::orders_file::{Column, FileOrder, Header, Reject};

/// Lines that are shown beside the counts.
const SHOWN: usize = 10;

/// Bad rows on their way to a file, which is made for the first one.
pub(super) struct Rejects {
    path: PathBuf,
    header: Header,
    writer: Option<Writer<File>>,
    shown: Vec<String>,
    count: u64,
}

/// What became of the bad rows.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    /// The file, if there were any.
    pub(super) file: Option<PathBuf>,
    /// The first few, in words.
    pub(super) shown: Vec<String>,
    /// How many there were.
    pub(super) count: u64,
}

/// Whether the file could be written, without changing it.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    let checked = match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().append(true).create_new(true).open(path).and_then(|_| remove(path))
        }
        opened => opened.map(drop),
    };
    checked.map_err(|source| Error::Rejects { path: path.to_owned(), source: source.into() })
}

fn remove(path: &Path) -> io::Result<()> {
    // `/dev/null` and the like stay.
    if fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        fs::remove_file(path)
    } else {
        Ok(())
    }
}

impl Rejects {
    /// No bad rows yet. A file of an earlier run goes: it would be taken for one of this run.
    pub(super) fn new(path: PathBuf, header: &Header) -> Result<Self, Error> {
        if let Err(source) = remove(&path) {
            return Err(Error::Rejects { path, source: source.into() });
        }
        Ok(Self { path, header: header.clone(), writer: None, shown: Vec::new(), count: 0 })
    }

    pub(super) fn write(&mut self, reject: &Reject) -> Result<(), Error> {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(words(reject));
        }
        let written = self.record(reject).and_then(|record| self.try_write(&record));
        written.map_err(|source| Error::Rejects { path: self.path.clone(), source })
    }

    pub(super) fn finish(self) -> Result<Rejected, Error> {
        let Self { path, writer, shown, count, .. } = self;
        let Some(mut writer) = writer else { return Ok(Rejected::default()) };
        let flushed = writer.flush();
        flushed.map_err(|error| Error::Rejects { path: path.clone(), source: error.into() })?;
        Ok(Rejected { file: Some(path), shown, count })
    }

    fn try_write(&mut self, record: &ByteRecord) -> csv::Result<()> {
        if self.writer.is_none() {
            let mut writer = Writer::from_path(&self.path)?;
            writer.write_byte_record(&self.header_record())?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().expect("it was made above").write_byte_record(record)
    }

    fn header_record(&self) -> ByteRecord {
        let mut header = self.header.fields().clone();
        if self.header.place(Column::LineNo).is_none() {
            header.push_field(Column::LineNo.name().as_bytes());
        }
        for name in ["reject_line", "reject_column", "reject_reason", "reject_row"] {
            header.push_field(name.as_bytes());
        }
        header
    }

    /// The row, padded to the header, with the number that its line has: imported alone it must not become line 1.
    fn record(&self, reject: &Reject) -> csv::Result<ByteRecord> {
        let number = reject.row.line_no.map(|number| number.to_string()).unwrap_or_default();
        let place = self.header.place(Column::LineNo);
        let (no_fields, no_row) = (ByteRecord::new(), Vec::new());
        let fits = reject.row.fields.len() <= self.header.fields().len();
        let (fields, row) = if fits {
            (&reject.row.fields, no_row)
        } else {
            (&no_fields, csv_row(&reject.row.fields)?)
        };
        let mut record = ByteRecord::new();
        for (index, field) in fields.iter().enumerate() {
            let unnumbered = place == Some(index) && field.trim_ascii().is_empty();
            record.push_field(if unnumbered { number.as_bytes() } else { field });
        }
        for _ in record.len()..self.header.fields().len() {
            record.push_field(b"");
        }
        if place.is_none() {
            record.push_field(number.as_bytes());
        }
        record.push_field(reject.row.line.to_string().as_bytes());
        record.push_field(reject.column.map_or("", Column::name).as_bytes());
        record.push_field(reject.reason.as_bytes());
        record.push_field(&row);
        Ok(record)
    }
}

/// A row as a line of CSV.
fn csv_row(fields: &ByteRecord) -> csv::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_byte_record(fields)?;
    let mut line = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    line.pop();
    Ok(line)
}

/// The rows of an order that the suite rejected: each line's own error, or the one that spoilt the order.
pub(super) fn of(order: FileOrder, result: &ImportResult) -> Vec<Reject> {
    if result.outcome() != ImportOutcome::Rejected {
        return Vec::new();
    }
    let places: Vec<_> = result.errors.iter().map(|error| Column::locate(&error.field)).collect();
    let first = places.iter().find_map(|place| place.0).unwrap_or(0);
    let first_line = order.rows.get(first).map_or(0, |row| row.line);
    let rejected = order.rows.into_iter().enumerate().map(|(index, row)| {
        let own = places.iter().position(|&(line, _)| line.unwrap_or(first) == index);
        let Some(own) = own else {
            let reason = format!("its order was rejected because of line {first_line}");
            return Reject { row, column: None, reason };
        };
        let (error, column) = (&result.errors[own], places[own].1);
        // A column says where; a path without one has to be shown.
        let field = if column.is_some() { "" } else { &error.field };
        let reason = format!("{field} {}", error.description).trim().to_owned();
        Reject { row, column, reason }
    });
    rejected.collect()
}

fn words(reject: &Reject) -> String {
    let column = reject.column.map(|column| format!("{column}: ")).unwrap_or_default();
    format!("line {}: {column}{}", reject.row.line, reject.reason)
}
