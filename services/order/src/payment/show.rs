//! Payments as the contract shows them.

use prost::Message;
use siyu_grpc::parse::timestamp;
use siyu_kernel::Fault;
use siyu_proto::{order::v1 as proto, r#type::v1::Money};

use super::{
    domain::{Method, Payment, State},
    record::Record,
    refund::domain::{Refund, State as RefundState},
};
use crate::claim::domain::{Claim, State as ClaimState};

pub(crate) fn money(code: &str, minor_units: i64) -> Money {
    Money { currency_code: code.to_owned(), minor_units }
}

/// An attempt with its refunds. What the buyer's device needs is shown while it can be used.
pub(crate) fn payment(payment: &Payment, refunds: &[Refund]) -> Result<proto::Payment, Fault> {
    let mut shown = proto::Payment::decode(payment.prepay.as_slice()).map_err(Fault::internal)?;
    if payment.state != State::Pending {
        shown = proto::Payment::default();
    }
    let currency = payment.currency();
    let paid = payment.paid_minor.zip(payment.paid_currency.as_deref());
    let back_in = payment.paid_currency.as_deref().unwrap_or(currency.code());
    let method = match payment.method {
        Method::Native => proto::PaymentMethod::Native,
        Method::Jsapi => proto::PaymentMethod::Jsapi,
        Method::App => proto::PaymentMethod::App,
        Method::Cash => proto::PaymentMethod::Cash,
        Method::Transfer => proto::PaymentMethod::Transfer,
        Method::Pos => proto::PaymentMethod::Pos,
    };
    Ok(proto::Payment {
        id: payment.id.to_string(),
        order_id: payment.order_id.to_string(),
        seq: payment.seq,
        account_code: payment.account_code.clone(),
        method: method.into(),
        out_trade_no: payment.out_trade_no.clone(),
        amount: Some(money(currency.code(), payment.amount_minor)),
        state: state(payment.state).into(),
        provider_transaction_id: payment.provider_no.clone(),
        paid: paid.map(|(minor, code)| money(code, minor)),
        problem: payment.problem.clone(),
        create_time: Some(timestamp(payment.created_at)),
        success_time: payment.succeeded_at.map(timestamp),
        refunds: refunds.iter().map(|each| refund(each, back_in)).collect(),
        ..shown
    })
}

pub(crate) fn claim(claim: &Claim) -> proto::PaymentClaim {
    let state = match claim.state {
        ClaimState::Open => proto::ClaimState::Open,
        ClaimState::Closing => proto::ClaimState::Closing,
        ClaimState::Paid => proto::ClaimState::Paid,
        ClaimState::Closed => proto::ClaimState::Closed,
    };
    proto::PaymentClaim {
        order_id: claim.order_id.to_string(),
        cash: Some(money(claim.currency.0.code(), claim.cash_minor)),
        charge: Some(money(claim.charge_currency.0.code(), claim.charge_minor)),
        state: state.into(),
        deadline_time: Some(timestamp(claim.deadline_at)),
        payment_id: claim.payment_id.map(|id| id.to_string()).unwrap_or_default(),
        settle_time: claim.settled_at.map(timestamp),
    }
}

/// An attempt with its refunds, and with what staff recorded of them.
pub(crate) fn recorded(
    payment: &Payment,
    refunds: &[Refund],
    records: &[Record],
) -> Result<proto::Payment, Fault> {
    let of = |id: uuid::Uuid| {
        let found = records.iter().find(|record| record.subject_id == id);
        found.map(Record::show)
    };
    let mut shown = self::payment(payment, refunds)?;
    shown.record = of(payment.id.uuid());
    for (refund, shown) in refunds.iter().zip(&mut shown.refunds) {
        shown.record = of(refund.id.uuid());
    }
    Ok(shown)
}

fn refund(refund: &Refund, currency: &str) -> proto::PaymentRefund {
    let state = match refund.state {
        RefundState::Created => proto::PaymentRefundState::Created,
        RefundState::Sending => proto::PaymentRefundState::Sending,
        RefundState::Unknown => proto::PaymentRefundState::Unknown,
        RefundState::Processing => proto::PaymentRefundState::Processing,
        RefundState::Succeeded => proto::PaymentRefundState::Succeeded,
        RefundState::Failed => proto::PaymentRefundState::Failed,
    };
    proto::PaymentRefund {
        id: refund.id.to_string(),
        out_refund_no: refund.out_refund_no.clone(),
        amount: Some(money(currency, refund.amount_minor)),
        state: state.into(),
        reason: refund.reason.clone(),
        failure: refund.failure.clone(),
        create_time: Some(timestamp(refund.created_at)),
        end_time: refund.ended_at.map(timestamp),
        record: None,
        actor: refund.actor.clone(),
    }
}

const fn state(state: State) -> proto::PaymentState {
    match state {
        State::Created => proto::PaymentState::Created,
        State::Pending => proto::PaymentState::Pending,
        State::Closing => proto::PaymentState::Closing,
        State::Closed => proto::PaymentState::Closed,
        State::Failed => proto::PaymentState::Failed,
        State::Succeeded => proto::PaymentState::Succeeded,
        State::Surplus => proto::PaymentState::Surplus,
        State::HeldForReview => proto::PaymentState::HeldForReview,
    }
}

/// The state that a contract's value names; `None` for "not given".
pub(crate) const fn asked_state(asked: proto::PaymentState) -> Option<State> {
    Some(match asked {
        proto::PaymentState::Unspecified => return None,
        proto::PaymentState::Created => State::Created,
        proto::PaymentState::Pending => State::Pending,
        proto::PaymentState::Closing => State::Closing,
        proto::PaymentState::Closed => State::Closed,
        proto::PaymentState::Failed => State::Failed,
        proto::PaymentState::Succeeded => State::Succeeded,
        proto::PaymentState::Surplus => State::Surplus,
        proto::PaymentState::HeldForReview => State::HeldForReview,
    })
}
