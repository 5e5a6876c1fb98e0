//! What happens to an order when its claim is paid or closed, or a refund ends: called in the transaction of the change, so that
//! both happen or neither. Payments know nothing else of orders.
#![expect(clippy::unused_async, reason = "what happens to orders waits for the database")]

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{
    domain::{Late, Payment},
    refund::domain::Refund,
};
use crate::{App, claim::domain::Claim};

/// The claim is paid: by a payment, or with nothing to pay.
pub async fn on_claim_paid(
    _app: &App,
    _tx: &mut Tx,
    claim: &Claim,
    payment: Option<&Payment>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    tracing::debug!(order = %claim.order_id, payment = ?payment.map(|p| p.id), %now, "a claim is paid");
    Ok(())
}

/// The claim is closed, and no payment company takes money for it any more.
pub async fn on_claim_closed(
    _app: &App,
    _tx: &mut Tx,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    tracing::debug!(order = %claim.order_id, %now, "a claim is closed");
    Ok(())
}

/// Money came for a claim that is closed: whether what was ordered can be had again (rule 15). Claims hold no stock that could
/// be taken again, so the money goes back.
pub async fn on_late_payment(
    _app: &App,
    _tx: &mut Tx,
    claim: &Claim,
    payment: &Payment,
) -> Result<Late, Fault> {
    tracing::debug!(order = %claim.order_id, payment = %payment.id, "money came late");
    Ok(Late::Refund)
}

/// A refund has ended: succeeded, or failed and may be asked for again.
pub async fn on_refund_ended(
    _app: &App,
    _tx: &mut Tx,
    refund: &Refund,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    tracing::debug!(refund = %refund.id, state = refund.state.as_str(), %now, "a refund has ended");
    Ok(())
}
