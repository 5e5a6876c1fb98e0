//! Refunds of payments: planned in a transaction, sent afterwards, asked for until they have ended.

pub mod domain;
pub mod send;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::Tx;

use super::{aside, domain::Payment, order_side, provider::RefundStand, settle};
use crate::{App, claim::domain::PaymentId, limits};
use domain::{Event, Refund, State, headroom, out_refund_no};

/// The key of the refund of a payment that settled nothing.
pub(crate) const SURPLUS: &str = "surplus";

/// Plans a refund of a payment: `asked` is the key that makes it idempotent, and the reason that the buyer reads. It is sent by
/// a job. What was refunded, and what is on its way, never exceeds what was paid (rule 6); a refund that failed counts no more.
///
/// # Errors
/// `NOT_FOUND`; `PAYMENT_NOT_PAID`; `REFUND_EXCEEDS_PAYMENT`; `REFUND_KEY_REUSED` for another amount under the same key.
pub async fn plan(
    app: &App,
    tx: &mut Tx,
    payment_id: PaymentId,
    amount_minor: i64,
    asked: (&str, &str),
    now: DateTime<Utc>,
) -> Result<Refund, Fault> {
    let (key, reason) = asked;
    plan_as(app, tx, payment_id, amount_minor, Asked { key, reason, actor: "" }, now).await
}

/// What somebody asks for with a refund of a payment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// What makes it idempotent.
    pub(crate) key: &'a str,
    /// What the buyer reads.
    pub(crate) reason: &'a str,
    /// The credential; empty for what goes back by itself.
    pub(crate) actor: &'a str,
}

/// Plans a refund for somebody; like [`plan`] otherwise.
pub(crate) async fn plan_as(
    app: &App,
    tx: &mut Tx,
    payment_id: PaymentId,
    amount_minor: i64,
    asked: Asked<'_>,
    now: DateTime<Utc>,
) -> Result<Refund, Fault> {
    let key = asked.key;
    let (_, payment) = settle::find(tx, payment_id).await?;
    let refunds = store::of_payment(tx, payment_id).await?;
    if let Some(known) = refunds.iter().find(|refund| refund.key == key) {
        if known.amount_minor == amount_minor {
            return Ok(known.clone());
        }
        return Err(refused("REFUND_KEY_REUSED", "the key stands for a refund of another amount"));
    }
    let paid_minor = payment.paid_minor.filter(|_| payment.state.is_paid());
    let paid_minor = paid_minor
        .ok_or_else(|| refused("PAYMENT_NOT_PAID", "nothing was paid that could be given back"))?;
    let left = headroom(paid_minor, &refunds);
    if amount_minor <= 0 || amount_minor > left {
        let fault = refused("REFUND_EXCEEDS_PAYMENT", "more than what is left of the payment");
        return Err(fault.with("left_minor", left));
    }
    let refund = fresh(app, &payment, &refunds, amount_minor, asked, now);
    store::insert(tx, &refund).await?;
    Ok(refund)
}

fn fresh(
    app: &App,
    payment: &Payment,
    before: &[Refund],
    amount_minor: i64,
    asked: Asked<'_>,
    now: DateTime<Utc>,
) -> Refund {
    let number = before.iter().map(|refund| refund.number).max().unwrap_or(0) + 1;
    Refund {
        id: Id::from_uuid(app.ids.uuid()),
        payment_id: payment.id,
        number,
        key: asked.key.to_owned(),
        account_code: payment.account_code.clone(),
        out_refund_no: out_refund_no(&payment.out_trade_no, number),
        amount_minor,
        reason: asked.reason.to_owned(),
        actor: asked.actor.to_owned(),
        state: State::Created,
        provider_no: String::new(),
        failure: String::new(),
        tries: 0,
        due_at: Some(now),
        created_at: now,
        ended_at: None,
    }
}

/// Takes in how a refund stands at the payment company.
pub(crate) async fn take_stand(
    app: &App,
    tx: &mut Tx,
    refund: &Refund,
    stand: &RefundStand,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    // The order is told below, so everything is locked in its order.
    let (_, payment) = settle::find(tx, refund.payment_id).await?;
    let mut refund = locked(tx, refund).await?;
    if refund.state.is_ended() {
        return Ok(());
    }
    let next = now + limits::backoff(refund.tries);
    match stand {
        RefundStand::Absent => refund.take(Event::Absent, now, next),
        RefundStand::Processing { provider_no } => {
            refund.provider_no.clone_from(provider_no);
            refund.take(Event::Processing, now, next);
        }
        RefundStand::Succeeded { provider_no, at } => {
            refund.provider_no.clone_from(provider_no);
            refund.take(Event::Succeeded, *at, next);
        }
        RefundStand::Failed(why) => {
            refund.failure.clone_from(why);
            refund.take(Event::Failed, now, next);
            tracing::error!(refund = %refund.id, why, "a refund has failed");
        }
    }
    store::save(tx, &refund).await?;
    if refund.state == State::Succeeded {
        aside::given_back(app, tx, &payment, now).await?;
    }
    if refund.state.is_ended() {
        order_side::on_refund_ended(app, tx, &refund, now).await?;
    }
    Ok(())
}

/// Nothing is known of what came of sending or asking: it is asked again later.
pub(crate) async fn take_silence(
    tx: &mut Tx,
    refund: &Refund,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut refund = locked(tx, refund).await?;
    if !refund.state.is_ended() {
        refund.take(Event::Unknown, now, now + limits::backoff(refund.tries));
        store::save(tx, &refund).await?;
    }
    Ok(())
}

async fn locked(tx: &mut Tx, refund: &Refund) -> Result<Refund, Fault> {
    let locked = store::lock(tx, refund.id).await?;
    locked.ok_or_else(|| Fault::internal("a refund is never deleted"))
}

fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}
