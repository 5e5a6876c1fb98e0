//! Sends one refund, or asks for it. What was sent before is asked for first: only what the payment company does not have goes
//! out again, under the same number (rules 7, 8).

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};

use super::{
    domain::{Event, Refund, State},
    store, take_silence, take_stand,
};
use crate::{
    App, limits,
    payment::{
        account,
        domain::Payment,
        provider::{Provider, RefundOrder, RefundStand, Trouble},
        store as payments,
    },
};

/// What came of a round.
enum Said {
    /// How the refund stands.
    Stand(RefundStand),
    /// Nothing, for this reason.
    Nothing(String),
}

/// One round of a refund that this process has leased.
pub(crate) async fn once(
    app: &App,
    merchant: Id<Merchant>,
    refund: &Refund,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (_, provider) = account::provider(app, merchant, &refund.account_code).await?;
    let said = match refund.state {
        State::Created => send(app, merchant, refund, &*provider, now).await?,
        State::Sending | State::Unknown | State::Processing => {
            match provider.query_refund(&refund.out_refund_no).await {
                Ok(RefundStand::Absent) => send(app, merchant, refund, &*provider, now).await?,
                Ok(stand) => Said::Stand(stand),
                // That it does not answer a question says nothing of the refund.
                Err(trouble) => Said::Nothing(trouble.to_string()),
            }
        }
        State::Succeeded | State::Failed => return Ok(()),
    };
    let mut tx = app.db.tenant(merchant).await?;
    match said {
        Said::Stand(stand) => take_stand(app, &mut tx, refund, &stand, now).await?,
        Said::Nothing(why) => {
            tracing::warn!(refund = %refund.id, why, "nothing is known of a refund");
            take_silence(&mut tx, refund, now).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Notes that it goes out, then sends it: a process that dies in between leaves a refund that is asked for first.
async fn send(
    app: &App,
    merchant: Id<Merchant>,
    refund: &Refund,
    provider: &dyn Provider,
    now: DateTime<Utc>,
) -> Result<Said, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let payment = payments::find(&mut tx, refund.payment_id).await?;
    let payment: Payment = payment.ok_or_else(|| Fault::internal("a refund without a payment"))?;
    let locked = store::lock(&mut tx, refund.id).await?;
    let mut sending = locked.ok_or_else(|| Fault::internal("a refund is never deleted"))?;
    sending.take(Event::Send, now, now + limits::CALL_LEASE);
    store::save(&mut tx, &sending).await?;
    tx.commit().await?;
    let order = RefundOrder {
        out_trade_no: &payment.out_trade_no,
        out_refund_no: &refund.out_refund_no,
        amount_minor: refund.amount_minor,
        total_minor: payment.paid_minor.unwrap_or(payment.amount_minor),
        currency: payment.paid_in()?,
        reason: &refund.reason,
    };
    Ok(match provider.refund(&order).await {
        Ok(stand) => Said::Stand(stand),
        Err(Trouble::Refused(why)) => Said::Stand(RefundStand::Failed(why)),
        Err(Trouble::Unknown(why)) => Said::Nothing(why),
        Err(Trouble::NotReady) => Said::Nothing(String::new()),
    })
}
