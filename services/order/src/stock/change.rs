//! The RPCs that put stock right, set it aside and move it.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Violation};
use siyu_pg::replay;
use siyu_proto::order::v1::{
    self as proto, AdjustStockRequest, AdjustStockResponse, SetBucketsRequest, SetBucketsResponse,
    SetSafetyRequest, SetSafetyResponse, TransferStockRequest, TransferStockResponse,
};

use super::{
    book::Book,
    domain::{Cause, Key, Of},
    edit::{self, Refused},
    fit, read,
    store::{self, Write},
};
use crate::App;

const ADJUST: &str = "siyu.order.v1.StockService/AdjustStock";
const SET_BUCKETS: &str = "siyu.order.v1.StockService/SetBuckets";
const TRANSFER: &str = "siyu.order.v1.StockService/TransferStock";

pub(super) async fn adjust(
    app: &App,
    ctx: Ctx,
    request: AdjustStockRequest,
) -> Result<AdjustStockResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ADJUST, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let key = Key { sku: request.sku, location: request.location };
    let mut book = fit::open_all(&mut tx, &[key.clone()].into(), ctx.now).await?;
    let of = Of { document_no: request.document_no, note: request.note, ..Of::default() };
    edit::add(&mut book, &key, Cause::Adjusted, request.delta, of)?;
    store::save(&mut tx, &book, Write::Set, ctx.now, &*app.ids).await?;
    let reply = AdjustStockResponse { stock: show(&book, &key, &ctx) };
    replay::keep(&mut tx, ADJUST, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

pub(super) async fn set_safety(
    app: &App,
    ctx: Ctx,
    request: SetSafetyRequest,
) -> Result<SetSafetyResponse, Fault> {
    let key = |row: &proto::SafetyRow| Key { sku: row.sku.clone(), location: row.location.clone() };
    let (mut keys, mut wrong) = (BTreeSet::new(), Vec::new());
    for (i, row) in request.rows.iter().enumerate() {
        if !keys.insert(key(row)) {
            let description = format!("\"{}\" at \"{}\" stands twice", row.sku, row.location);
            wrong.push(Violation { field: format!("rows[{i}].sku"), description });
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let mut book = fit::open_all(&mut tx, &keys, ctx.now).await?;
    for row in &request.rows {
        edit::set_safety(&mut book, &key(row), row.safety);
    }
    store::save(&mut tx, &book, Write::Set, ctx.now, &*app.ids).await?;
    tx.commit().await?;
    let stocks = request.rows.iter().filter_map(|row| show(&book, &key(row), &ctx));
    Ok(SetSafetyResponse { stocks: stocks.collect() })
}

pub(super) async fn set_buckets(
    app: &App,
    ctx: Ctx,
    request: SetBucketsRequest,
) -> Result<SetBucketsResponse, Fault> {
    let (mut buckets, mut wrong) = (BTreeMap::new(), Vec::new());
    for (i, bucket) in request.buckets.iter().enumerate() {
        if buckets.insert(bucket.channel.clone(), bucket.quantity).is_some() {
            let description = format!("\"{}\" stands twice", bucket.channel);
            wrong.push(Violation { field: format!("buckets[{i}].channel"), description });
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SET_BUCKETS, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let key = Key { sku: request.sku, location: request.location };
    let mut book = Book::new(store::lock(&mut tx, &[&key].into()).await?);
    if book.stock(&key).is_none() {
        return Err(Fault::not_found("stock"));
    }
    edit::set_buckets(&mut book, &key, buckets)?;
    store::save(&mut tx, &book, Write::Set, ctx.now, &*app.ids).await?;
    let reply = SetBucketsResponse { stock: show(&book, &key, &ctx) };
    replay::keep(&mut tx, SET_BUCKETS, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

pub(super) async fn transfer(
    app: &App,
    ctx: Ctx,
    request: TransferStockRequest,
) -> Result<TransferStockResponse, Fault> {
    check_transfer(&request)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, TRANSFER, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let at = |location: &str, row: &proto::TransferStockRow| Key {
        sku: row.sku.clone(),
        location: location.to_owned(),
    };
    let ends = |row| [at(&request.from_location, row), at(&request.to_location, row)];
    let keys = request.rows.iter().flat_map(ends).collect();
    let mut book = fit::open_all(&mut tx, &keys, ctx.now).await?;
    let mut refused = Vec::new();
    for row in &request.rows {
        let [from, to] = ends(row);
        let moved = edit::transfer(&mut book, &from, &to, row.quantity, &request.document_no);
        refused.extend(moved.err());
    }
    if let Some(fault) = refusal(&refused) {
        return Err(fault);
    }
    store::save(&mut tx, &book, Write::Set, ctx.now, &*app.ids).await?;
    let stocks = request.rows.iter().map(|row| at(&request.to_location, row));
    let reply = TransferStockResponse {
        stocks: stocks.filter_map(|key| show(&book, &key, &ctx)).collect(),
    };
    replay::keep(&mut tx, TRANSFER, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn check_transfer(request: &TransferStockRequest) -> Result<(), Fault> {
    let mut wrong = Vec::new();
    if request.from_location == request.to_location {
        let description = "must be another than from_location".to_owned();
        wrong.push(Violation { field: "to_location".to_owned(), description });
    }
    let mut seen = BTreeSet::new();
    for (i, row) in request.rows.iter().enumerate() {
        if !seen.insert(&row.sku) {
            let description = format!("\"{}\" stands twice", row.sku);
            wrong.push(Violation { field: format!("rows[{i}].sku"), description });
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Fault::invalid(wrong)) }
}

/// The answer to a transfer of which some rows cannot be: names them all.
fn refusal(refused: &[Refused]) -> Option<Fault> {
    let first = refused.first()?;
    let skus: Vec<&str> = refused
        .iter()
        .map(|refused| match refused {
            Refused::Short { key, .. } | Refused::TooLarge { key } => key.sku.as_str(),
        })
        .collect();
    Some(Fault::from(first.clone()).with("skus", skus.join(",")))
}

/// A stock of a book as callers see it; what was changed, was changed now.
fn show(book: &Book, key: &Key, ctx: &Ctx) -> Option<proto::Stock> {
    let stock = book.stock(key)?;
    let is_changed = book.changed().any(|(changed, _)| changed == key);
    let mut shown = read::show(key, stock);
    if is_changed {
        shown.update_time = Some(siyu_grpc::parse::timestamp(ctx.now));
    }
    Some(shown)
}
