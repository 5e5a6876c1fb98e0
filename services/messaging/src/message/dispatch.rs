//! Hands messages to their channels. A step takes a batch of one campaign and commits; asks the provider outside of any
//! transaction; records what it answered.
//!
//! A worker that dies in between leaves a lease. When that has ended the batch is handed over again: a provider knows a
//! message by its id and does not send it twice (rules 90 and 92). The attempt fences a worker that comes back late. Of a
//! cancelled campaign nothing is handed over; messages that a dead worker may have handed over are looked up.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::SystemTx;
use siyu_runtime::Progress;
use tokio::time::timeout;

use super::{
    domain::{MessageId, State, Step},
    events,
    store::{self, Claimed},
};
use crate::{
    App,
    campaign::{
        self,
        domain::{Campaign, State as CampaignState},
    },
    channel::{Answer, Batch, Provider, Recipient},
    limits,
};

/// What a worker owns for the time of a lease.
struct Claim {
    merchant: Id<Merchant>,
    campaign: Campaign,
    messages: Vec<Claimed>,
}

/// Hands over, looks up or withdraws one batch.
pub async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("messaging.dispatch").await?;
    let Some((merchant, id)) = campaign::store::next(&mut jobs, now).await? else {
        return Ok(Progress::Idle);
    };
    let tx = jobs.become_tenant(merchant).await?;
    // Whoever cancels the campaign waits for this lock: from then on nothing is claimed to be handed over.
    let campaign = campaign::store::lock(tx, id).await?.expect("campaigns are never deleted");
    campaign::store::turn(tx, id, now).await?;
    if campaign.state == CampaignState::Cancelled
        && store::withdraw(tx, id, now, limits::WITHDRAW_BATCH).await? > 0
    {
        jobs.commit().await?;
        return Ok(Progress::Worked);
    }
    let claim = claim(jobs, merchant, campaign, now).await?;
    if claim.messages.is_empty() {
        return Ok(Progress::Idle);
    }
    match ask(app, &claim, now).await {
        Ok(steps) => record(app, &claim, steps).await?,
        Err(error) => postpone(app, &claim, &error).await?,
    }
    Ok(Progress::Worked)
}

async fn claim(
    mut jobs: SystemTx,
    merchant: Id<Merchant>,
    campaign: Campaign,
    now: DateTime<Utc>,
) -> Result<Claim, Fault> {
    let tx = jobs.become_tenant(merchant).await?;
    let (lease_until, limit) = (now + limits::SUBMIT_LEASE, limits::SUBMIT_BATCH);
    let mut messages = store::claim(tx, campaign.id, now, lease_until, limit).await?;
    messages.sort_by_key(|message| message.id);
    jobs.commit().await?;
    Ok(Claim { merchant, campaign, messages })
}

/// What the provider says of each message of a claim.
async fn ask(app: &App, claim: &Claim, now: DateTime<Utc>) -> Result<Vec<Step>, Fault> {
    let channel = &claim.campaign.channel;
    let provider = app.channels.get(channel);
    let provider = provider.ok_or_else(|| Fault::internal(format!("no channel {channel}")))?;
    let asked = timeout(limits::SUBMIT_TIMEOUT, answers(provider, claim, now)).await;
    let answers = asked.map_err(Fault::internal)??;
    if answers.len() != claim.messages.len() {
        return Err(Fault::internal(format!("{channel} answered to other messages")));
    }
    let at = app.clock.now();
    let step = |answer| match answer {
        Some(Answer::Accepted) => Step::to(State::Submitted, at),
        Some(Answer::Refused(failure)) => Step { failure, ..Step::to(State::Failed, at) },
        None => Step::to(State::Cancelled, at),
    };
    Ok(answers.into_iter().map(step).collect())
}

/// `None`: the provider never got the message and never will.
async fn answers(
    provider: &dyn Provider,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<Vec<Option<Answer>>, Fault> {
    if claim.campaign.state == CampaignState::Cancelled {
        let ids: Vec<MessageId> = claim.messages.iter().map(|message| message.id).collect();
        return provider.lookup(claim.merchant, &ids).await;
    }
    let recipient = |m: &Claimed| Recipient { message_id: m.id, person_id: m.person_id };
    let batch = Batch {
        merchant: claim.merchant,
        text: &claim.campaign.text,
        recipients: claim.messages.iter().map(recipient).collect(),
        now,
    };
    Ok(provider.submit(&batch).await?.into_iter().map(Some).collect())
}

/// Records what came of the messages that are still ours. One that a receipt moved meanwhile only moves further on.
async fn record(app: &App, claim: &Claim, steps: Vec<Step>) -> Result<(), Fault> {
    let now = app.clock.now();
    let ids: Vec<MessageId> = claim.messages.iter().map(|message| message.id).collect();
    let said: HashMap<MessageId, (i32, Step)> =
        claim.messages.iter().zip(steps).map(|(m, step)| (m.id, (m.attempt, step))).collect();
    let mut tx = app.db.tenant(claim.merchant).await?;
    let mut messages = store::lock(&mut tx, &ids).await?;
    messages.retain(|m| m.attempt == said[&m.id].0);
    let told = messages.iter_mut().filter_map(|m| m.take(&said[&m.id].1)).flatten().collect();
    store::save(&mut tx, &messages.iter().collect::<Vec<_>>()).await?;
    events::publish(app, &mut tx, told, now).await?;
    tx.commit().await?;
    app.wakes.receive.notify_one();
    Ok(())
}

/// Leaves the messages for later. What the provider did is not known, so they stay taken: a cancellation looks them up.
async fn postpone(app: &App, claim: &Claim, error: &Fault) -> Result<(), Fault> {
    let campaign = claim.campaign.id;
    tracing::warn!(%campaign, ?error, "the channel does not answer, later again");
    let mut tx = app.db.tenant(claim.merchant).await?;
    store::release(&mut tx, &claim.messages, app.clock.now() + limits::RETRY_PAUSE).await?;
    Ok(tx.commit().await?)
}
