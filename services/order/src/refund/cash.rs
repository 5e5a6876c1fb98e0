//! The cash of a refund: through the payment that paid the order.

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
    App, claim,
    order::advance,
    payment::refund::{self as payments, domain::Refund as PaymentRefund},
};

/// Hands the cash of a refund to its payment, once: the refund's id is the key there.
pub(super) async fn send(
    app: &App,
    merchant: siyu_kernel::Id<Merchant>,
    refund: &Refund,
) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let claim = claim::store::find(&mut tx, refund.order_id).await?;
    let payment = claim.and_then(|claim| claim.payment_id);
    let payment = payment.ok_or_else(|| Fault::internal("cash goes back that never came"))?;
    let key = refund.id.to_string();
    let asked = (key.as_str(), refund.reason.as_str());
    payments::plan(app, &mut tx, payment, refund.cash_minor, asked, now).await?;
    Ok(tx.commit().await?)
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
    let Some(found) = store::find(tx, id).await? else { return Ok(()) };
    let (order, _) = advance::lock(tx, found.order_id, "").await?;
    let Some(mut refund) = store::lock(tx, id).await? else { return Ok(()) };
    if refund.state != State::Processing || refund.cash != Part::Waiting {
        return Ok(());
    }
    refund.cash = match sent.state {
        crate::payment::refund::domain::State::Succeeded => Part::Done,
        crate::payment::refund::domain::State::Failed => Part::Failed,
        crate::payment::refund::domain::State::Created
        | crate::payment::refund::domain::State::Sending
        | crate::payment::refund::domain::State::Unknown
        | crate::payment::refund::domain::State::Processing => return Ok(()),
    };
    refund.failure.clone_from(&sent.failure);
    (refund.due_at, refund.attempts) = (Some(now), 0);
    let news = [(CASH, refund.cash)];
    run::end(app, tx, order, &mut refund, &news, now).await
}
