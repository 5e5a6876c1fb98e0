//! The reading side: a thread that parses the file into batches, a few ahead of the network and no more.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use prost::Message;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::orders_file::{Error, FileOrder, Item, Reader, Reject};

/// Batches that are parsed before the network asks for them.
const AHEAD: usize = 2;
/// A batch closes at this size, whatever its count: servers refuse messages of more than 4 MiB.
const BATCH_BYTES: usize = 2 << 20;

/// Orders that go together, and the bad rows among them.
#[derive(Debug)]
pub(super) struct Batch {
    /// The orders.
    pub(super) orders: Vec<FileOrder>,
    /// The bad rows.
    pub(super) rejects: Vec<Reject>,
    /// How far the file was read, in its own bytes.
    pub(super) position: u64,
    /// How many rows were read, from the start of the file.
    pub(super) rows_read: u64,
}

/// Starts to read. The thread ends with the file or with the receiver.
pub(super) fn start(
    reader: Reader,
    position: Arc<AtomicU64>,
    size: usize,
) -> Receiver<Result<Batch, Error>> {
    let (batches, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || read(reader, &position, size, &batches));
    receiver
}

fn read(reader: Reader, position: &AtomicU64, size: usize, batches: &Sender<Result<Batch, Error>>) {
    let mut batch = Batch::empty();
    let (mut bytes, mut rows) = (0, 0);
    for item in reader {
        match item {
            Ok(Item::Order(order)) => {
                rows += order.rows.len() as u64;
                bytes += order.order.encoded_len();
                batch.orders.push(order);
            }
            Ok(Item::Reject(reject)) => {
                rows += 1;
                bytes += reject.row.fields.as_slice().len();
                batch.rejects.push(reject);
            }
            Err(error) => {
                let _ = batches.blocking_send(Ok(batch.at(position, rows)));
                let _ = batches.blocking_send(Err(error));
                return;
            }
        }
        let full =
            batch.orders.len() >= size || batch.rejects.len() >= size || bytes >= BATCH_BYTES;
        if full {
            bytes = 0;
            let full = std::mem::replace(&mut batch, Batch::empty());
            // The receiver is gone when the import has ended.
            if batches.blocking_send(Ok(full.at(position, rows))).is_err() {
                return;
            }
        }
    }
    if !batch.is_empty() {
        let _ = batches.blocking_send(Ok(batch.at(position, rows)));
    }
}

impl Batch {
    const fn empty() -> Self {
        Self { orders: Vec::new(), rejects: Vec::new(), position: 0, rows_read: 0 }
    }

    const fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.rejects.is_empty()
    }

    fn at(self, position: &AtomicU64, rows_read: u64) -> Self {
        Self { position: position.load(Ordering::Relaxed), rows_read, ..self }
    }
}
