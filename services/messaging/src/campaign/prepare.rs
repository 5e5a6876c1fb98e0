//! Freezes audiences into messages, one page of one campaign in each step. A page that was stored and not noted is stored
//! again with no effect: a campaign has one message for each person and channel (rule 90).

use siyu_kernel::Fault;
use siyu_runtime::Progress;
use tokio::time::timeout;

use super::{
    audience::{self, Page},
    domain::Event,
    store::{self, Claim},
};
use crate::{App, limits, message};

/// Freezes one page.
pub async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("messaging.prepare").await?;
    let Some(claim) = store::claim(&mut jobs, now, now + limits::AUDIENCE_LEASE).await? else {
        return Ok(Progress::Idle);
    };
    jobs.commit().await?;
    let asked = timeout(limits::AUDIENCE_TIMEOUT, audience::page(app, &claim)).await;
    match asked.map_err(Fault::internal).flatten() {
        Ok(page) => freeze(app, &claim, page).await?,
        Err(error) => postpone(app, &claim, &error).await?,
    }
    Ok(Progress::Worked)
}

async fn freeze(app: &App, claim: &Claim, page: Page) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.db.tenant(claim.merchant_id).await?;
    if !store::lock_claimed(&mut tx, claim).await? {
        // Not dropped: the lock would stay until the connection is used again, and others skip a campaign that is locked.
        return Ok(tx.commit().await?);
    }
    let messages: Vec<_> = page.persons.iter().map(|&person| (app.ids.uuid(), person)).collect();
    message::store::insert(&mut tx, claim.id, &claim.channel, &messages, now).await?;
    store::release(&mut tx, claim.id, page.next.as_deref(), None).await?;
    if page.next.is_some() {
        return Ok(tx.commit().await?);
    }
    let mut campaign = store::lock(&mut tx, claim.id).await?.expect("it is locked");
    campaign.take(Event::Frozen, now)?;
    store::save(&mut tx, &campaign).await?;
    tx.commit().await?;
    app.wakes.dispatch.notify_one();
    Ok(())
}

/// Leaves the page for later: the member service is not there, and other campaigns need not wait for it.
async fn postpone(app: &App, claim: &Claim, error: &Fault) -> Result<(), Fault> {
    tracing::warn!(campaign = %claim.id, ?error, "the audience cannot be read, later again");
    let mut tx = app.db.tenant(claim.merchant_id).await?;
    if store::lock_claimed(&mut tx, claim).await? {
        let until = app.clock.now() + limits::RETRY_PAUSE;
        store::release(&mut tx, claim.id, claim.cursor.as_deref(), Some(until)).await?;
    }
    Ok(tx.commit().await?)
}
