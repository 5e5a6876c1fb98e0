//! What happens to an order when its claim is paid or closed, or a refund ends: called in the transaction of the change, so that
//! both happen or neither. Payments know nothing else of orders. The claim is locked before the order.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use super::{
    domain::{Late, Payment},
    refund::domain::Refund,
};
use crate::{
    App, checkout,
    claim::domain::Claim,
    order::{
        advance::{self, Cause},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
    refund as refunds,
};

const ACTOR: &str = "order.payments";
/// The cause that makes an order paid, once.
const PAY: &str = "pay";

/// The claim is paid: by a payment, or with nothing to pay.
pub async fn on_claim_paid(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    payment: Option<&Payment>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    settle(app, tx, claim, payment, Event::Paid, now).await
}

/// The claim was closed and is paid by money that came late: what was ordered was taken again by [`on_late_payment`].
pub async fn on_claim_revived(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    payment: &Payment,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    settle(app, tx, claim, Some(payment), Event::Revived, now).await
}

async fn settle(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    payment: Option<&Payment>,
    event: Event,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let Some(locked) = locked(tx, claim.order_id, PAY).await? else { return Ok(()) };
    let reason = payment.map(|payment| payment.id.to_string()).unwrap_or_default();
    let cause = Cause { key: PAY, actor: ACTOR, reason: &reason, now };
    checkout::settle::settle_locked(app, tx, locked, event, cause).await?;
    Ok(())
}

/// The claim is closed, and no payment company takes money for it any more.
pub async fn on_claim_closed(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let Some(_) = order(tx, claim.order_id).await? else { return Ok(()) };
    let reason = if claim.deadline_at <= now { "it was not paid in time" } else { "" };
    let cause = Cause { key: "cancel", actor: ACTOR, reason, now };
    checkout::cancel::cancel(app, tx, claim.order_id, cause).await?;
    Ok(())
}

/// Money came for a claim that is closed: whether what was ordered can be had again (rule 15).
pub async fn on_late_payment(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    payment: &Payment,
    now: DateTime<Utc>,
) -> Result<Late, Fault> {
    let Some(order) = order(tx, claim.order_id).await? else { return Ok(Late::Refund) };
    let late = checkout::revive::revive(app, tx, &order, now).await?;
    tracing::info!(order = %order.id, payment = %payment.id, ?late, "money came late");
    Ok(late)
}

/// A refund has ended: succeeded, or failed and may be asked for again.
pub async fn on_refund_ended(
    app: &App,
    tx: &mut Tx,
    refund: &Refund,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    refunds::cash::ended(app, tx, refund, now).await
}

/// The order behind a claim, locked. A claim that stands for something else has none.
async fn order(tx: &mut Tx, id: OrderId) -> Result<Option<Order>, Fault> {
    Ok(locked(tx, id, "").await?.map(|(order, _)| order))
}

/// The order behind a claim, locked, and whether a cause has happened to it.
async fn locked(tx: &mut Tx, id: OrderId, cause: &str) -> Result<Option<(Order, bool)>, Fault> {
    match advance::lock(tx, id, cause).await {
        Ok(locked) => Ok(Some(locked)),
        Err(fault) if fault.code() == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
