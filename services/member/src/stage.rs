//! Stages of the journey (会员 → 合伙人, reference §1.4): consumer, connected, member, repeat, advocate, partner. Whoever keeps a
//! fact that a stage follows from calls [`refresh`] in the same transaction; the first time that a stage was entered stays,
//! and a later stage implies the earlier ones.

pub mod domain;
pub mod events;
pub mod merge;
pub mod rpc;
pub mod store;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
pub use domain::Stage;
use siyu_events::NewEvent;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::StageChanged;

use crate::{App, person::PersonId};

/// Looks at the facts of persons and of those who brought them, and keeps the stages that they entered. Of whom a person
/// brought, only those of these persons are looked at: whoever changes what somebody bought, or who brought whom, names the
/// one who was brought, and the earliest time of a stage stands.
pub(crate) async fn refresh(
    app: &App,
    tx: &mut Tx,
    persons: impl IntoIterator<Item = PersonId>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let touched: BTreeSet<PersonId> = persons.into_iter().collect();
    let touched: Vec<PersonId> = touched.into_iter().collect();
    let referred: BTreeMap<_, _> = store::referrers(tx, &touched).await?.into_iter().collect();
    enter(app, tx, &touched, referred, now).await
}

/// The same with everybody whom they ever brought: for persons of whom something was forgotten, or who became one.
pub(crate) async fn rebuild(
    app: &App,
    tx: &mut Tx,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let referrers = store::referrers(tx, persons).await?.into_iter().map(|(person, _)| person);
    let all: BTreeSet<PersonId> = referrers.chain(persons.iter().copied()).collect();
    let all: Vec<PersonId> = all.into_iter().collect();
    let referred: BTreeMap<_, _> = store::first_referred(tx, &all).await?.into_iter().collect();
    enter(app, tx, &all, referred, now).await
}

/// Keeps the stages of persons, and of others of whom it is told when the first new buyer whom they brought had paid.
async fn enter(
    app: &App,
    tx: &mut Tx,
    persons: &[PersonId],
    referred: BTreeMap<PersonId, Option<DateTime<Utc>>>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    // In one order, so that two of these never wait for each other.
    let all: BTreeSet<PersonId> = persons.iter().chain(referred.keys()).copied().collect();
    let all: Vec<PersonId> = all.into_iter().collect();
    let mut facts = store::facts(tx, &all).await?;
    for facts in &mut facts {
        facts.referred_at = referred.get(&facts.person_id).copied().flatten();
    }
    let entries: Vec<domain::Entry> = facts.iter().flat_map(domain::entries).collect();
    if entries.is_empty() {
        return Ok(());
    }
    let mut news: BTreeMap<PersonId, Vec<domain::Entry>> = BTreeMap::new();
    for entry in store::save(tx, &entries, now).await? {
        news.entry(entry.person_id).or_default().push(entry);
    }
    if news.is_empty() {
        return Ok(());
    }
    let persons: Vec<PersonId> = news.keys().copied().collect();
    let highest = store::raise(tx, &persons).await?;
    let mut events = Vec::new();
    for (person, stage) in highest {
        let mut entries = news.remove(&person).unwrap_or_default();
        entries.sort_by_key(|entry| entry.stage);
        let fact = StageChanged {
            person_id: person.to_string(),
            stage: i32::from(stage.rank()),
            entries: entries.into_iter().map(Into::into).collect(),
        };
        events.push(NewEvent::of(app.ids.uuid(), &person, now, &fact));
    }
    siyu_events::append(tx, &events).await?;
    Ok(())
}
