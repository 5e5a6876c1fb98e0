//! The header: which of our columns stands where in a file.

use csv::ByteRecord;

use super::column::{Column, Renames, names};

/// Where our columns stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    fields: ByteRecord,
    places: [Option<usize>; Column::ALL.len()],
    ignored: Vec<String>,
}

/// A header that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Columns that must be there are not.
    #[error(
        "the file has no column {}; its columns are: {}. Say which is which: --columns {}",
        missing.join(", "), found.join(", "), example(missing)
    )]
    Missing {
        /// What was looked for.
        missing: Vec<String>,
        /// What is there.
        found: Vec<String>,
    },
    /// `--columns` names a column that the file does not have.
    #[error(
        "--columns {ours}={theirs}: the file has no column \"{theirs}\"; its columns are: {}",
        found.join(", ")
    )]
    Renamed {
        /// Our name.
        ours: Column,
        /// The name that was given for it.
        theirs: String,
        /// What is there.
        found: Vec<String>,
    },
    /// Two columns of one name.
    #[error("the file has two columns \"{0}\"")]
    Twice(String),
    /// The columns are separated by something else.
    #[error("this is not a CSV file: its columns are separated by {0}, not by commas")]
    Separator(&'static str),
    /// Not our letters.
    #[error("the file is not UTF-8: {}", super::NOT_UTF8)]
    NotUtf8,
    /// One column, and not one of ours.
    #[error("this is not a CSV file with orders: its first line is a single text: \"{0}\"")]
    OneColumn(String),
}

impl Header {
    /// Finds our columns in the first row of a file.
    pub(super) fn read(fields: &ByteRecord, renames: &Renames) -> Result<Self, HeaderError> {
        if fields.iter().any(|field| std::str::from_utf8(field).is_err()) {
            return Err(HeaderError::NotUtf8);
        }
        let found: Vec<String> = fields.iter().map(label).collect();
        if let [only] = found.as_slice() {
            return Err(not_separated(only));
        }
        let mut places = [None; Column::ALL.len()];
        for (place, column) in places.iter_mut().zip(Column::ALL) {
            *place = find(&found, column, renames)?;
        }
        let missing: Vec<String> = Column::NEEDED
            .into_iter()
            .filter(|&column| places[column as usize].is_none())
            .map(|column| column.name().to_owned())
            .collect();
        if !missing.is_empty() {
            return Err(HeaderError::Missing { missing, found });
        }
        let used = |index: &usize| places.contains(&Some(*index));
        let ignored = (0..found.len()).filter(|index| !used(index));
        let ignored = ignored.map(|index| found[index].clone()).collect();
        Ok(Self { fields: fields.clone(), places, ignored })
    }

    /// Where a column stands, from 0.
    pub const fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// The header as it stands in the file.
    pub const fn fields(&self) -> &ByteRecord {
        &self.fields
    }

    /// Columns that nothing reads.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

/// A column's name as people see it. Names are matched without regard to case and surrounding blanks.
fn label(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim().to_owned()
}

fn find(found: &[String], column: Column, renames: &Renames) -> Result<Option<usize>, HeaderError> {
    let theirs = renames.of(column);
    let wanted = theirs.unwrap_or(column.name());
    let same = |name: &String| name.to_lowercase() == wanted.to_lowercase();
    let mut places = (0..found.len()).filter(|&index| same(&found[index]));
    let place = places.next();
    if places.next().is_some() {
        return Err(HeaderError::Twice(wanted.to_owned()));
    }
    match (place, theirs) {
        (None, Some(theirs)) => Err(HeaderError::Renamed {
            ours: column,
            theirs: theirs.to_owned(),
            found: found.to_vec(),
        }),
        (place, _) => Ok(place),
    }
}

fn not_separated(only: &str) -> HeaderError {
    const SHOWN_CHARS: usize = 60;
    match only {
        text if text.contains(';') => HeaderError::Separator("semicolons"),
        text if text.contains('\t') => HeaderError::Separator("tabs"),
        text if text.contains('|') => HeaderError::Separator("bars (|)"),
        text => HeaderError::OneColumn(text.chars().take(SHOWN_CHARS).collect()),
    }
}

fn example(missing: &[String]) -> String {
    let pairs: Vec<String> = missing.iter().map(|name| format!("{name}=…")).collect();
    pairs.join(",")
}

impl std::fmt::Display for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let present: Vec<Column> =
            Column::ALL.into_iter().filter(|&column| self.place(column).is_some()).collect();
        f.write_str(&names(&present))
    }
}
