//! Begins an attempt: stored first, handed to the payment company then, so that nothing is there that is not known here.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::{OnConstraint, Tx};
use siyu_proto::order::v1::{self as proto, StartPaymentRequest, StartPaymentResponse};

use super::{
    account::{self, Account, Kind},
    act,
    domain::{Method, Payment, State, out_trade_no},
    provider::Trouble,
    show, store,
};
use crate::{App, claim, limits, order::domain::OrderId};

pub(crate) async fn start(
    app: &App,
    ctx: Ctx,
    request: StartPaymentRequest,
) -> Result<StartPaymentResponse, Fault> {
    let merchant = ctx.merchant()?;
    let order_id: OrderId = parse::id("order_id", &request.order_id)?;
    let method = method(&request)?;
    let keys = app.vault.keys(&app.db, merchant, ctx.now).await?;
    let mut tx = app.db.tenant(merchant).await?;
    let account = account::store::find(&mut tx, &request.account_code).await?;
    let account = account.ok_or_else(|| Fault::not_found("provider account"))?;
    if account.kind == Kind::Offline {
        let description = "payments of the account are recorded, not begun";
        return Err(Fault::field("account_code", description));
    }
    let provider = account::ready(app, merchant, &account, keys)?;
    let mut payment = begin(app, &mut tx, &ctx, &request, (order_id, method, &account)).await?;
    tx.commit().await?;
    if payment.state == State::Created {
        payment = act::hand_over(app, merchant, &payment, &*provider, ctx.now).await??;
    }
    match payment.state {
        State::Failed => Err(Trouble::Refused(payment.problem).into()),
        State::Closing | State::Closed => Err(not_open()),
        State::Created
        | State::Pending
        | State::Succeeded
        | State::Surplus
        | State::HeldForReview => {
            Ok(StartPaymentResponse { payment: Some(show::payment(&payment, &[])?) })
        }
    }
}

/// The attempt of the request: a new one, or the one that it began before.
async fn begin(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    request: &StartPaymentRequest,
    (order_id, method, account): (OrderId, Method, &Account),
) -> Result<Payment, Fault> {
    let claim = claim::store::lock(tx, order_id).await?;
    let claim = claim.ok_or_else(|| Fault::not_found("payment claim"))?;
    if let Some(known) = store::find_by_request(tx, &request.request_id).await? {
        let is_same = known.order_id == order_id
            && known.account_code == request.account_code
            && known.method == method
            && known.description == request.description
            && known.payer_id == request.payer_id;
        return if is_same { Ok(known) } else { Err(reused(&request.request_id)) };
    }
    if !claim.is_payable(ctx.now) {
        return Err(not_open());
    }
    if account.paused {
        return Err(refused("ACCOUNT_PAUSED", "no payments are begun with the account at present"));
    }
    let charged_in = claim.charge_currency.0;
    if !account.kind.takes(charged_in) {
        let message = "the payment company does not take the currency that the buyer is charged in";
        let fault = refused("CURRENCY_NOT_TAKEN", message);
        return Err(fault.with("currency_code", charged_in.code()));
    }
    if claim.attempts >= limits::ATTEMPTS_MAX {
        let message = "so many payments were begun for the order that no more are";
        return Err(Fault::new(Code::ResourceExhausted, "TOO_MANY_PAYMENTS", message));
    }
    let seq = claim.attempts + 1;
    let payment = Payment {
        id: Id::from_uuid(app.ids.uuid()),
        order_id,
        seq,
        request_id: request.request_id.clone(),
        account_code: request.account_code.clone(),
        method,
        description: request.description.clone(),
        payer_id: request.payer_id.clone(),
        out_trade_no: out_trade_no(order_id, seq),
        amount_minor: claim.charge_minor,
        currency: claim.charge_currency,
        state: State::Created,
        prepay: Vec::new(),
        provider_no: String::new(),
        paid_minor: None,
        paid_currency: None,
        problem: String::new(),
        tries: 0,
        // This process hands it over at once; should it die, a job does.
        due_at: Some(ctx.now + limits::CALL_LEASE),
        expires_at: claim.deadline_at + limits::EXPIRY_GRACE,
        succeeded_at: None,
        created_at: ctx.now,
    };
    let stored = store::insert(tx, &payment).await;
    stored.on_constraint("payments_request_id_key", reused(&request.request_id))?;
    Ok(payment)
}

fn method(request: &StartPaymentRequest) -> Result<Method, Fault> {
    let method = match request.method() {
        proto::PaymentMethod::Native => Method::Native,
        proto::PaymentMethod::Jsapi => Method::Jsapi,
        proto::PaymentMethod::App => Method::App,
        proto::PaymentMethod::Cash
        | proto::PaymentMethod::Transfer
        | proto::PaymentMethod::Pos
        | proto::PaymentMethod::Unspecified => {
            return Err(Fault::field("method", "is no way in which a payment is begun"));
        }
    };
    if method == Method::Jsapi && request.payer_id.is_empty() {
        return Err(Fault::field("payer_id", "is required for PAYMENT_METHOD_JSAPI"));
    }
    Ok(method)
}

fn reused(request_id: &str) -> Fault {
    let message = format!("request_id \"{request_id}\" was used before with another content");
    Fault::new(Code::AlreadyExists, "REQUEST_ID_REUSED", message).with("request_id", request_id)
}

fn not_open() -> Fault {
    refused("CLAIM_NOT_OPEN", "the order is paid, closed, or its time to pay is over")
}

fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}
