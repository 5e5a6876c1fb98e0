//! Claims (应收): what is to be paid in cash for an order, what its buyer is charged for that, and until when. Whoever places an
//! order opens one in the same transaction; payments settle it without knowing orders.

pub mod charge;
pub mod domain;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;

use crate::{
    App,
    order::domain::OrderId,
    payment::{order_side, settle},
};
use charge::Cash;
use domain::{Claim, Event, State};

/// Opens the claim of an order. With nothing to pay it is paid at once, on the path that payments take (rule 18).
///
/// # Errors
/// The fault of the store; the order has a claim already.
pub async fn open(
    app: &App,
    tx: &mut Tx,
    order_id: OrderId,
    cash: Cash,
    deadline_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Claim, Fault> {
    let claim = Claim::open(order_id, cash, deadline_at, now);
    store::insert(tx, &claim).await?;
    if claim.state == State::Paid {
        order_side::on_claim_paid(app, tx, &claim, None, now).await?;
    }
    Ok(claim)
}

/// Lets nobody pay the claim of an order any more. Payment companies are asked to close what is under way first; until they
/// have answered, the claim is `closing`. A payment that comes in between pays it.
///
/// # Errors
/// `NOT_FOUND`; `CLAIM_PAID` when it is paid.
pub async fn close(
    app: &App,
    tx: &mut Tx,
    order_id: OrderId,
    now: DateTime<Utc>,
) -> Result<Claim, Fault> {
    let claim = store::lock(tx, order_id).await?;
    let mut claim = claim.ok_or_else(|| Fault::not_found("payment claim"))?;
    close_locked(app, tx, &mut claim, now).await?;
    Ok(claim)
}

/// Closes a claim that is locked.
pub(crate) async fn close_locked(
    app: &App,
    tx: &mut Tx,
    claim: &mut Claim,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    claim.take(Event::Close, None, now).map_err(|_| paid())?;
    store::save(tx, claim).await?;
    settle::close_attempts(tx, claim, now).await?;
    settle::end(app, tx, claim, now).await
}

fn paid() -> Fault {
    let message = "the claim is paid, its money goes back by a refund";
    Fault::new(siyu_kernel::Code::FailedPrecondition, "CLAIM_PAID", message)
}
