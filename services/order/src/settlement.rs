//! Settlement of franchised stores (加盟结算): of what an order brings, the platform, headquarters and common marketing have
//! their parts, and the rest is the franchisee's (reference §3.11). An entry is never changed: what a refund takes back is an
//! entry of its own (rule 11).

pub mod domain;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;

use crate::order::domain::Order;

use domain::{Entry, Split};

/// Follows an order that was placed here and is told, at its revision: what is due since is an entry. The order's row is
/// locked.
pub(crate) async fn follow(tx: &mut Tx, order: &Order, now: DateTime<Utc>) -> Result<(), Fault> {
    if order.shop_id.is_empty() {
        return Ok(());
    }
    let settled = store::settled(tx, order.id).await?;
    let net_minor = if order.counts() { order.paid_minor } else { 0 };
    let (rates, before) = match settled {
        Some((rates, before)) => (rates, before),
        // Only what is paid while the store is a franchisee's is settled.
        None => match store::rates(tx, &order.shop_id).await? {
            Some(rates) if net_minor > 0 => (rates, Split::default()),
            Some(_) | None => return Ok(()),
        },
    };
    let split = rates.split(net_minor).minus(before);
    if split == Split::default() {
        return Ok(());
    }
    let entry = Entry {
        order_id: order.id,
        revision: order.revision,
        store_code: order.shop_id.clone(),
        currency: order.currency.0.code().to_owned(),
        rates,
        split,
        occurred_at: now,
    };
    Ok(store::insert(tx, &entry).await?)
}
