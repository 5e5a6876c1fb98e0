//! Attributes of persons who turn out to be one: the later value stands, and both sets are kept until that is final.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    person::{Merge, Unmerge},
};

/// Gives the loser's values to the survivor, where that one has none or an earlier one.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    store::keep_relics(tx, merge.id, merge.survivor, merge.loser).await?;
    Ok(store::unite(tx, merge.survivor, merge.loser).await?)
}

/// Gives both what they had, where it was not set anew since.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    Ok(store::part(tx, unmerge.id, unmerge.survivor, unmerge.loser).await?)
}
