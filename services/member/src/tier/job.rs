//! What time and new rules do to tiers, and the posting of gifts.

use std::collections::BTreeMap;

use siyu_kernel::{Fault, Id, kind};
use siyu_ledger::{Movement, Transfer};
use siyu_pg::Tx;
use siyu_runtime::Progress;

use super::{
    evaluate::evaluate,
    store::{self, Gift},
};
use crate::{
    App,
    account::{self, POINTS, TIER_GIFT},
    limits,
    person::{self, PersonId},
    points::{self, command::transfer_id},
};

/// A step of the job that looks at persons whose tier has expired.
pub(crate) async fn expire(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut tx = app.db.system("member.expire_tiers").await?;
    let due = store::due(&mut tx, now, i64::from(limits::EXPIRED_AT_ONCE)).await?;
    if due.is_empty() {
        return Ok(Progress::Idle);
    }
    let mut by_merchant: BTreeMap<Id<kind::Merchant>, Vec<PersonId>> = BTreeMap::new();
    for (merchant, person) in due {
        by_merchant.entry(merchant).or_default().push(person);
    }
    for (merchant, mut persons) in by_merchant {
        persons.sort_unstable();
        evaluate(app, tx.become_tenant(merchant).await?, &persons, now).await?;
    }
    tx.commit().await?;
    Ok(Progress::Worked)
}

/// A step of the job that applies new rules to everybody: who reaches a higher tier by them rises.
pub(crate) async fn apply_policies(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut system = app.db.system("member.apply_tiers").await?;
    let Some((merchant, version, after)) = store::unapplied(&mut system).await? else {
        return Ok(Progress::Idle);
    };
    let tx = system.become_tenant(merchant).await?;
    let limit = i64::from(limits::EXPIRED_AT_ONCE);
    let persons = store::persons_after(tx, after, limit).await?;
    evaluate(app, tx, &persons, now).await?;
    let is_done = persons.len() < usize::from(limits::EXPIRED_AT_ONCE);
    store::save_applied(tx, version, persons.last().copied(), is_done.then_some(now)).await?;
    system.commit().await?;
    Ok(Progress::Worked)
}

/// A step of the job that posts the gifts of tiers. They are noted where the tier is reached, and posted here, so that the
/// posting of an order takes its locks once.
pub(crate) async fn give(app: &App) -> Result<Progress, Fault> {
    let mut jobs = app.db.system("member.tier_gifts").await?;
    let gifts = store::due_gifts(&mut jobs, limits::GIFTS_AT_ONCE).await?;
    drop(jobs);
    if gifts.is_empty() {
        return Ok(Progress::Idle);
    }
    // They come merchant by merchant, in the order of their ids.
    for of_one in gifts.chunk_by(|a, b| a.merchant_id == b.merchant_id) {
        let mut tx = app.db.tenant(of_one[0].merchant_id).await?;
        // Persons before all else, as a merge does, which takes the gifts of the loser and its accounts over.
        let persons: Vec<PersonId> = of_one.iter().map(|gift| gift.person_id).collect();
        person::hold_all(&mut tx, &persons).await?;
        let due = store::lock_gifts(&mut tx, of_one).await?;
        post(app, &mut tx, &due).await?;
        tx.commit().await?;
    }
    Ok(Progress::Worked)
}

async fn post(app: &App, tx: &mut Tx, gifts: &[Gift]) -> Result<(), Fault> {
    if gifts.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    let (policy, zone) = points::policy::current(tx, now).await?;
    let held = gifts.iter().map(|gift| account::held(app.ids.uuid(), gift.person_id, POINTS));
    let wanted: Vec<_> = held.chain([account::issued(app.ids.uuid(), POINTS)]).collect();
    let open = siyu_ledger::open(tx, &wanted, now).await?;
    let (issued, held) = open.split_last().expect("one more than there are gifts");
    let merchant = tx.merchant();
    let transfer = |(gift, held): (&Gift, &siyu_ledger::Account)| {
        let what = format!("{} {}", gift.person_id, gift.tier);
        let movement = Movement::new(issued.id, held.id, gift.points);
        let movement = movement.lot(policy.granted(now, None, None, zone));
        Transfer::post(transfer_id(merchant, "TierGift", &what), TIER_GIFT, movement)
    };
    let transfers: Vec<Transfer> = gifts.iter().zip(held).map(transfer).collect();
    siyu_ledger::post_all(tx, &transfers, now).await?;
    store::give(tx, &gifts.iter().collect::<Vec<_>>()).await?;
    Ok(())
}
