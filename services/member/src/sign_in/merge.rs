//! What becomes of signed days when two persons turn out to be one, and two again. What they brought is the ledger's.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    person::{Merge, Unmerge, store::moving},
};

/// The survivor has signed on the days of both, and its streaks are counted anew.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    moving::move_over(tx, &store::DAYS, merge).await?;
    Ok(store::count_streaks(tx, merge.survivor).await?)
}

/// Each has signed on its own days again.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    moving::move_back(tx, &store::DAYS, unmerge).await?;
    store::count_streaks(tx, unmerge.survivor).await?;
    Ok(store::count_streaks(tx, unmerge.loser).await?)
}
