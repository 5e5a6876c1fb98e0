//! What becomes of relations when two persons turn out to be one.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    person::{Merge, Unmerge},
};

/// Two persons are one.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    store::merge(tx, merge.id, merge.survivor, merge.loser).await?;
    store::follow_inviter(tx, merge.loser, merge.survivor, merge.loser).await?;
    Ok(())
}

/// A merge is undone.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    store::unmerge(tx, unmerge.id).await?;
    store::follow_inviter(tx, unmerge.survivor, unmerge.loser, unmerge.loser).await?;
    Ok(())
}
