//! Lets go what was put aside, as soon as somebody has said what its word means.

use std::collections::BTreeSet;

use prost::Message;
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::ExternalOrder;

use super::{
    batch::{self, Erased},
    store,
};
use crate::{App, limits};

/// Imports everything that was put aside for a word of a platform; returns how many.
pub async fn all(app: &App, ctx: &Ctx, platform: &str, status: &str) -> Result<i32, Fault> {
    let mut released: i32 = 0;
    loop {
        let batch = some(app, ctx, platform, status).await?;
        if batch == 0 {
            return Ok(released);
        }
        released = released.saturating_add(batch);
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

/// Who bought what was put aside of persons whose data were erased since. An order has a buyer's id: theirs is none.
fn erased(rows: &[store::QuarantinedRow], orders: &mut [ExternalOrder]) -> Erased {
    let mut erased = Erased::new();
    for (i, (row, order)) in rows.iter().zip(orders).enumerate() {
        if let Some(person) = row.person_id.filter(|_| order.buyer_id.is_empty()) {
            "erased".clone_into(&mut order.buyer_id);
            erased.insert(i, person);
        }
    }
    erased
}

/// Imports one batch of what was put aside for a word and lets it go, in one transaction; returns how many. What is refused
/// now, for example because its store is gone, is let go too: it was never an order.
async fn some(app: &App, ctx: &Ctx, platform: &str, status: &str) -> Result<i32, Fault> {
    for _ in 0..limits::RACE_ATTEMPTS_MAX {
        let mut tx = app.db.tenant(ctx.merchant()?).await?;
        let rows = store::lock_aside(&mut tx, platform, status, limits::RELEASE_BATCH).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut orders = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        let erased = erased(&rows, &mut orders);
        let mappings = store::mappings(&mut tx).await?;
        if batch::import_in(app, &mut tx, ctx, &orders, &mappings, &erased).await?.is_none() {
            continue;
        }
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        store::release(&mut tx, &ids).await?;
        tx.commit().await?;
        return Ok(i32::try_from(ids.len()).expect("a batch is small"));
    }
    Err(Fault::new(
        Code::Aborted,
        "ORDERS_CONTENDED",
        "other imports store the same orders at this moment",
    ))
}
