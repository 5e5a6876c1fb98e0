//! What becomes of cards and counted uses when two persons turn out to be one, and two again.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    person::{Merge, Unmerge, store::moving},
};

/// The survivor has the cards of both, and has used what both have.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    moving::move_over(tx, &store::CARDS, merge).await?;
    Ok(store::merge_uses(tx, merge).await?)
}

/// The loser has its cards again. What the survivor has used by then counts for it to the end of the period.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    Ok(moving::move_back(tx, &store::CARDS, unmerge).await?)
}
