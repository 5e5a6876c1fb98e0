//! What orders earn their buyers: points and growth, from the facts of the order service. An order's earning is always the
//! one of its latest revision; a change takes the earlier one back and gives the new one, so the sum of all postings of an
//! order is what it earns now, whatever order revisions arrive in. What lapsed is the exception: it is gone, and is neither taken
//! back nor given again ([`change`]).

pub mod change;
pub mod domain;
pub mod events;
pub mod store;
pub mod wait;

use siyu_kernel::Fault;
use siyu_pg::Tx;

pub use events::subscription;

use crate::{
    App,
    person::{Merge, Unmerge, store::moving},
};

/// What the loser's orders earned is the survivor's. The postings follow with the accounts.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    Ok(moving::move_over(tx, &store::EARNINGS, merge).await?)
}

/// The loser's orders earn the loser again.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    Ok(moving::move_back(tx, &store::EARNINGS, unmerge).await?)
}
