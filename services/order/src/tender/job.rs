//! Takes the steps that tenders wait for: of orders that were just placed, paid or ended, and of those that a crash left.

use siyu_grpc::Call;
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_runtime::Progress;

use super::{
    domain::{Answer, Tender, pause},
    holds, store,
};
use crate::{App, checkout, job, limits, order::domain::OrderId};

/// Takes some that are due.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("order.tenders").await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let each = |(merchant, id)| async move {
        let member = app.member.as_service(Some(merchant));
        // What the member service cannot do now is tried again later; the others are not held up by it.
        if let Err(fault) = checkout::finish::finish(app, merchant, id, member).await {
            tracing::warn!(order_id = %id, reason = fault.reason(), "a tender has to wait");
        }
        Ok(())
    };
    job::at_once(due.into_iter().map(each)).await
}

/// Takes the steps that the tenders of an order wait for; gives them as they are then.
pub(crate) async fn advance(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    member: &Call,
) -> Result<Vec<Tender>, Fault> {
    // Enough for the longest way, from a plan whose order has ended: learn of the hold, then free it.
    for _ in 0..3 {
        let now = app.clock.now();
        let mut tx = app.db.tenant(merchant).await?;
        let tenders = store::of_order(&mut tx, id).await?;
        let waiting: Vec<&Tender> = tenders.iter().filter(|tender| tender.waits()).collect();
        if waiting.is_empty() {
            return Ok(tenders);
        }
        for tender in &waiting {
            let until = now + pause(tender.attempts);
            store::put_off(&mut tx, id, tender.kind, tender.state, until).await?;
        }
        tx.commit().await?;
        for tender in waiting {
            // Outside of any transaction (rule 7).
            if let Some(answer) = holds::step(member.clone(), tender).await? {
                keep(app, merchant, tender, &answer).await?;
            }
        }
    }
    let mut tx = app.db.tenant_lookup(merchant).await?;
    Ok(store::of_order(&mut tx, id).await?)
}

/// Keeps an answer. The tender may have moved on meanwhile: the answer counts for the state that it is in now.
async fn keep(
    app: &App,
    merchant: Id<Merchant>,
    asked: &Tender,
    answer: &Answer,
) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let tenders = store::lock(&mut tx, asked.order_id).await?;
    let Some(mut tender) = tenders.into_iter().find(|tender| tender.kind == asked.kind) else {
        return Err(Fault::internal("a tender has gone"));
    };
    match answer {
        Answer::Held(hold) => tender.hold_id = Some(*hold),
        Answer::Captured(capture) => tender.capture_id = *capture,
        Answer::Refused(reason) => (*reason).clone_into(&mut tender.failure),
        Answer::Free => {}
    }
    if asked.state == tender.state || matches!(answer, Answer::Held(_)) {
        tender.state = tender.state.after(answer);
    }
    store::save(&mut tx, &tender, now).await?;
    Ok(tx.commit().await?)
}
