//! Cards go with the persons they belong to. Their accounts are the cards' own, so the ledger does not change, and what was
//! paid, held or given back with them stays as it is.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::card::store;
use crate::{
    App,
    person::{Merge, Unmerge, store::moving},
};

/// Moves the cards of the loser to the survivor.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    Ok(moving::move_over(tx, &store::CARDS, merge).await?)
}

/// Gives the cards back that the loser brought in; what was opened later stays.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    Ok(moving::move_back(tx, &store::CARDS, unmerge).await?)
}
