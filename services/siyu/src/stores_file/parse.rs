//! Bytes to stores. Pure: every bad row is named at once, so that a file is mended in one go.

use std::fmt::Write;

use csv::ByteRecord;
use siyu_grpc::parse::geo_point;
use siyu_kernel::{Point, PointError, Zone};
use siyu_proto::{
    Path, Shape,
    member::v1::{Store, StoreKind},
    r#type::v1::GeoPoint,
};

use super::hours;
use crate::orders_file::NOT_UTF8;

/// What a row may say, and what else it may be called.
const COLUMNS: [(&str, &str); 8] = [
    ("id", "code"),
    ("name", "name"),
    ("kind", "kind"),
    ("zone", "zone"),
    ("hours", "opening_hours"),
    ("area_sqm", "area"),
    ("latitude", "lat"),
    ("longitude", "lng"),
];
const NEEDED: [&str; 2] = ["id", "name"];

/// Why a store file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing in it.
    #[error("the file is empty; it needs a header like id,name,kind,zone,hours,area_sqm")]
    Empty,
    /// Not text.
    #[error("this is not a CSV file: {0}")]
    NotCsv(String),
    /// A column that must be there is not, or one that is there is not ours.
    #[error(
        "{problem}; the columns of a store file are: id, name, kind, zone, hours, area_sqm, latitude, longitude"
    )]
    Header {
        /// What is wrong with it.
        problem: String,
    },
    /// There are rows that are no stores.
    #[error("nothing was stored; {}", list(.0))]
    Rows(Vec<RowError>),
}

/// A row that is no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {column}: {reason}")]
pub struct RowError {
    /// The line that the row starts on, from 1.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a store file.
///
/// # Errors
/// [`Error`]
pub fn parse(bytes: &[u8]) -> Result<Vec<Store>, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(Error::NotCsv("it has binary content".to_owned()));
    }
    let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut rows = csv.byte_records();
    let not_csv = |error: csv::Error| Error::NotCsv(error.to_string());
    let header = rows.next().ok_or(Error::Empty)?.map_err(not_csv)?;
    let places = places(&header)?;
    let (mut stores, mut errors) = (Vec::<Store>::new(), Vec::new());
    for row in rows {
        let row = row.map_err(not_csv)?;
        if row.iter().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != header.len() {
            let reason = format!(
                "it has {} fields, the header has {}; a text with commas stands in quotes",
                row.len(),
                header.len()
            );
            errors.push(RowError { line, column: "the row", reason });
            continue;
        }
        match store(&row, &places) {
            Ok(store) if stores.iter().any(|known| known.code == store.code) => {
                let reason = format!("\"{}\" stands in the file twice", store.code);
                errors.push(RowError { line, column: "id", reason });
            }
            Ok(store) => stores.push(store),
            Err((column, reason)) => errors.push(RowError { line, column, reason }),
        }
    }
    if errors.is_empty() { Ok(stores) } else { Err(Error::Rows(errors)) }
}

type Places = [Option<usize>; COLUMNS.len()];
type Problem = (&'static str, String);

fn places(header: &ByteRecord) -> Result<Places, Error> {
    let mut places = [None; COLUMNS.len()];
    for (index, field) in header.iter().enumerate() {
        let Ok(name) = std::str::from_utf8(field) else {
            return Err(Error::NotCsv(format!("it is not UTF-8; {NOT_UTF8}")));
        };
        let name = name.trim().to_lowercase();
        let known = COLUMNS.iter().position(|(ours, also)| name == *ours || name == *also);
        // A misspelled column must not silently be the default.
        let problem = match known {
            None => format!("nothing reads the column \"{name}\""),
            Some(column) if places[column].is_some() => format!("the column \"{name}\" is twice"),
            Some(column) => {
                places[column] = Some(index);
                continue;
            }
        };
        return Err(Error::Header { problem });
    }
    for needed in NEEDED {
        if COLUMNS.iter().zip(places).any(|((name, _), place)| *name == needed && place.is_none()) {
            return Err(Error::Header { problem: format!("the file has no column \"{needed}\"") });
        }
    }
    Ok(places)
}

fn store(row: &ByteRecord, places: &Places) -> Result<Store, Problem> {
    let text = |index: usize| -> Result<&str, Problem> {
        let bytes = places[index].and_then(|place| row.get(place)).unwrap_or_default();
        let text = std::str::from_utf8(bytes);
        text.map(str::trim).map_err(|_| (COLUMNS[index].0, format!("is not UTF-8; {NOT_UTF8}")))
    };
    let [code, name, kind, zone, hours, area] =
        [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?];
    let [latitude, longitude] = [text(6)?, text(7)?];
    if !zone.is_empty() {
        Zone::parse(zone).map_err(|error| ("zone", error.to_string()))?;
    }
    let store = Store {
        code: code.to_owned(),
        name: name.to_owned(),
        kind: store_kind(kind)?.into(),
        zone: zone.to_owned(),
        hours: hours::parse(hours).map_err(|error| ("hours", error.to_string()))?,
        area_centi_sqm: centi_sqm(area)?,
        point: point(latitude, longitude)?,
        ..Store::default()
    };
    let mut violations = Vec::new();
    store.violations(&Path::Root, &mut violations);
    let Some(first) = violations.into_iter().next() else { return Ok(store) };
    let column = COLUMNS.iter().find(|(ours, also)| {
        first.field == *also || first.field == *ours || first.field.starts_with(&format!("{ours}."))
    });
    Err((column.map_or("the row", |(ours, _)| ours), first.description))
}

fn store_kind(text: &str) -> Result<StoreKind, Problem> {
    match text.to_lowercase().as_str() {
        "" | "direct" | "直营" => Ok(StoreKind::Direct),
        "franchise" | "加盟" => Ok(StoreKind::Franchise),
        _ => Err(("kind", format!("\"{text}\" must be direct or franchise"))),
    }
}

/// Square metres with at most two decimals to hundredths of them.
fn centi_sqm(text: &str) -> Result<i64, Problem> {
    if text.is_empty() {
        return Ok(0);
    }
    let wrong = || ("area_sqm", format!("\"{text}\" must be a number with at most two decimals"));
    decimal(text, 2).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)
}

/// Where a store stands; neither number: as before.
fn point(latitude: &str, longitude: &str) -> Result<Option<GeoPoint>, Problem> {
    if latitude.is_empty() && longitude.is_empty() {
        return Ok(None);
    }
    let (latitude_e6, longitude_e6) =
        (micro_degrees("latitude", latitude)?, micro_degrees("longitude", longitude)?);
    match Point::new(latitude_e6, longitude_e6) {
        Ok(point) => Ok(Some(geo_point(point))),
        Err(PointError::Latitude) => Err(("latitude", "must be from -90 to 90".to_owned())),
        Err(PointError::Longitude) => Err(("longitude", "must be from -180 to 180".to_owned())),
    }
}

/// Degrees with at most six decimals to millionths of them.
fn micro_degrees(column: &'static str, text: &str) -> Result<i32, Problem> {
    if text.is_empty() {
        return Err((column, "is required beside the other number".to_owned()));
    }
    let wrong = || (column, format!("\"{text}\" must be degrees with at most six decimals"));
    let (sign, number) = text.strip_prefix('-').map_or((1, text), |number| (-1, number));
    let digits = decimal(number, 6).ok_or_else(wrong)?;
    digits.parse::<i32>().map(|degrees| sign * degrees).map_err(|_| wrong())
}

/// The digits of a number with exactly so many decimals, from one with no more.
fn decimal(text: &str, decimals: usize) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !whole.is_empty() && digits(whole) && digits(part) && part.len() <= decimals;
    is_number.then(|| format!("{whole}{part:0<decimals$}"))
}

fn list(errors: &[RowError]) -> String {
    const SHOWN: usize = 10;
    let rows = if errors.len() == 1 { "row is" } else { "rows are" };
    let mut text = format!("{} {rows} bad:", errors.len());
    for error in errors.iter().take(SHOWN) {
        let _ = write!(text, "\n  {error}");
    }
    if errors.len() > SHOWN {
        let _ = write!(text, "\n  … and {} more", errors.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests;
