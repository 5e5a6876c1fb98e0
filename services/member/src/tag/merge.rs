//! Tags of persons who turn out to be one: the union, and of an exclusive group the latest (reference §2.3). What both carried
//! is kept, and each carries it again when the merge is undone.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store::{persons, relics};
use crate::{
    App,
    person::{Merge, Unmerge},
};

/// Gives the loser's tags to the survivor.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    relics::keep_relics(tx, merge.id, merge.survivor, merge.loser).await?;
    relics::unite(tx, merge.survivor, merge.loser, merge.at).await?;
    Ok(persons::keep_latest_of_exclusive(tx, &[merge.survivor], merge.at).await?)
}

/// Gives both the tags that they carried; what came later stays with the survivor.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    relics::part(tx, unmerge.id, unmerge.survivor, unmerge.loser).await?;
    let both = [unmerge.survivor, unmerge.loser];
    Ok(persons::keep_latest_of_exclusive(tx, &both, unmerge.at).await?)
}
