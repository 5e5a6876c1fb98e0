//! Where persons stand after their growth, the rules or the time has changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse::timestamp};
use siyu_kernel::Fault;
use siyu_ledger::{Account, AccountKey};
use siyu_pg::Tx;
use siyu_proto::member::v1::{self as proto, TierChanged};
use uuid::Uuid;

use super::{
    domain::{Change, Policy, Reason, Standing},
    store,
};
use crate::{
    App, NAME,
    account::{GROWTH, key},
    person::{self, PersonId},
    publish_all,
};

/// What a person's growth comes to: growth and tier.
pub type Reached = HashMap<PersonId, (i64, i32)>;

/// Looks at persons anew, in the transaction of what changed, and keeps growth and tier where persons are searched by them.
pub async fn evaluate(
    app: &App,
    tx: &mut Tx,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<Reached, Fault> {
    let policy = store::policy(tx).await?;
    evaluate_by(app, tx, &policy, persons, now).await
}

/// The same where the rules are known.
pub(crate) async fn evaluate_by(
    app: &App,
    tx: &mut Tx,
    policy: &Policy,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<Reached, Fault> {
    let standings = store::lock(tx, persons).await?;
    let locked: Vec<PersonId> = standings.iter().map(|(person, _)| *person).collect();
    let growth = growth(tx, &locked, now).await?;
    let (mut rows, mut saved, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for (person, before) in standings {
        let growth = growth.get(&person).copied().unwrap_or(0);
        let (after, steps) = before.at(policy, growth, now);
        rows.push((person, growth, after.tier));
        if after != before {
            saved.push((person, after));
        }
        changes.extend(steps.into_iter().map(|step| (app.ids.uuid(), person, step, growth)));
    }
    person::store::save_growth(tx, &rows).await?;
    if !saved.is_empty() {
        store::save(tx, &saved, now).await?;
    }
    record(app, tx, policy, &changes, now).await?;
    Ok(rows.into_iter().map(|(person, growth, tier)| (person, (growth, tier))).collect())
}

/// Appends what happened, notes the gifts, and tells.
pub(crate) async fn record(
    app: &App,
    tx: &mut Tx,
    policy: &Policy,
    changes: &[(Uuid, PersonId, Change, i64)],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }
    store::insert_changes(tx, changes).await?;
    let reached = changes.iter().filter(|(_, _, change, _)| change.reason == Reason::Reached);
    let gifts: Vec<(PersonId, i32, i64)> = reached
        .flat_map(|(_, person, change, _)| {
            (change.from + 1..=change.to).map(|tier| (*person, tier))
        })
        .filter_map(|(person, tier)| Some((person, tier, policy.tier(tier)?.gift_points)))
        .filter(|(.., points)| *points > 0)
        .collect();
    if !gifts.is_empty() {
        store::insert_gifts(tx, &gifts, "due", now).await?;
    }
    let ctx = Ctx::internal(NAME, Some(tx.merchant()), now);
    let fact = |(_, person, change, growth): &(Uuid, PersonId, Change, i64)| {
        let fact = TierChanged {
            person_id: person.to_string(),
            change: Some(show(change.from, change.to, change.reason, *growth, change.at)),
            name: policy.tier(change.to).map(|tier| tier.name.clone()).unwrap_or_default(),
        };
        (person.to_string(), fact)
    };
    let facts: Vec<(String, TierChanged)> = changes.iter().map(fact).collect();
    Ok(publish_all(app, tx, &ctx, &facts).await?)
}

/// A change in the words of the contract.
pub(crate) fn show(
    from: i32,
    to: i32,
    reason: Reason,
    growth: i64,
    at: DateTime<Utc>,
) -> proto::TierChange {
    let reason = match reason {
        Reason::Reached => proto::TierChangeReason::Reached,
        Reason::Lapsed => proto::TierChangeReason::Lapsed,
        Reason::Initial => proto::TierChangeReason::Initial,
        Reason::Merged => proto::TierChangeReason::Merged,
    };
    proto::TierChange {
        from_tier: from,
        to_tier: to,
        reason: reason.into(),
        growth,
        change_time: Some(timestamp(at)),
    }
}

/// The growth that counts at an instant; who never had any is left out. Never below 0, whatever was taken back.
pub(crate) async fn growth(
    tx: &mut Tx,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<HashMap<PersonId, i64>, Fault> {
    let keys: Vec<AccountKey> = persons.iter().map(|&person| key(person, GROWTH)).collect();
    let found = siyu_ledger::find(tx, &keys).await?;
    let open: Vec<(PersonId, Account)> = persons
        .iter()
        .zip(found)
        .filter_map(|(person, account)| Some((*person, account?)))
        .collect();
    let ids: Vec<_> = open.iter().map(|(_, account)| account.id).collect();
    let sums = siyu_ledger::available(tx, &ids, now).await?;
    Ok(open.into_iter().zip(sums).map(|((person, _), sum)| (person, sum.max(0))).collect())
}

/// Puts a person into a tier that the growth does not decide.
pub(crate) async fn place(
    app: &App,
    tx: &mut Tx,
    person: PersonId,
    (before, after): (Standing, Standing),
    reason: Reason,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let policy = store::policy(tx).await?;
    let growth = growth(tx, &[person], now).await?.get(&person).copied().unwrap_or(0);
    store::save(tx, &[(person, after)], now).await?;
    person::store::save_growth(tx, &[(person, growth, after.tier)]).await?;
    if before.tier == after.tier {
        return Ok(());
    }
    let change = Change { from: before.tier, to: after.tier, reason, at: now };
    record(app, tx, &policy, &[(app.ids.uuid(), person, change, growth)], now).await
}
