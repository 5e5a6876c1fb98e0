//! What becomes of stages when two persons turn out to be one: the survivor entered whatever one of the two did, first.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{rebuild, store};
use crate::{
    App,
    person::{Merge, Unmerge},
};

/// Two persons are one. The facts of both are the survivor's already.
pub(crate) async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    let mut entries = store::of(tx, merge.loser).await?;
    for entry in &mut entries {
        entry.person_id = merge.survivor;
    }
    store::save(tx, &entries, merge.at).await?;
    store::raise(tx, &[merge.survivor]).await?;
    store::uncount(tx, merge.loser).await?;
    rebuild(app, tx, &[merge.survivor], merge.at).await
}

/// A merge is undone: the one who is a person again has the stages of before; those that the other entered since follow from
/// facts anew.
pub(crate) async fn on_unmerge(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    store::raise(tx, &[unmerge.loser]).await?;
    store::forget_since(tx, unmerge.survivor, unmerge.merged_at).await?;
    store::uncount(tx, unmerge.survivor).await?;
    store::raise(tx, &[unmerge.survivor]).await?;
    rebuild(app, tx, &[unmerge.survivor, unmerge.loser], unmerge.at).await
}
