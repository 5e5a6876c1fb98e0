//! The import against a suite that is only its import service: what is sent, what comes of breaks, what is written down.

mod breaks;
mod fake;
mod outcomes;

use std::{io::Cursor, path::PathBuf};

use fake::Suite;

use super::*;
use crate::orders_file::{Renames, RepeatedRows};

fn merchant() -> Merchant {
    Merchant {
        id: "mch_1".to_owned(),
        name: "Demo".to_owned(),
        zone: "UTC".to_owned(),
        currency_code: "USD".to_owned(),
        create_time: None,
    }
}

fn options() -> Options {
    Options {
        platform: "file".to_owned(),
        shop: "main".to_owned(),
        currency: Currency::parse("USD").unwrap(),
        zone: Zone::UTC,
        stores: HashMap::new(),
        renames: Renames::default(),
        repeated_rows: RepeatedRows::Take,
    }
}

/// A path of its own for each test, in the system's place for passing files.
fn rejects_file(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("siyu-{}-{test}.rejects.csv", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn job(text: impl Into<Vec<u8>>, rejects: PathBuf) -> Job {
    let bytes = text.into();
    let size = bytes.len() as u64;
    Job {
        name: "orders.csv".to_owned(),
        source: Source::new(Cursor::new(bytes), Some(size)),
        options: options(),
        batch: 10,
        in_flight: 3,
        rejects,
    }
}

/// A file of so many orders of one line.
fn file(orders: usize) -> String {
    let rows = (1..=orders).map(|n| format!("A{n},b{n},2024-01-31,{n}.00"));
    let header = "order_no,buyer_id,paid_at,amount".to_owned();
    std::iter::once(header).chain(rows).flat_map(|row| [row, "\n".to_owned()]).collect()
}

async fn run(suite: &Suite, job: Job) -> Result<Summary, Error> {
    suite
        .serve(
            |client| async move { import(&client, &merchant(), job, &mut Progress::Silent).await },
        )
        .await
}
