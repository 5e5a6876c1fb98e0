//! What becomes of signed days when two persons turn out to be one, and two again. What they brought is the ledger's.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    person::{Merge, Unmerge},
};

/// The survivor has signed on the days of both, and its streaks are counted anew.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    Ok(store::move_over(tx, merge).await?)
}

/// Each has signed on its own days again.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    Ok(store::move_back(tx, unmerge).await?)
}
