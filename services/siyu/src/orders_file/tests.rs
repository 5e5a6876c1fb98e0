//! The reader through its public face: bytes in, orders and rejects out.

mod bad_rows;
mod files;
mod orders;
mod properties;

use std::collections::HashMap;

use siyu_kernel::{Currency, Zone};

use super::*;

fn options() -> Options {
    let zone = |name| Zone::parse(name).unwrap();
    Options {
        platform: "tmall".to_owned(),
        shop: "flagship".to_owned(),
        currency: Currency::parse("CNY").unwrap(),
        zone: Zone::SHANGHAI,
        stores: HashMap::from([("nyc".to_owned(), zone("America/New_York"))]),
        renames: Renames::default(),
        repeated_rows: RepeatedRows::Take,
    }
}

fn read_with(bytes: impl Into<Vec<u8>>, options: Options) -> Result<Vec<Item>, Error> {
    Reader::new(std::io::Cursor::new(bytes.into()), options)?.collect()
}

fn items(text: &str) -> Vec<Item> {
    read_with(text, options()).unwrap()
}

fn orders(text: &str) -> Vec<FileOrder> {
    let order = |item| match item {
        Item::Order(order) => order,
        Item::Reject(reject) => panic!("{reject:?}"),
    };
    items(text).into_iter().map(order).collect()
}

/// Rejects as `line column reason`.
fn rejects(text: &str) -> Vec<String> {
    let words = |item| match item {
        Item::Order(_) => None,
        Item::Reject(Reject { row, column, reason }) => {
            Some(format!("{} {} {reason}", row.line, column.map_or("-", Column::name)))
        }
    };
    items(text).into_iter().filter_map(words).collect()
}

fn refusal(bytes: impl Into<Vec<u8>>, options: Options) -> String {
    match read_with(bytes, options) {
        Err(error) => error.to_string(),
        Ok(items) => panic!("it was read: {items:?}"),
    }
}
