//! What an order takes besides its rows: coupons, stock, its place in an activity.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use super::{ahead::Ahead, draft::Draft, store};
use crate::{
    App, attribution, coupon, fx, limits,
    market::{deal::Deal, entry},
    stock,
    tender::{self, domain::Tender},
};

/// What an order takes besides its row.
pub(super) struct Kept<'a> {
    pub(super) deal: Option<&'a Deal>,
    pub(super) checkout: &'a store::Checkout,
    pub(super) tenders: &'a [Tender],
    pub(super) demand: &'a stock::Request,
    pub(super) ahead: Option<&'a Ahead>,
}

/// Keeps and takes what belongs to an order, once it is there: coupons before stock, so that two orders never wait for each
/// other.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    draft: &Draft<'_>,
    kept: &Kept<'_>,
) -> Result<(), Fault> {
    attribute(tx, ctx, draft).await?;
    let currencies = (draft.currency(), draft.request.presentment_currency_code.as_str());
    fx::present(tx, ctx, (draft.id, kept.checkout, draft.quote), currencies).await?;
    if let Some(deal) = kept.deal {
        entry::bind(app, tx, draft.id, deal, ctx).await?;
    }
    lock_coupons(tx, draft).await?;
    take_stock(app, tx, ctx, kept).await?;
    Ok(tender::store::insert(tx, kept.tenders, ctx.now + limits::TENDER_HEAD_START).await?)
}

/// Reserves what an order is for, or claims what was reserved ahead of it: the very same. Where the rules of the merchant, or
/// what is counted, changed in between, it is not, and the next try goes by them.
async fn take_stock(app: &App, tx: &mut Tx, ctx: &Ctx, kept: &Kept<'_>) -> Result<(), Fault> {
    let demand = kept.demand;
    if kept.ahead.is_some() {
        return stock::claim(tx, demand, ctx.now).await;
    }
    if demand.demands.is_empty() {
        return Ok(());
    }
    let reserved = stock::reserve(tx, demand, ctx.now, &*app.ids).await?;
    reserved.map_err(|short| stock::refusal(&short))
}

/// Copies the click that the order came from.
async fn attribute(tx: &mut Tx, ctx: &Ctx, draft: &Draft<'_>) -> Result<(), Fault> {
    let from = ctx.now - TimeDelta::hours(draft.policy.live_window_hours.into());
    let skus: BTreeSet<&str> = draft.request.lines.iter().map(|l| l.sku.as_str()).collect();
    let skus: Vec<&str> = skus.into_iter().collect();
    let person = draft.buyer.person_id;
    Ok(attribution::store::attribute(tx, draft.id, person, &skus, (from, ctx.now)).await?)
}

/// The price was found without a lock: meanwhile another order may have taken a coupon, or the buyer given it on.
async fn lock_coupons(tx: &mut Tx, draft: &Draft<'_>) -> Result<(), Fault> {
    let used = draft.snapshot.used_coupon_ids.iter();
    let mut ids = used
        .map(|id| parse::id("coupon_ids", id).map_err(Fault::internal))
        .collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    if ids.is_empty() {
        return Ok(());
    }
    let locked = coupon::store::lock(tx, draft.buyer.person_id, &ids, draft.id).await?;
    if locked == ids.len() as u64 {
        return Ok(());
    }
    let message = "another order uses one of the coupons at this moment, or it was given on";
    Err(Fault::new(Code::FailedPrecondition, "COUPON_TAKEN", message))
}
