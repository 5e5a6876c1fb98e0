//! Resolves sets of keys against what is stored, and stores what follows.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::Tx;
use siyu_proto::member::v1::{MergeReason, PersonCreated};

use super::{
    PersonId,
    address::Addresses,
    domain::Identity,
    merge::{self, Cause},
    resolution::{self, Key, Known, Plan, Step},
    store,
};
use crate::{App, identity, limits, publish_all, rights, stage};

/// Finds who is behind each set of keys, with whatever follows: new persons, new keys, merges.
///
/// Others may do the same at the same moment. Whoever finds that what it had read is no longer so starts anew; from the
/// second time on one after the other, so that each comes to an end.
pub async fn resolve(
    app: &App,
    ctx: &Ctx,
    sets: &[Vec<Key>],
    addresses: &Addresses,
) -> Result<Plan, Fault> {
    for attempt in 0..limits::RACE_ATTEMPTS_MAX {
        let mut tx = app.db.tenant(ctx.merchant()?).await?;
        if attempt > 0 {
            store::queue(&mut tx).await?;
        }
        match attempt_once(app, ctx, &mut tx, sets, addresses).await {
            Ok(Some(plan)) => {
                if !plan.is_empty() {
                    tx.commit().await?;
                }
                return Ok(plan);
            }
            Ok(None) => {}
            // Two waited for each other, and the database let this one go.
            Err(fault) if fault.code() == Code::Aborted => {}
            Err(fault) => return Err(fault),
        }
    }
    let message = "other calls store the same keys at this moment";
    Err(Fault::new(Code::Aborted, "IDENTITIES_CONTENDED", message))
}

/// One attempt; `None` when somebody else changed what it had read.
async fn attempt_once(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    sets: &[Vec<Key>],
    addresses: &Addresses,
) -> Result<Option<Plan>, Fault> {
    let keys: BTreeSet<&Identity> = sets.iter().flatten().map(|key| &key.identity).collect();
    let keys: Vec<&Identity> = keys.into_iter().collect();
    let known = know(tx, &keys, sets).await?;
    let before = known.holders.clone();
    let plan = resolution::resolve(sets, known, ctx.now, || Id::from_uuid(app.ids.uuid()));
    if plan.is_empty() {
        return Ok(Some(plan));
    }
    if !lock(tx, &plan).await? {
        return Ok(None);
    }
    if !plan.steps.is_empty() && store::holders(tx, &keys).await? != before {
        return Ok(None);
    }
    if store::insert(tx, &plan, ctx.now).await? < plan.keys.len() as u64 {
        return Ok(None);
    }
    let new: Vec<&Identity> = plan.keys.iter().map(|(key, _)| &key.identity).collect();
    addresses.keep(tx, &new, app).await?;
    // The new keys hold their persons from here on; who was erased just before gets none.
    let known: Vec<PersonId> = plan.keys.iter().map(|(_, person)| *person).collect();
    if rights::store::first_erased(tx, &known).await?.is_some() {
        return Ok(None);
    }
    let created: Vec<(String, PersonCreated)> = plan
        .persons
        .iter()
        .map(|id| (id.to_string(), PersonCreated { person_id: id.to_string() }))
        .collect();
    publish_all(app, tx, ctx, &created).await?;
    // Before the merges: they bring the stages of two persons together.
    let of_member = |(key, _): &&(Key, PersonId)| key.identity.makes_member();
    let members = plan.keys.iter().filter(of_member).map(|(_, person)| *person);
    stage::refresh(app, tx, members, ctx.now).await?;
    store::verify(tx, &plan.verified).await?;
    for step in &plan.steps {
        if !take(app, tx, step, ctx.now).await? {
            return Ok(None);
        }
    }
    identity::store::open_reviews(app, tx, &plan.conflicts, ctx.now).await?;
    Ok(Some(plan))
}

/// What is known of the keys and their holders.
async fn know(tx: &mut Tx, keys: &[&Identity], sets: &[Vec<Key>]) -> Result<Known, Fault> {
    let holders = store::holders(tx, keys).await?;
    let ids: BTreeSet<PersonId> = holders.values().map(|holder| holder.person).collect();
    let ids: Vec<PersonId> = ids.into_iter().collect();
    let persons = store::standing(tx, &ids).await?;
    let several = |set: &Vec<Key>| {
        let found = set.iter().filter_map(|key| holders.get(&key.identity));
        found.map(|holder| holder.person).collect::<BTreeSet<_>>().len() > 1
    };
    // Hardly any set does that, and persons that one set brings together may meet a third one in the next.
    let apart = if sets.iter().any(several) {
        store::apart(tx, &ids).await?.into_iter().collect()
    } else {
        HashSet::new()
    };
    Ok(Known { holders, persons, apart })
}

/// Locks the persons of a plan: those that are merged for good, those that get keys against being merged. False when one of
/// them was merged meanwhile.
async fn lock(tx: &mut Tx, plan: &Plan) -> Result<bool, Fault> {
    let new: BTreeSet<PersonId> = plan.persons.iter().copied().collect();
    let known = |persons: BTreeSet<PersonId>| -> Vec<PersonId> {
        persons.into_iter().filter(|person| !new.contains(person)).collect()
    };
    let (mut merged, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for step in &plan.steps {
        match step {
            Step::Merge { survivor, loser, .. } => merged.extend([*survivor, *loser]),
            Step::Move { from, to, .. } => kept.extend([*from, *to]),
        }
    }
    kept.extend(plan.keys.iter().map(|(_, person)| *person));
    kept.extend(plan.conflicts.iter().flat_map(|conflict| &conflict.persons));
    let merged = known(merged);
    let own = store::lock(tx, &merged).await?;
    Ok(own && store::hold(tx, &known(kept)).await?)
}

/// Takes a step; false when a key is not where it was.
async fn take(app: &App, tx: &mut Tx, step: &Step, now: DateTime<Utc>) -> Result<bool, Fault> {
    match step {
        Step::Merge { survivor, loser, keys } => {
            let cause = Cause { reason: MergeReason::Keys, note: "", keys };
            merge::unite(app, tx, *survivor, *loser, &cause, now).await?;
            Ok(true)
        }
        Step::Move { key, from, to } => {
            let id = app.ids.uuid();
            Ok(store::move_key(tx, id, key, *from, *to, now).await?)
        }
    }
}
