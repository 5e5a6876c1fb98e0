//! Computes the rules of tags, one stretch of persons of one tag in each step. A step is one transaction, so a process may
//! die between any two; the tag remembers up to whom its round has come.

use std::collections::BTreeSet;

use prost::Message as _;
use siyu_kernel::Fault;
use siyu_proto::member::v1::Filter;
use siyu_runtime::Progress;

use super::store::{self, Due, persons};
use crate::{
    App,
    audience::terms,
    filter::{self, store::Chunk},
    limits,
    person::{self, PersonId},
    vault::{self, Keys},
};

/// What a rule gives as the source of its tag.
const SOURCE: &str = "rule";

/// Computes one stretch.
///
/// # Errors
/// A fault of the database.
pub async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.tag_rules").await?;
    let Some(due) = store::lock_due(&mut jobs, now).await? else { return Ok(Progress::Idle) };
    let keys = vault::keys(app, due.merchant_id).await?;
    let tx = jobs.become_tenant(due.merchant_id).await?;
    let after = due.cursor_person_id;
    let until = filter::store::chunk_end(tx, after, limits::RULE_CHUNK).await?;
    let chunk = Chunk { after, until };
    let wanted = holders(tx, &keys, &due, chunk, now).await?;
    let have: BTreeSet<PersonId> =
        persons::having(tx, due.id, after, until).await?.into_iter().collect();
    let gone: Vec<_> = have.difference(&wanted).map(|&person| (person, due.id)).collect();
    persons::remove(tx, &gone).await?;
    let news: Vec<PersonId> = wanted.difference(&have).copied().collect();
    // Who carries as many as anybody may goes without.
    let full: BTreeSet<PersonId> =
        persons::full(tx, &news, limits::PERSON_TAGS_MAX).await?.into_iter().collect();
    let held = person::hold_all(tx, &news).await?;
    let may = |p: &PersonId| !full.contains(p) && held.get(p) == Some(p);
    let news: Vec<_> = news.into_iter().filter(may).map(|person| (person, due.id)).collect();
    persons::add(tx, &news, SOURCE, None, now).await?;
    store::note_computed(tx, due.id, until, now + limits::RULE_PERIOD, now).await?;
    jobs.commit().await?;
    Ok(Progress::Worked)
}

/// For whom of a stretch the rule holds; nobody when it names what is no longer there.
async fn holders(
    tx: &mut siyu_pg::Tx,
    keys: &Keys,
    due: &Due,
    chunk: Chunk,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<BTreeSet<PersonId>, Fault> {
    let rule = Filter::decode(due.rule.as_slice()).map_err(Fault::internal)?;
    let terms = terms(tx, keys, now).await?;
    match filter::read(&rule, "tag.rule", &terms) {
        Ok(node) => Ok(filter::store::members(tx, &node, chunk).await?.into_iter().collect()),
        Err(fault) => {
            tracing::warn!(tag = %due.id, ?fault, "the rule cannot be read any more: nobody carries the tag");
            Ok(BTreeSet::new())
        }
    }
}
