//! One person out of two, and two out of one again: in one transaction, so that there is no half of it. Every capability
//! that keeps something by person is in the two lists here.

use chrono::{DateTime, Utc};
use siyu_events::{Fact, NewEvent};
use siyu_kernel::{Fault, Id};
use siyu_pg::Tx;
use siyu_proto::member::v1::{MergeReason, PersonMerged, PersonUnmerged};

use super::{Merge, PersonId, Unmerge, domain::Identity, store};
use crate::{
    App, account, attribute, benefit, blacklist, connection, consent, earning, household, identity,
    owner, points, profile, purchase, sign_in, stage, tag, tier, value,
};

/// Why persons are one.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// What brought it about.
    pub reason: MergeReason,
    /// What an operator said.
    pub note: &'a str,
    /// The keys that came together.
    pub keys: &'a [Identity],
}

/// Tells every capability that two persons are one. A new one adds its line here and below.
async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    account::on_merge(app, tx, merge).await?;
    earning::on_merge(app, tx, merge).await?;
    connection::on_merge(app, tx, merge).await?;
    consent::on_merge(app, tx, merge).await?;
    blacklist::on_merge(app, tx, merge).await?;
    profile::on_merge(app, tx, merge).await?;
    purchase::on_merge(app, tx, merge).await?;
    owner::merge::on_merge(app, tx, merge).await?;
    points::merge::on_merge(app, tx, merge).await?;
    value::on_merge(app, tx, merge).await?;
    household::merge::on_merge(app, tx, merge).await?;
    sign_in::merge::on_merge(app, tx, merge).await?;
    benefit::merge::on_merge(app, tx, merge).await?;
    // It counts what the others have moved.
    tier::merge::on_merge(app, tx, merge).await?;
    tag::on_merge(app, tx, merge).await?;
    attribute::on_merge(app, tx, merge).await?;
    // Last: stages follow from what all others keep.
    stage::merge::on_merge(app, tx, merge).await?;
    Ok(())
}

/// Tells every capability that a merge is undone.
async fn on_unmerge(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    account::on_unmerge(app, tx, unmerge).await?;
    earning::on_unmerge(app, tx, unmerge).await?;
    connection::on_unmerge(app, tx, unmerge).await?;
    consent::on_unmerge(app, tx, unmerge).await?;
    blacklist::on_unmerge(app, tx, unmerge).await?;
    profile::on_unmerge(app, tx, unmerge).await?;
    purchase::on_unmerge(app, tx, unmerge).await?;
    owner::merge::on_unmerge(app, tx, unmerge).await?;
    value::on_unmerge(app, tx, unmerge).await?;
    household::merge::on_unmerge(app, tx, unmerge).await?;
    sign_in::merge::on_unmerge(app, tx, unmerge).await?;
    benefit::merge::on_unmerge(app, tx, unmerge).await?;
    // It counts what the others have moved.
    tier::merge::on_unmerge(app, tx, unmerge).await?;
    tag::on_unmerge(app, tx, unmerge).await?;
    attribute::on_unmerge(app, tx, unmerge).await?;
    stage::merge::on_unmerge(app, tx, unmerge).await?;
    Ok(())
}

/// Makes the loser an alias of the survivor, keeps why, and tells it. Both are persons of their own, and the caller has locked
/// them.
pub async fn unite(
    app: &App,
    tx: &mut Tx,
    survivor: PersonId,
    loser: PersonId,
    cause: &Cause<'_>,
    now: DateTime<Utc>,
) -> Result<identity::Merge, Fault> {
    let merge = Merge { id: Id::from_uuid(app.ids.uuid()), survivor, loser, at: now };
    let row = identity::Merge::new(&merge, cause);
    identity::store::insert(tx, &row).await?;
    apply(app, tx, &merge).await?;
    let fact = PersonMerged { merge: Some(row.told()?) };
    tell(app, tx, loser, &fact, now).await?;
    Ok(row)
}

/// Undoes a merge, keeps why, and tells it. The caller has locked the persons.
pub async fn divide(
    app: &App,
    tx: &mut Tx,
    row: &identity::Merge,
    unmerge: &Unmerge,
    note: &str,
) -> Result<(), Fault> {
    identity::store::undo(tx, row.id, unmerge.at, note).await?;
    undo(app, tx, unmerge).await?;
    let row = identity::Merge { unmerged_at: Some(unmerge.at), ..row.clone() };
    let fact = PersonUnmerged {
        merge: Some(row.told()?),
        survivor_person_id: unmerge.survivor.to_string(),
        person_ids: unmerge.origins.iter().map(ToString::to_string).collect(),
    };
    Ok(tell(app, tx, unmerge.loser, &fact, unmerge.at).await?)
}

/// Makes the loser an alias of the survivor, with all that it has. The caller has locked both.
pub async fn apply(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    store::merge(tx, merge).await?;
    on_merge(app, tx, merge).await
}

/// Makes the loser a person again, with what it had. The caller has locked both.
pub async fn undo(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    store::unmerge(tx, unmerge).await?;
    on_unmerge(app, tx, unmerge).await
}

async fn tell<F: Fact>(
    app: &App,
    tx: &mut Tx,
    loser: PersonId,
    fact: &F,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    siyu_events::append(tx, &[NewEvent::of(app.ids.uuid(), &loser, now, fact)]).await
}
