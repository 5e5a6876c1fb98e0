//! Calls of payment companies about attempts. Each is made outside of any transaction by the one process that has leased the
//! attempt; what comes of it is taken in by [`settle`](super::settle). No answer changes nothing: it is asked again.

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_proto::order::v1 as proto;

use super::{
    account,
    domain::{Event, Payment, State},
    provider::{Attempt, Closing, Prepay, Provider, Trade, Trouble},
    settle,
};
use crate::App;

/// One round of an attempt: hands it over, asks for it, or closes it, as its state wants.
pub(crate) async fn once(
    app: &App,
    merchant: Id<Merchant>,
    payment: &Payment,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (_, provider) = account::provider(app, merchant, &payment.account_code).await?;
    let done = match payment.state {
        State::Created => hand_over(app, merchant, payment, &*provider, now).await?,
        State::Pending => query(app, merchant, payment, &*provider, now).await?,
        State::Closing => close(app, merchant, payment, &*provider, now).await?,
        State::Closed
        | State::Failed
        | State::Succeeded
        | State::Surplus
        | State::HeldForReview => return Ok(()),
    };
    if let Err(trouble) = done {
        tracing::warn!(payment = %payment.id, %trouble, "a payment is asked for again later");
        let mut tx = app.db.tenant(merchant).await?;
        let (_, mut payment) = settle::find(&mut tx, payment.id).await?;
        settle::postpone(&mut tx, &mut payment, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Hands an attempt over; gives it as it is then.
pub(crate) async fn hand_over(
    app: &App,
    merchant: Id<Merchant>,
    payment: &Payment,
    provider: &dyn Provider,
    now: DateTime<Utc>,
) -> Result<Result<Payment, Trouble>, Fault> {
    let attempt = Attempt {
        out_trade_no: &payment.out_trade_no,
        method: payment.method,
        description: &payment.description,
        payer_id: &payment.payer_id,
        amount_minor: payment.amount_minor,
        currency: payment.currency(),
        expires_at: payment.expires_at,
    };
    let refused = match provider.create(&attempt).await {
        Ok(prepay) => {
            return take(app, merchant, payment, (Event::Sent, encoded(prepay)), now).await.map(Ok);
        }
        Err(Trouble::Refused(why)) => why,
        Err(trouble) => return Ok(Err(trouble)),
    };
    // It may be refused because an earlier call, whose answer got lost, had its effect and more has happened since.
    match provider.query(&payment.out_trade_no).await {
        Ok(Trade::Absent | Trade::Closed) => {
            let mut tx = app.db.tenant(merchant).await?;
            let (mut claim, mut payment) = settle::find(&mut tx, payment.id).await?;
            payment.problem.clone_from(&refused);
            settle::take(app, &mut tx, &mut claim, &mut payment, Event::Refused, now).await?;
            tx.commit().await?;
            Ok(Err(Trouble::Refused(refused)))
        }
        Ok(Trade::Open) => {
            take(app, merchant, payment, (Event::Close, Vec::new()), now).await?;
            Ok(Err(Trouble::Refused(refused)))
        }
        Ok(trade @ Trade::Paid(_)) => {
            take_trade(app, merchant, payment, &trade, provider.payee(), now).await.map(Ok)
        }
        Err(trouble) => Ok(Err(trouble)),
    }
}

/// Asks how an attempt stands; gives it as it is then.
pub(crate) async fn query(
    app: &App,
    merchant: Id<Merchant>,
    payment: &Payment,
    provider: &dyn Provider,
    now: DateTime<Utc>,
) -> Result<Result<Payment, Trouble>, Fault> {
    match provider.query(&payment.out_trade_no).await {
        Ok(trade) => {
            take_trade(app, merchant, payment, &trade, provider.payee(), now).await.map(Ok)
        }
        Err(trouble) => Ok(Err(trouble)),
    }
}

async fn close(
    app: &App,
    merchant: Id<Merchant>,
    payment: &Payment,
    provider: &dyn Provider,
    now: DateTime<Utc>,
) -> Result<Result<Payment, Trouble>, Fault> {
    match provider.close(&payment.out_trade_no).await {
        Ok(Closing::Closed) => {
            take_trade(app, merchant, payment, &Trade::Closed, provider.payee(), now).await.map(Ok)
        }
        Ok(Closing::AlreadyPaid) => query(app, merchant, payment, provider, now).await,
        Err(trouble) => Ok(Err(trouble)),
    }
}

async fn take_trade(
    app: &App,
    merchant: Id<Merchant>,
    payment: &Payment,
    trade: &Trade,
    payee: &str,
    now: DateTime<Utc>,
) -> Result<Payment, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let taken = settle::take_trade(app, &mut tx, payment, trade, payee, now).await?;
    tx.commit().await?;
    Ok(taken)
}

async fn take(
    app: &App,
    merchant: Id<Merchant>,
    payment: &Payment,
    (event, prepay): (Event, Vec<u8>),
    now: DateTime<Utc>,
) -> Result<Payment, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let (mut claim, mut payment) = settle::find(&mut tx, payment.id).await?;
    if !prepay.is_empty() {
        payment.prepay = prepay;
    }
    settle::take(app, &mut tx, &mut claim, &mut payment, event, now).await?;
    tx.commit().await?;
    Ok(payment)
}

/// What the buyer's device needs, as it is kept.
fn encoded(prepay: Prepay) -> Vec<u8> {
    let mut shown = proto::Payment::default();
    match prepay {
        Prepay::CodeUrl(url) => shown.code_url = url,
        Prepay::Parameters(parameters) => {
            let show = |(name, value): (&str, String)| proto::PrepayParameter {
                name: name.to_owned(),
                value,
            };
            shown.parameters = parameters.into_iter().map(show).collect();
        }
    }
    shown.encode_to_vec()
}
