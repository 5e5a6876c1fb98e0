//! Computes the rules of tags: for everyone in rounds, one stretch of persons of one tag in each step, and in between for the
//! persons of whom something changed. A step is one transaction, so a process may die between any two; the tag remembers up
//! to whom its round has come.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use prost::Message as _;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::Filter;
use siyu_runtime::Progress;

use super::{
    TagId,
    store::{self, marks, persons},
};
use crate::{
    App,
    audience::terms,
    filter::{
        self, Terms,
        store::{Chunk, Whom},
    },
    limits,
    person::{self, PersonId},
    vault,
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
    let terms = terms(tx, &keys, now).await?;
    let stretch = Whom::Chunk(Chunk { after, until });
    let wanted = holders(tx, &terms, due.id, &due.rule, stretch).await?;
    let have = persons::having(tx, due.id, after, until).await?.into_iter().collect();
    settle(tx, due.id, &wanted, &have, now).await?;
    store::note_computed(tx, due.id, until, now + limits::RULE_PERIOD, now).await?;
    jobs.commit().await?;
    Ok(Progress::Worked)
}

/// Computes every rule of a merchant for the persons who were marked first.
///
/// # Errors
/// A fault of the database.
pub async fn marked(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.tag_marks").await?;
    let Some(merchant) = marks::lock_first(&mut jobs).await? else { return Ok(Progress::Idle) };
    let keys = vault::keys(app, merchant).await?;
    let tx = jobs.become_tenant(merchant).await?;
    let marked: BTreeSet<PersonId> =
        marks::take(tx, limits::RULE_MARKS).await?.into_iter().collect();
    let marked: Vec<PersonId> = marked.into_iter().collect();
    let terms = terms(tx, &keys, now).await?;
    // A rule that is being computed for everyone is waited for: its stretch may be over without the change.
    for rule in store::share_rules(tx).await? {
        let wanted = holders(tx, &terms, rule.id, &rule.rule, Whom::These(&marked)).await?;
        let have = persons::having_of(tx, rule.id, &marked).await?.into_iter().collect();
        settle(tx, rule.id, &wanted, &have, now).await?;
    }
    jobs.commit().await?;
    Ok(Progress::Worked)
}

/// For whom a rule holds; nobody when it names what is no longer there.
async fn holders(
    tx: &mut Tx,
    terms: &Terms,
    tag: TagId,
    rule: &[u8],
    whom: Whom<'_>,
) -> Result<BTreeSet<PersonId>, Fault> {
    let rule = Filter::decode(rule).map_err(Fault::internal)?;
    match filter::read(&rule, "tag.rule", terms) {
        Ok(node) => Ok(filter::store::members(tx, &node, whom).await?.into_iter().collect()),
        Err(fault) => {
            tracing::warn!(%tag, ?fault, "the rule cannot be read any more: nobody carries the tag");
            Ok(BTreeSet::new())
        }
    }
}

/// Gives a tag to those who are to have it, and takes it from those who are not.
async fn settle(
    tx: &mut Tx,
    tag: TagId,
    wanted: &BTreeSet<PersonId>,
    have: &BTreeSet<PersonId>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let gone: Vec<_> = have.difference(wanted).map(|&person| (person, tag)).collect();
    if !gone.is_empty() {
        persons::remove(tx, &gone).await?;
    }
    let news: Vec<PersonId> = wanted.difference(have).copied().collect();
    if news.is_empty() {
        return Ok(());
    }
    // Who carries as many as anybody may goes without.
    let full: BTreeSet<PersonId> =
        persons::full(tx, &news, limits::PERSON_TAGS_MAX, now).await?.into_iter().collect();
    let held = person::hold_all(tx, &news).await?;
    let may = |p: &PersonId| !full.contains(p) && held.get(p) == Some(p);
    let news: Vec<_> = news.into_iter().filter(may).map(|person| (person, tag)).collect();
    persons::add(tx, &news, SOURCE, None, now).await?;
    Ok(())
}
