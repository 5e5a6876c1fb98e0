//! The cash of a refund: through the payment that paid the order, in the currency that was charged.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, kind::Merchant};
use siyu_pg::Tx;

use super::{
    domain::{Part, Refund, RefundId, State},
    run,
    sold::CASH,
    store,
};
use crate::{
    App,
    claim::{
        self,
        charge::{Gone, back},
        domain::{Claim, PaymentId},
    },
    order::advance,
    payment::{
        refund::{self as payments, domain::Refund as PaymentRefund},
        settle,
    },
};

/// Hands the cash of a refund to its payment, once: the refund's id is the key there. What of a charge in another currency comes
/// to less than a unit needs no payment company: it is done, and goes with the next refund.
pub(super) async fn send(
    app: &App,
    merchant: siyu_kernel::Id<Merchant>,
    refund: &Refund,
) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let claim = claim::store::find(&mut tx, refund.order_id).await?;
    let paid = claim.and_then(|claim| claim.payment_id.map(|payment| (claim, payment)));
    let (claim, payment) = paid.ok_or_else(|| Fault::internal("cash goes back that never came"))?;
    let amount = if claim.is_charged_elsewhere() {
        let Some(amount) = share(&mut tx, refund, &claim, payment).await? else { return Ok(()) };
        amount
    } else {
        refund.cash_minor
    };
    if amount == 0 {
        take(app, &mut tx, refund.id, (Part::Done, ""), now).await?;
        return Ok(tx.commit().await?);
    }
    let key = refund.id.to_string();
    let asked = (key.as_str(), refund.reason.as_str());
    payments::plan(app, &mut tx, payment, amount, asked, now).await?;
    Ok(tx.commit().await?)
}

/// What a refund gives back of a charge in another currency, with the claim and the payment locked; `None`: it was handed over
/// before. Of the other refunds those count that were handed over and have not failed, and those that gave back nothing.
async fn share(
    tx: &mut Tx,
    refund: &Refund,
    claim: &Claim,
    payment: PaymentId,
) -> Result<Option<i64>, Fault> {
    settle::find(tx, payment).await?;
    let sent = payments::store::of_payment(tx, payment).await?;
    let of = |id: RefundId| sent.iter().find(|sent| sent.key == id.to_string());
    if of(refund.id).is_some() {
        return Ok(None);
    }
    let others = store::of_order(tx, refund.order_id).await?.into_iter();
    let counts = |other: &Refund| {
        other.cash == Part::Done || of(other.id).is_some_and(|sent| sent.state.counts())
    };
    let others = others.filter(|other| other.id != refund.id && counts(other));
    let charge = sent.iter().filter(|sent| sent.state.counts()).map(|sent| sent.amount_minor);
    let gone = Gone { cash: others.map(|other| other.cash_minor).sum(), charge: charge.sum() };
    Ok(Some(back(claim.charge_minor, claim.cash_minor, gone, refund.cash_minor)))
}

/// The payment company has given the cash back, or will not. Called with the claim and the payment locked.
pub(crate) async fn ended(
    app: &App,
    tx: &mut Tx,
    sent: &PaymentRefund,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    // What went back by itself, as a second payment does, is no refund of an order.
    let Ok(id) = sent.key.parse::<RefundId>() else { return Ok(()) };
    let part = match sent.state {
        crate::payment::refund::domain::State::Succeeded => Part::Done,
        crate::payment::refund::domain::State::Failed => Part::Failed,
        crate::payment::refund::domain::State::Created
        | crate::payment::refund::domain::State::Sending
        | crate::payment::refund::domain::State::Unknown
        | crate::payment::refund::domain::State::Processing => return Ok(()),
    };
    take(app, tx, id, (part, &sent.failure), now).await
}

/// Takes in what became of the cash.
async fn take(
    app: &App,
    tx: &mut Tx,
    id: RefundId,
    (part, failure): (Part, &str),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let Some(found) = store::find(tx, id).await? else { return Ok(()) };
    let (order, _) = advance::lock(tx, found.order_id, "").await?;
    let Some(mut refund) = store::lock(tx, id).await? else { return Ok(()) };
    if refund.state != State::Processing || refund.cash != Part::Waiting {
        return Ok(());
    }
    refund.cash = part;
    failure.clone_into(&mut refund.failure);
    (refund.due_at, refund.attempts) = (Some(now), 0);
    let news = [(CASH, refund.cash)];
    run::end(app, tx, order, &mut refund, &news, now).await
}
