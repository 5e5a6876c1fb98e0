//! Money that came and pays nothing: it stands in suspense until it is back with its buyer (rules 9, 17). What was paid twice
//! or too late goes back by itself; what is not what was asked for, and what could not go back by itself, goes when somebody
//! who looked at it says so.

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{ReturnPaymentRequest, ReturnPaymentResponse};

use super::{
    domain::{Payment, State},
    read::read,
    refund::{
        self,
        domain::{State as RefundState, headroom},
    },
    settle,
};
use crate::{App, claim::domain::PaymentId, guarantee::act};

const RETURN: &str = "siyu.order.v1.PaymentService/ReturnPayment";

/// Puts what a payment brought into suspense, once.
pub(super) async fn suspend(
    app: &App,
    tx: &mut Tx,
    payment: &Payment,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let amount = payment.paid_minor.unwrap_or(0);
    if amount == 0 {
        return Ok(());
    }
    let money = (payment.paid_in()?, amount);
    act::suspend(app, tx, payment.id.uuid(), money, now).await
}

/// A refund of a payment, which is locked, has reached its buyer: what is back as a whole is in suspense no more.
pub(super) async fn given_back(
    app: &App,
    tx: &mut Tx,
    payment: &Payment,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    match payment.state {
        State::Surplus | State::HeldForReview => {}
        State::Created
        | State::Pending
        | State::Closing
        | State::Closed
        | State::Failed
        | State::Succeeded => return Ok(()),
    }
    let refunds = refund::store::of_payment(tx, payment.id).await?;
    let back = refunds.iter().filter(|refund| refund.state == RefundState::Succeeded);
    let back: i64 = back.map(|refund| refund.amount_minor).sum();
    if back < payment.paid_minor.unwrap_or(0) {
        return Ok(());
    }
    // Of a payment that came before there were such books, both sides are written now.
    suspend(app, tx, payment, now).await?;
    act::unsuspend(app, tx, payment.id.uuid(), payment.paid_in()?, now).await
}

/// Gives back what is left of a payment that pays nothing.
pub(super) async fn give_back(
    app: &App,
    ctx: Ctx,
    request: ReturnPaymentRequest,
) -> Result<ReturnPaymentResponse, Fault> {
    let id: PaymentId = parse::id("payment_id", &request.payment_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, RETURN, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (_, payment) = settle::find(&mut tx, id).await?;
    if payment.state == State::Succeeded {
        let message = "the payment pays its order, a refund of that gives it back";
        return Err(Fault::new(Code::FailedPrecondition, "PAYMENT_KEPT", message));
    }
    let refunds = refund::store::of_payment(&mut tx, id).await?;
    let left = headroom(payment.paid_minor.unwrap_or(0), &refunds);
    let key = format!("return {}", request.request_id);
    let asked = refund::Asked { key: &key, reason: &request.reason, actor: &ctx.subject };
    refund::plan_as(app, &mut tx, id, left, asked, ctx.now).await?;
    let reply = ReturnPaymentResponse { payment: Some(read(&mut tx, id).await?) };
    replay::keep(&mut tx, RETURN, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
