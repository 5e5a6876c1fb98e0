//! Stages of the journey (会员 → 合伙人, reference §1.4): consumer, connected, member, repeat, advocate, partner. Whoever keeps a
//! fact that a stage follows from calls [`refresh`] in the same transaction; the first time that a stage was entered stays,
//! and a later stage implies the earlier ones.

pub mod domain;
pub mod events;
pub mod merge;
pub mod rpc;
pub mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
pub use domain::Stage;
use siyu_events::NewEvent;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::StageChanged;

use crate::{App, person::PersonId};

/// Looks at the facts of persons and of those who brought them, and keeps the stages that they entered.
pub(crate) async fn refresh(
    app: &App,
    tx: &mut Tx,
    persons: impl IntoIterator<Item = PersonId>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut persons: Vec<PersonId> = persons.into_iter().collect();
    persons.extend(store::referrers(tx, &persons).await?);
    // In one order, so that two of these never wait for each other.
    persons.sort_unstable();
    persons.dedup();
    let facts = store::facts(tx, &persons).await?;
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
