//! One person out of several, as an operator or a review says.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::Merge;
use crate::{
    App,
    person::{
        self, PersonId,
        merge::{self, Cause},
        resolution::{self, Known},
    },
    rights,
};

/// Who would stay of the persons behind ids, and the others, all locked; none of them was erased.
pub(super) async fn lock(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<(PersonId, Vec<PersonId>), Fault> {
    let persons = person::lock(tx, ids).await?;
    refuse_erased(tx, &persons).await?;
    Ok(resolution::survivor(&persons))
}

/// Makes one person out of who stays and the others, all locked; says what was done.
pub(super) async fn unite(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    (survivor, losers): (PersonId, &[PersonId]),
    cause: &Cause<'_>,
) -> Result<Vec<Merge>, Fault> {
    let mut merges = Vec::with_capacity(losers.len());
    for loser in losers {
        merges.push(merge::unite(app, tx, survivor, *loser, cause, ctx.now).await?);
    }
    Ok(merges)
}

/// Whether the keys of persons, or what somebody said of them, tell that they are not one.
pub(super) async fn differ(tx: &mut Tx, persons: &BTreeSet<PersonId>) -> Result<bool, Fault> {
    let ids: Vec<PersonId> = persons.iter().copied().collect();
    let known = Known {
        holders: HashMap::new(),
        persons: person::store::standing(tx, &ids).await?,
        apart: person::store::apart(tx, &ids).await?.into_iter().collect(),
    };
    Ok(known.differ(persons))
}

/// Who was erased has no face that could be somebody else's.
pub(super) async fn refuse_erased(
    tx: &mut Tx,
    persons: &[(PersonId, DateTime<Utc>)],
) -> Result<(), Fault> {
    let ids: Vec<PersonId> = persons.iter().map(|(id, _)| *id).collect();
    rights::refuse_any_erased(tx, &ids).await
}
