//! What an order sold and what of it went back: read from what was kept with it.

use std::collections::BTreeMap;

use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1::{self as proto, PriceSnapshot};

use super::{
    domain::{Refund, State},
    plan::{self, Before, LineRefund, Sold, SoldTender, TenderKind, ThresholdPolicy},
    store,
};
use crate::{
    checkout,
    order::domain::OrderId,
    quote::snapshot::{self, Priced},
    tender::{self, domain::Kind},
};

/// The key of cash among the tenders of a plan.
pub(crate) const CASH: &str = "cash";
/// The key of stored value.
pub(crate) const VALUE: &str = "value";

/// What was sold, and everything that went back or is about to. Fails with `NOT_FOUND` for orders of other platforms.
pub(crate) async fn read(tx: &mut Tx, id: OrderId) -> Result<(Sold, Before, Vec<Refund>), Fault> {
    let sold = sold(tx, id).await?;
    let refunds = store::of_order(tx, id).await?;
    let before = before(&refunds, State::counts)?;
    Ok((sold, before, refunds))
}

/// Whether nothing is left of the order of a refund that has just succeeded, whatever was expected when it was planned: what
/// counted then and was not decided may have been rejected, or may still be.
pub(super) async fn is_all_back(tx: &mut Tx, refund: &Refund) -> Result<bool, Fault> {
    let refunds = store::of_order(tx, refund.order_id).await?;
    if let [only] = refunds.as_slice() {
        return Ok(plan_of(only)?.fully);
    }
    let sold = sold(tx, refund.order_id).await?;
    let back = before(&refunds, |state| state == State::Succeeded)?;
    Ok(plan::is_all_back(&sold, &back)?)
}

async fn sold(tx: &mut Tx, id: OrderId) -> Result<Sold, Fault> {
    let checkout = checkout::store::find(tx, id).await?;
    let checkout = checkout.ok_or_else(|| Fault::not_found("order"))?;
    let kept = PriceSnapshot::decode(checkout.snapshot.as_slice()).map_err(Fault::internal)?;
    let mut tenders = Vec::new();
    let mut add = |key: &str, kind, amount_minor| {
        if amount_minor > 0 {
            tenders.push(SoldTender { key: key.to_owned(), kind, amount_minor });
        }
    };
    add(CASH, TenderKind::Cash, checkout.cash_minor);
    for tender in tender::store::of_order(tx, id).await? {
        // Points have taken something off the price: they stand with the lines.
        if tender.kind == Kind::Value {
            add(VALUE, TenderKind::StoredValue, tender.amount_minor);
        }
    }
    let policy = match kept.policy.as_ref().map(proto::CheckoutPolicy::threshold_policy) {
        Some(proto::ThresholdPolicy::Deduct) => ThresholdPolicy::Deduct,
        Some(proto::ThresholdPolicy::Keep | proto::ThresholdPolicy::Unspecified) | None => {
            ThresholdPolicy::Keep
        }
    };
    let Priced { cart, rules, quote } = snapshot::price(&kept)?;
    Ok(Sold::of(&cart, &rules, &quote, tenders, policy))
}

/// What refunds in some states have given back or will.
fn before(refunds: &[Refund], counts: impl Fn(State) -> bool) -> Result<Before, Fault> {
    let mut before = Before::default();
    for refund in refunds.iter().filter(|refund| counts(refund.state)) {
        let plan = plan_of(refund)?;
        for now in &plan.lines {
            let line = before.lines.entry(now.line_no).or_default();
            *line = LineRefund {
                line_no: now.line_no,
                quantity: line.quantity + now.quantity,
                goods_minor: line.goods_minor + now.goods_minor,
                withheld_minor: line.withheld_minor + now.withheld_minor,
                points: line.points + now.points,
            };
        }
        before.shipping_minor += plan.shipping_minor;
        let tenders: BTreeMap<_, _> =
            plan.tenders.iter().map(|t| (t.tender.clone(), t.amount_minor)).collect();
        for (key, amount) in tenders {
            *before.tenders.entry(key).or_default() += amount;
        }
    }
    Ok(before)
}

/// The plan that is kept with a refund.
pub(crate) fn plan_of(refund: &Refund) -> Result<proto::RefundPlan, Fault> {
    proto::RefundPlan::decode(refund.plan.as_slice()).map_err(Fault::internal)
}
