//! Gives back what a refund in processing has to give, way by way, until everything is back.

use chrono::{DateTime, Utc};
use siyu_grpc::{Call, fault};
use siyu_kernel::{Fault, Id, kind, kind::Merchant};
use siyu_pg::Tx;
use siyu_proto::member::v1::{
    RefundValueRequest, RevertPointsRequest, points_service_client::PointsServiceClient,
    stored_value_service_client::StoredValueServiceClient,
};
use siyu_runtime::Progress;

use super::{
    apply::apply,
    cash,
    domain::{Part, Refund, RefundId, State},
    sold::VALUE,
    store,
};
use crate::{
    App,
    guarantee::act,
    job, limits,
    order::{
        advance::{self, Cause},
        domain::Order,
    },
    tender::{
        self,
        domain::{Kind, State as TenderState, Tender, is_refusal, pause},
    },
};

/// Goes on with some that are due.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.refunds").await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let each = |(merchant, id)| async move {
        let member = app.member.as_service(Some(merchant));
        // What the member service cannot do now is tried again later; the others are not held up by it.
        if let Err(fault) = run(app, merchant, id, &member).await {
            tracing::warn!(refund = %id, reason = fault.reason(), "a refund has to wait");
        }
        Ok(())
    };
    job::at_once(due.into_iter().map(each)).await
}

/// Takes the steps of a refund that can be taken now.
pub(crate) async fn run(
    app: &App,
    merchant: Id<Merchant>,
    id: RefundId,
    member: &Call,
) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let Some(mut refund) = store::lock(&mut tx, id).await? else {
        return Err(Fault::not_found("refund"));
    };
    if refund.state != State::Processing {
        return Ok(());
    }
    if refund.is_stuck() {
        // Nothing is due before somebody says so.
        refund.due_at = None;
        store::save(&mut tx, &refund).await?;
        return Ok(tx.commit().await?);
    }
    // Before it is tried, so that another replica does not try it at the same moment.
    refund.due_at = Some(now + pause(refund.attempts));
    refund.attempts += 1;
    store::save(&mut tx, &refund).await?;
    // It leaves what is held for the buyer before it goes anywhere.
    let amount = refund.cash_minor + refund.value_minor;
    act::refund(app, &mut tx, refund.order_id, (refund.id.uuid(), amount), now).await?;
    tx.commit().await?;
    if refund.cash == Part::Waiting {
        // The payment goes its own way, and says when it is there.
        return cash::send(app, merchant, &refund).await;
    }
    let mut tx = app.db.tenant_lookup(merchant).await?;
    let tenders = tender::store::of_order(&mut tx, refund.order_id).await?;
    drop(tx);
    let of = |kind| tenders.iter().find(|tender: &&Tender| tender.kind == kind);
    let mut answers = Answers::default();
    if refund.value == Part::Waiting {
        answers.value = Some(value(member.clone(), &refund, of(Kind::Value)).await?);
    }
    if refund.points_part == Part::Waiting {
        answers.points = Some(points(member.clone(), &refund, of(Kind::Points)).await?);
    }
    conclude(app, merchant, id, &answers).await
}

/// What became of each way: done, or refused with a reason.
#[derive(Debug, Default)]
struct Answers {
    value: Option<Result<(), &'static str>>,
    points: Option<Result<(), &'static str>>,
}

/// Keeps what became of each way, and takes what went back off the order once everything is back.
async fn conclude(
    app: &App,
    merchant: Id<Merchant>,
    id: RefundId,
    answers: &Answers,
) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let found = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("refund"))?;
    let (order, _) = advance::lock(&mut tx, found.order_id, "").await?;
    let mut refund = store::lock(&mut tx, id).await?.ok_or_else(|| Fault::not_found("refund"))?;
    if refund.state != State::Processing {
        return Ok(());
    }
    let mut news = Vec::new();
    for (key, answer) in [(VALUE, answers.value), ("points", answers.points)] {
        let part = match answer {
            Some(Ok(())) => Part::Done,
            Some(Err(reason)) => {
                reason.clone_into(&mut refund.failure);
                refund.due_at = None;
                tracing::error!(refund = %id, reason, "a part of a refund was refused");
                Part::Failed
            }
            None => continue,
        };
        if key == VALUE {
            refund.value = part;
        } else {
            refund.points_part = part;
        }
        news.push((key, part));
    }
    end(app, &mut tx, order, &mut refund, &news, now).await?;
    Ok(tx.commit().await?)
}

/// Ends a refund if every part has come to an end, and writes in the books what became of the parts. The order and the refund
/// are locked.
pub(super) async fn end(
    app: &App,
    tx: &mut Tx,
    order: Order,
    refund: &mut Refund,
    news: &[(&str, Part)],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    for (key, part) in news {
        let amount = if *key == VALUE { refund.value_minor } else { refund.cash_minor };
        let about = (refund.id.uuid(), *key, amount);
        match part {
            // Points are no money of the order.
            _ if *key == "points" => {}
            Part::Done => act::refund_paid(app, tx, order.id, about, now).await?,
            // Decided to go back and not there yet: it stays in clearing until it is tried again.
            Part::Failed if *key == VALUE => {}
            Part::Failed => {
                act::refund_failed(app, tx, order.id, about, now).await?;
            }
            Part::Nothing | Part::Waiting => {}
        }
    }
    let ended = refund.conclude(now);
    if ended && refund.state == State::Failed && refund.value_minor > 0 {
        let rest = (refund.id.uuid(), VALUE, refund.value_minor);
        act::refund_failed(app, tx, order.id, rest, now).await?;
    }
    store::save(tx, refund).await?;
    if ended && refund.state == State::Succeeded {
        let cause = Cause { key: "", actor: &refund.actor, reason: &refund.reason, now };
        apply(app, tx, order, refund, cause).await?;
    }
    Ok(())
}

/// Each bucket of each card gets back what it gave: the member service knows.
async fn value(
    member: Call,
    refund: &Refund,
    tender: Option<&Tender>,
) -> Result<Result<(), &'static str>, Fault> {
    let hold = taken(tender)?.hold_id;
    let payment_id = Id::<kind::ValuePayment>::from_uuid(hold.ok_or_else(never_held)?);
    let request = RefundValueRequest {
        request_id: refund.member_request_id("value"),
        payment_id: payment_id.to_string(),
        amount_minor: refund.value_minor,
        ..Default::default()
    };
    let mut client = StoredValueServiceClient::new(member);
    answer(client.refund_value(request).await.map(drop).map_err(fault))
}

/// Points return to the lots that they came from (rule 48).
async fn points(
    member: Call,
    refund: &Refund,
    tender: Option<&Tender>,
) -> Result<Result<(), &'static str>, Fault> {
    let capture = taken(tender)?.capture_id;
    let transfer_id = Id::<kind::Transfer>::from_uuid(capture.ok_or_else(never_held)?);
    let request = RevertPointsRequest {
        request_id: refund.member_request_id("points"),
        transfer_id: transfer_id.to_string(),
        points: refund.points,
        reason: String::new(),
    };
    let mut client = PointsServiceClient::new(member);
    answer(client.revert_points(request).await.map(drop).map_err(fault))
}

/// A tender that was taken; one that is still to be taken has to wait for that.
fn taken(tender: Option<&Tender>) -> Result<&Tender, Fault> {
    let tender = tender.ok_or_else(never_held)?;
    match tender.state {
        TenderState::Captured => Ok(tender),
        TenderState::Planned
        | TenderState::Held
        | TenderState::Capturing
        | TenderState::Voiding
        | TenderState::Voided
        | TenderState::Stuck => Err(Fault::new(
            siyu_kernel::Code::Unavailable,
            "TENDER_NOT_TAKEN",
            "what is to be given back was not taken yet",
        )),
    }
}

fn answer(done: Result<(), Fault>) -> Result<Result<(), &'static str>, Fault> {
    match done {
        Ok(()) => Ok(Ok(())),
        Err(fault) if is_refusal(&fault) => Ok(Err(fault.reason())),
        Err(fault) => Err(fault),
    }
}

fn never_held() -> Fault {
    Fault::internal("a refund gives back what was never taken")
}
