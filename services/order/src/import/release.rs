//! Lets go what was put aside, as soon as somebody has said what its word means.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::ExternalOrder;
use uuid::Uuid;

use super::{
    batch::{self, Answer, Kept},
    store,
};
use crate::{App, limits};

/// A row among those of a word: its version, then its id.
type Place = (DateTime<Utc>, Uuid);

/// Imports everything that was put aside for a word of a platform; returns how many. What is refused stays put aside: it is an
/// order all the same, and goes when the word is explained once more after what is wrong, for example a store that is not
/// there, was put right.
pub async fn all(app: &App, ctx: &Ctx, platform: &str, status: &str) -> Result<i32, Fault> {
    let (mut released, mut after) = (0_i32, None);
    loop {
        let some = some(app, ctx, (platform, status), after).await?;
        released = released.saturating_add(some.count);
        if some.last.is_none() {
            return Ok(released);
        }
        after = some.last;
    }
}

/// Lets go what a batch has just put aside for words that were explained since the batch was read: whoever explained them
/// may have looked before the batch was stored.
pub async fn overtaken(app: &App, ctx: &Ctx, words: &BTreeSet<(&str, &str)>) -> Result<(), Fault> {
    if words.is_empty() {
        return Ok(());
    }
    let mappings = {
        let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
        store::mappings(&mut tx).await?
    };
    for &(platform, status) in words {
        if mappings.contains_key(&(platform.to_owned(), status.to_owned())) {
            all(app, ctx, platform, status).await?;
        }
    }
    Ok(())
}

/// The order that a row holds.
pub fn decode(row: &store::QuarantinedRow) -> Result<ExternalOrder, Fault> {
    ExternalOrder::decode(row.payload.as_slice()).map_err(Fault::internal)
}

/// What was kept with orders. A person's buyer's id is gone where the data were erased since, and an order has one: theirs
/// is none.
fn kept(rows: &[store::QuarantinedRow], orders: &mut [ExternalOrder]) -> Kept {
    let mut kept =
        Kept { versions: rows.iter().map(|row| row.version).collect(), ..Kept::default() };
    for (i, (row, order)) in rows.iter().zip(orders).enumerate() {
        if let Some(person) = row.person_id.filter(|_| order.buyer_id.is_empty()) {
            "erased".clone_into(&mut order.buyer_id);
            kept.erased.insert(i, person);
        }
    }
    kept
}

/// What came of a batch.
struct Released {
    /// How many were imported.
    count: i32,
    /// Where the next batch begins; nothing after the last.
    last: Option<Place>,
}

/// Imports one batch of what was put aside for a word and lets go what was taken in, in one transaction.
async fn some(
    app: &App,
    ctx: &Ctx,
    (platform, status): (&str, &str),
    after: Option<Place>,
) -> Result<Released, Fault> {
    for _ in 0..limits::RACE_ATTEMPTS_MAX {
        let mut tx = app.db.tenant(ctx.merchant()?).await?;
        let rows =
            store::lock_aside(&mut tx, (platform, status), after, limits::RELEASE_BATCH).await?;
        let last = rows.last().map(|row| (row.version, row.id.uuid()));
        if rows.is_empty() {
            return Ok(Released { count: 0, last });
        }
        let mut orders = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        let kept = kept(&rows, &mut orders);
        let mappings = store::mappings(&mut tx).await?;
        let answers = batch::import_in(app, &mut tx, ctx, &orders, &mappings, &kept).await?;
        let Some(answers) = answers else { continue };
        let is_in = |(row, answer): (&store::QuarantinedRow, &Answer)| match answer {
            Answer::Done(..) => Some(row.id),
            Answer::Waiting(_) | Answer::Quarantined | Answer::Rejected(_) => None,
        };
        let ids: Vec<_> = rows.iter().zip(&answers).filter_map(is_in).collect();
        store::release(&mut tx, &ids).await?;
        tx.commit().await?;
        let count = i32::try_from(ids.len()).expect("a batch is small");
        return Ok(Released { count, last });
    }
    Err(Fault::new(
        Code::Aborted,
        "ORDERS_CONTENDED",
        "other imports store the same orders at this moment",
    ))
}

/// An order as it is kept of a person whose data were erased.
pub fn without_buyer(order: &ExternalOrder) -> Vec<u8> {
    ExternalOrder { buyer_id: String::new(), ..order.clone() }.encode_to_vec()
}
