//! What becomes of tiers when two persons turn out to be one, and two again.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{
    domain::Reason,
    evaluate::{evaluate, place},
    store,
};
use crate::{
    App,
    person::{Merge, Unmerge, store::moving},
};

/// The survivor stands where the better of both stood, and rises if the growth of both together reaches higher. Gifts that
/// either has had are not given again. The growth has moved with the accounts before.
pub(crate) async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    moving::move_over(tx, &store::CHANGES, merge).await?;
    store::merge_gifts(tx, merge).await?;
    let (own, other) =
        (store::find(tx, merge.survivor).await?, store::find(tx, merge.loser).await?);
    let best = own.best(other);
    if best != own {
        place(app, tx, merge.survivor, (own, best), Reason::Merged, merge.at).await?;
    }
    evaluate(app, tx, &[merge.survivor], merge.at).await?;
    Ok(())
}

/// The loser stands where it stood. The survivor keeps its tier until that expires, as everybody does whose growth fell.
pub(crate) async fn on_unmerge(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    moving::move_back(tx, &store::CHANGES, unmerge).await?;
    let mut both = [unmerge.survivor, unmerge.loser];
    both.sort_unstable();
    evaluate(app, tx, &both, unmerge.at).await?;
    Ok(())
}
