//! Asks the member service whether who claimed a card and the buyer of its order are one person.

use chrono::{DateTime, Utc};
use siyu_grpc::{Call, fault};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_proto::member::v1::{MergePersonsRequest, identity_service_client::IdentityServiceClient};
use siyu_runtime::Progress;
use uuid::Uuid;

use super::{Card, Outcome, store};
use crate::{App, job, limits};

const ACTOR: &str = "order.parcel_cards";

/// Goes on with some cards that are due.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system(ACTOR).await?;
    let due = store::due(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    job::each(ACTOR, due, |merchant, id| again(app, merchant, id, now)).await
}

async fn again(
    app: &App,
    merchant: Id<Merchant>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let Some(code) = store::code(&mut tx, id).await? else { return Ok(()) };
    let found = store::lock(&mut tx, &code).await?;
    let Some(card) = found.filter(|card| card.outcome.is_none()) else { return Ok(()) };
    // Whatever comes of it, those behind it come first.
    store::save(&mut tx, &card, Some(now + limits::PARCEL_CARD_PAUSE)).await?;
    tx.commit().await?;
    link(app, merchant, &code, app.member.as_service(Some(merchant))).await.map(drop)
}

/// Asks about a card that was claimed and whose order is here; gives it back as it is then.
pub(crate) async fn link(
    app: &App,
    merchant: Id<Merchant>,
    code: &str,
    member: Call,
) -> Result<Card, Fault> {
    let mut tx = app.db.tenant_read(merchant).await?;
    let not_found = || Fault::not_found("parcel card");
    let card = store::find(&mut tx, code).await?.ok_or_else(not_found)?;
    let (Some((person, _)), Some(order), None) = (card.claim, &card.order, card.outcome) else {
        return Ok(card);
    };
    let Some(buyer) = store::buyer(&mut tx, order).await? else { return Ok(card) };
    drop(tx);
    let request = MergePersonsRequest {
        // What is merged is merged: a repeat finds that the two are one.
        request_id: String::new(),
        person_ids: vec![person.to_string(), buyer.to_string()],
        note: format!("parcel card of order {} of {}", order.order_no, order.platform),
        review_conflicts: true,
    };
    let reply = IdentityServiceClient::new(member).merge_persons(request).await.map_err(fault);
    let outcome = match reply {
        Ok(reply) if reply.get_ref().conflict => Outcome::Conflict,
        Ok(_) => Outcome::Linked,
        Err(fault) if fault.reason() == "PERSONS_ALREADY_ONE" => Outcome::Linked,
        Err(fault) if fault.reason() == "PERSON_ERASED" => Outcome::Erased,
        Err(fault) => return Err(fault),
    };
    let mut tx = app.db.tenant(merchant).await?;
    let mut card = store::lock(&mut tx, code).await?.ok_or_else(not_found)?;
    // It may have been made void meanwhile.
    if card.claim.is_none() {
        return Ok(card);
    }
    card.outcome = Some(outcome);
    store::save(&mut tx, &card, None).await?;
    tx.commit().await?;
    Ok(card)
}
