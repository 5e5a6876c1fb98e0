//! What becomes of counters when two persons turn out to be one. What they own is the ledger's.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{App, person::Merge};

/// The survivor has had what both have had. The loser's counters stay as they are, for when the merge is undone: then both
/// have had what they had, and the survivor for the rest of the day also what the loser had.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    store::merge_days(tx, merge).await?;
    Ok(())
}
