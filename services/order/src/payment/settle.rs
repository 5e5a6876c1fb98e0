//! What a payment company says of an attempt, taken in: the one place where payments and claims change. The caller's
//! transaction holds everything, so that a claim is paid exactly when a payment is kept.

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{
    aside,
    domain::{self, Event, Late, Payment, Settlement, all_ended},
    order_side,
    provider::{Paid, Trade},
    refund, store,
};
use crate::{
    App,
    claim::{
        self,
        domain::{Claim, Event as ClaimEvent, PaymentId, State as ClaimState},
    },
    limits,
};

/// Finds a payment and locks it with its claim.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) async fn find(tx: &mut Tx, id: PaymentId) -> Result<(Claim, Payment), Fault> {
    store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("payment"))
}

/// Takes in how a payment stands at the company, whose account goes by the name `payee` there.
pub(crate) async fn take_trade(
    app: &App,
    tx: &mut Tx,
    known: &Payment,
    trade: &Trade,
    payee: &str,
    now: DateTime<Utc>,
) -> Result<Payment, Fault> {
    let (mut claim, mut payment) = find(tx, known.id).await?;
    match trade {
        Trade::Paid(paid) => {
            succeed(app, tx, &mut claim, &mut payment, (paid, payee), now).await?;
        }
        Trade::Closed => {
            take(app, tx, &mut claim, &mut payment, Event::ProviderClosed, now).await?;
        }
        Trade::Absent | Trade::Open => postpone(tx, &mut payment, now).await?,
    }
    Ok(payment)
}

/// Takes an event that is no success, and ends the claim if nothing is open any more.
pub(crate) async fn take(
    app: &App,
    tx: &mut Tx,
    claim: &mut Claim,
    payment: &mut Payment,
    event: Event,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let before = payment.state;
    payment.take(event, now);
    if payment.state == before && payment.state.is_open() {
        return postpone(tx, payment, now).await;
    }
    if payment.state == domain::State::Pending {
        payment.due_at = Some(now + limits::FIRST_QUERY);
    }
    store::save(tx, payment).await?;
    end(app, tx, claim, now).await
}

/// Asks again later.
pub(crate) async fn postpone(
    tx: &mut Tx,
    payment: &mut Payment,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    if payment.state.is_open() {
        payment.due_at = Some(now + limits::backoff(payment.tries));
        payment.tries = payment.tries.saturating_add(1);
        store::save(tx, payment).await?;
    }
    Ok(())
}

async fn succeed(
    app: &App,
    tx: &mut Tx,
    claim: &mut Claim,
    payment: &mut Payment,
    (paid, payee): (&Paid, &str),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    if payment.state.is_paid() {
        return Ok(());
    }
    let mismatch = payment.mismatch(paid, payee);
    let is_late = claim.state == ClaimState::Closed && mismatch.is_none();
    let late = if is_late {
        order_side::on_late_payment(app, tx, claim, payment, now).await?
    } else {
        Late::Refund
    };
    let settlement = domain::settle(claim.state, payment.state, mismatch, late);
    let Some(event) = settlement.event() else { return Ok(()) };
    payment.record(paid);
    payment.take(event, now);
    if let Settlement::Hold(mismatch) = settlement {
        mismatch.as_str().clone_into(&mut payment.problem);
        tracing::error!(payment = %payment.id, problem = mismatch.as_str(), "a payment is held for review");
    }
    match settlement {
        Settlement::Keep(event) => {
            claim.take(event, Some(payment.id), now).map_err(Fault::internal)?;
            store::save_with_claim(tx, payment, claim).await?;
            kept(app, tx, claim, payment, event, now).await?;
        }
        Settlement::GiveBack => {
            store::save(tx, payment).await?;
            aside::suspend(app, tx, payment, now).await?;
            let (key, reason) = (refund::SURPLUS, "paid twice or too late");
            refund::plan(app, tx, payment.id, payment.amount_minor, (key, reason), now).await?;
        }
        // Until somebody gives it back.
        Settlement::Hold(_) => {
            store::save(tx, payment).await?;
            aside::suspend(app, tx, payment, now).await?;
        }
        Settlement::Known => {}
    }
    end(app, tx, claim, now).await
}

/// The claim is paid: its other attempts are closed, and the order is told.
async fn kept(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    payment: &Payment,
    event: ClaimEvent,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    // The only one is the one that pays.
    if claim.attempts > 1 {
        close_attempts(tx, claim, now).await?;
    }
    match event {
        ClaimEvent::Revive => order_side::on_claim_revived(app, tx, claim, payment, now).await,
        ClaimEvent::Success | ClaimEvent::Close | ClaimEvent::Ended => {
            order_side::on_claim_paid(app, tx, claim, Some(payment), now).await
        }
    }
}

/// Marks every attempt of a claim that is open as to be closed.
pub(crate) async fn close_attempts(
    tx: &mut Tx,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    for mut payment in store::lock_of(tx, claim.order_id).await? {
        let before = payment.state;
        if before.on(Event::Close) != before {
            payment.take(Event::Close, now);
            store::save(tx, &payment).await?;
        }
    }
    Ok(())
}

/// Ends a claim that is being closed, once no payment company takes money for it any more.
pub(crate) async fn end(
    app: &App,
    tx: &mut Tx,
    claim: &mut Claim,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    if claim.state != ClaimState::Closing {
        return Ok(());
    }
    let attempts = store::lock_of(tx, claim.order_id).await?;
    if all_ended(attempts.iter().map(|payment| payment.state)) {
        claim.take(ClaimEvent::Ended, None, now).map_err(Fault::internal)?;
        claim::store::save(tx, claim).await?;
        order_side::on_claim_closed(app, tx, claim, now).await?;
    }
    Ok(())
}
