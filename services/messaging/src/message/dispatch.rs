//! Hands messages to their channels. A step takes a batch of one campaign and commits; asks the provider outside of any
//! transaction; records what it answered.
//!
//! A worker that dies in between leaves a lease. When that has ended the batch is handed over again: a provider knows a
//! message by its id and does not send it twice (rules 90 and 92). The attempt fences a worker that comes back late. Of a
//! cancelled campaign nothing is handed over, nor to persons who must not be written to; messages that a dead worker may have
//! handed over are looked up.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::SystemTx;
use siyu_runtime::Progress;
use tokio::time::timeout;

use super::{
    domain::{MessageId, State, Step},
    events,
    permission::{self, Stop},
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
    let asked = timeout(limits::SUBMIT_TIMEOUT, said(app, provider, claim, now)).await;
    let said = asked.map_err(Fault::internal)??;
    let at = app.clock.now();
    let step = |said| match said {
        Said::Answer(Answer::Accepted) => Step::to(State::Submitted, at),
        Said::Answer(Answer::Refused(failure)) => Step { failure, ..Step::to(State::Failed, at) },
        Said::Cancelled => Step::to(State::Cancelled, at),
        Said::Stopped(stop) => {
            Step { failure: stop.as_str().to_owned(), ..Step::to(State::Cancelled, at) }
        }
    };
    Ok(said.into_iter().map(step).collect())
}

/// What is said of a message.
enum Said {
    /// The provider got it.
    Answer(Answer),
    /// The provider never got it and never will: the campaign was cancelled.
    Cancelled,
    /// The same: the person must not be written to.
    Stopped(Stop),
}

async fn said(
    app: &App,
    provider: &dyn Provider,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<Vec<Said>, Fault> {
    let (merchant, campaign, messages) = (claim.merchant, &claim.campaign, &claim.messages);
    if campaign.state == CampaignState::Cancelled {
        let found = lookup(provider, merchant, &messages.iter().collect::<Vec<_>>()).await?;
        let said = |answer: Option<Answer>| answer.map_or(Said::Cancelled, Said::Answer);
        return Ok(found.into_iter().map(said).collect());
    }
    let stops = permission::stops(app, merchant, campaign, provider.consent(), messages).await?;
    let both = || messages.iter().zip(&stops);
    // One that was taken before may be out: what the person decided since does not call it back.
    let is_doubtful = |(m, stop): &(&Claimed, &Option<Stop>)| stop.is_some() && m.attempt > 1;
    let doubtful: Vec<&Claimed> = both().filter(is_doubtful).map(|(m, _)| m).collect();
    let found = lookup(provider, merchant, &doubtful).await?;
    let mut out: HashMap<MessageId, Answer> = doubtful
        .iter()
        .zip(found)
        .filter_map(|(message, answer)| Some((message.id, answer?)))
        .collect();
    let may_go: Vec<&Claimed> =
        both().filter(|(_, stop)| stop.is_none()).map(|(message, _)| message).collect();
    let recipient = |m: &&Claimed| Recipient { message_id: m.id, person_id: m.person_id };
    let recipients: Vec<Recipient> = may_go.iter().map(recipient).collect();
    if !recipients.is_empty() {
        let batch = Batch { merchant, text: &campaign.text, recipients, now };
        let answers = provider.submit(&batch).await?;
        check(&campaign.channel, answers.len(), may_go.len())?;
        out.extend(may_go.iter().map(|message| message.id).zip(answers));
    }
    let said = |(message, stop): (&Claimed, &Option<Stop>)| match (out.remove(&message.id), stop) {
        (Some(answer), _) => Said::Answer(answer),
        (None, Some(stop)) => Said::Stopped(*stop),
        (None, None) => unreachable!("every message that may go was answered"),
    };
    Ok(both().map(said).collect())
}

/// What a provider answered to messages that it may have been handed.
async fn lookup(
    provider: &dyn Provider,
    merchant: Id<Merchant>,
    messages: &[&Claimed],
) -> Result<Vec<Option<Answer>>, Fault> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    let found = provider.lookup(merchant, &ids).await?;
    check("the channel", found.len(), ids.len())?;
    Ok(found)
}

fn check(channel: &str, answers: usize, messages: usize) -> Result<(), Fault> {
    if answers == messages {
        return Ok(());
    }
    Err(Fault::internal(format!("{channel} answered to other messages")))
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
