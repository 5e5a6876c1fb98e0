//! Payments and refunds that staff record: what was taken and paid out without a payment company. A recorded payment goes through
//! [`settle`] like one of a company, so that whatever holds for these holds for it: one payment is kept, a second one or one
//! that comes too late goes back, and so do refunds, by a record of their own.

pub mod store;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::{OnConstraint, Tx, replay};
use siyu_proto::order::v1::{
    self as proto, RecordPaymentRefundRequest, RecordPaymentRefundResponse, RecordPaymentRequest,
    RecordPaymentResponse,
};
use uuid::Uuid;

use super::{
    account::{self, Account, Kind},
    domain::{Method, Payment, State, out_trade_no},
    provider::{Paid, RefundStand, Trade},
    read::read,
    refund::{self, domain::RefundId},
    settle, store as payments,
};
use crate::{
    App,
    claim::{self, domain::Claim, domain::PaymentId},
    limits,
    order::domain::OrderId,
};

const PAYMENT: &str = "siyu.order.v1.PaymentService/RecordPayment";
const REFUND: &str = "siyu.order.v1.PaymentService/RecordPaymentRefund";

/// Who recorded what: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Record {
    /// The payment, or the refund of it.
    pub subject_id: Uuid,
    /// Which of them.
    pub kind: Subject,
    /// The payment.
    pub payment_id: PaymentId,
    /// The account.
    pub account_code: String,
    /// The number of the receipt, transfer or terminal.
    pub reference: String,
    /// Who took the money or paid it out.
    pub operator: String,
    /// The credential that recorded it.
    pub actor: String,
    /// What was said besides.
    pub note: String,
    /// When the money moved.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Subject {
    /// A payment.
    Payment,
    /// A refund of one.
    Refund,
}

impl Record {
    /// In the contract.
    pub(crate) fn show(&self) -> proto::PaymentRecord {
        proto::PaymentRecord {
            reference: self.reference.clone(),
            operator: self.operator.clone(),
            actor: self.actor.clone(),
            note: self.note.clone(),
            occur_time: Some(parse::timestamp(self.occurred_at)),
            record_time: Some(parse::timestamp(self.recorded_at)),
        }
    }
}

/// Records money that came for an order.
pub(crate) async fn payment(
    app: &App,
    ctx: Ctx,
    request: RecordPaymentRequest,
) -> Result<RecordPaymentResponse, Fault> {
    let order_id: OrderId = parse::id("order_id", &request.order_id)?;
    let method = method(&request)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, PAYMENT, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let account = offline(&mut tx, &request.account_code).await?;
    if account.paused {
        return Err(refused("ACCOUNT_PAUSED", "no payments are taken by the account at present"));
    }
    let claim = claim::store::lock(&mut tx, order_id).await?;
    let claim = claim.ok_or_else(|| Fault::not_found("payment claim"))?;
    let paid_at = moved_at("pay_time", request.pay_time, claim.created_at, ctx.now)?;
    let (charge_minor, currency) = (claim.charge_minor, claim.charge_currency.0);
    if request.amount_minor != charge_minor {
        let message = format!("{charge_minor} minor units of {currency} are to be paid");
        let fault = refused("RECORDED_AMOUNT_WRONG", message);
        return Err(fault
            .with("charge_minor", charge_minor)
            .with("currency_code", currency.code()));
    }
    let payment = attempt(app, &mut tx, &claim, (&request, method), ctx.now).await?;
    let record = Record {
        subject_id: payment.id.uuid(),
        kind: Subject::Payment,
        payment_id: payment.id,
        account_code: account.code.clone(),
        reference: request.reference.clone(),
        operator: request.operator.clone(),
        actor: ctx.subject.to_string(),
        note: request.note.clone(),
        occurred_at: paid_at,
        recorded_at: ctx.now,
    };
    keep(&mut tx, &record).await?;
    let paid = Paid {
        provider_no: request.reference.clone(),
        amount_minor: request.amount_minor,
        currency,
        payee: account.code.clone(),
        paid_at,
    };
    let trade = Trade::Paid(paid);
    settle::take_trade(app, &mut tx, &payment, &trade, &account.code, ctx.now).await?;
    let reply = RecordPaymentResponse { payment: Some(read(&mut tx, payment.id).await?) };
    replay::keep(&mut tx, PAYMENT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// The attempt that a record is of, under the lock of its claim.
async fn attempt(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    (request, method): (&RecordPaymentRequest, Method),
    now: DateTime<Utc>,
) -> Result<Payment, Fault> {
    if claim.attempts >= limits::ATTEMPTS_MAX {
        let message = "so many payments were begun for the order that no more are";
        return Err(Fault::new(Code::ResourceExhausted, "TOO_MANY_PAYMENTS", message));
    }
    let seq = claim.attempts + 1;
    let payment = Payment {
        id: Id::from_uuid(app.ids.uuid()),
        order_id: claim.order_id,
        seq,
        request_id: request.request_id.clone(),
        account_code: request.account_code.clone(),
        method,
        description: String::new(),
        payer_id: String::new(),
        out_trade_no: out_trade_no(claim.order_id, seq),
        amount_minor: claim.charge_minor,
        currency: claim.charge_currency,
        state: State::Created,
        prepay: Vec::new(),
        provider_no: String::new(),
        paid_minor: None,
        paid_currency: None,
        problem: String::new(),
        tries: 0,
        // In the same transaction it is paid, and due no more.
        due_at: Some(now),
        expires_at: claim.deadline_at,
        succeeded_at: None,
        created_at: now,
    };
    let stored = payments::insert(tx, &payment).await;
    let reused = siyu_pg::idempotency::reused(&request.request_id);
    stored.on_constraint("payments_request_id_key", reused)?;
    Ok(payment)
}

/// Records that a refund was paid out.
pub(crate) async fn refund(
    app: &App,
    ctx: Ctx,
    request: RecordPaymentRefundRequest,
) -> Result<RecordPaymentRefundResponse, Fault> {
    let id: RefundId = parse::id("payment_refund_id", &request.payment_refund_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REFUND, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let not_found = || Fault::not_found("payment refund");
    let found = refund::store::find(&mut tx, id).await?.ok_or_else(not_found)?;
    offline(&mut tx, &found.account_code).await?;
    settle::find(&mut tx, found.payment_id).await?;
    let locked = refund::store::lock(&mut tx, id).await?.ok_or_else(not_found)?;
    if locked.state.is_ended() {
        return Err(refused("PAYMENT_REFUND_ENDED", "the refund has ended"));
    }
    let at = moved_at("refund_time", request.refund_time, locked.created_at, ctx.now)?;
    let record = Record {
        subject_id: id.uuid(),
        kind: Subject::Refund,
        payment_id: locked.payment_id,
        account_code: locked.account_code.clone(),
        reference: request.reference.clone(),
        operator: request.operator.clone(),
        actor: ctx.subject.to_string(),
        note: request.note.clone(),
        occurred_at: at,
        recorded_at: ctx.now,
    };
    keep(&mut tx, &record).await?;
    let stand = RefundStand::Succeeded { provider_no: request.reference.clone(), at };
    refund::take_stand(app, &mut tx, &locked, &stand, ctx.now).await?;
    let payment = read(&mut tx, locked.payment_id).await?;
    let reply = RecordPaymentRefundResponse { payment: Some(payment) };
    replay::keep(&mut tx, REFUND, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn keep(tx: &mut Tx, record: &Record) -> Result<(), Fault> {
    let message = "the account has a record with that reference";
    let known = Fault::new(Code::AlreadyExists, "REFERENCE_KNOWN", message);
    store::insert(tx, record).await.on_constraint("payment_records_reference_key", known)
}

/// The account, if what it takes is recorded.
async fn offline(tx: &mut Tx, code: &str) -> Result<Account, Fault> {
    let account = account::store::find(tx, code).await?;
    let account = account.ok_or_else(|| Fault::not_found("provider account"))?;
    if account.kind == Kind::Offline {
        return Ok(account);
    }
    Err(refused("NOT_OFFLINE", "a payment company knows what the account takes"))
}

fn method(request: &RecordPaymentRequest) -> Result<Method, Fault> {
    match request.method() {
        proto::PaymentMethod::Cash => Ok(Method::Cash),
        proto::PaymentMethod::Transfer => Ok(Method::Transfer),
        proto::PaymentMethod::Pos => Ok(Method::Pos),
        proto::PaymentMethod::Unspecified
        | proto::PaymentMethod::Native
        | proto::PaymentMethod::Jsapi
        | proto::PaymentMethod::App => Err(Fault::field("method", "is not one that is recorded")),
    }
}

/// When money moved; a time that cannot be is refused.
fn moved_at(
    field: &'static str,
    given: Option<prost_types::Timestamp>,
    not_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Fault> {
    let at = parse::optional_instant(field, given)?.unwrap_or(now);
    if at > now {
        return Err(Fault::field(field, "is in the future"));
    }
    if at < not_before {
        return Err(Fault::field(field, "is before there was anything to pay"));
    }
    Ok(at)
}

fn refused(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}
