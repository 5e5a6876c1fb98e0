//! Consents (个人信息处理同意): what persons agreed to, per purpose and channel. Every decision is kept as proof; the latest one
//! counts (rule 96). Nothing is allowed that was not granted.

pub mod domain;
pub mod rpc;
pub mod show;
pub mod store;

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;

use crate::{
    App, NAME,
    person::{Merge, PersonId, Unmerge, store::moving},
    publish_all,
};
use domain::Decision;

/// Per purpose and channel the latest decision of the two counts, and of two at the same instant the withdrawal.
pub(crate) async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    moving::move_over(tx, &store::RECORDS, merge).await?;
    rebuild(app, tx, merge.survivor, merge.at).await?;
    rebuild(app, tx, merge.loser, merge.at).await
}

/// Decisions go back to whom they were recorded for; what counts follows from them.
pub(crate) async fn on_unmerge(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    moving::move_back(tx, &store::RECORDS, unmerge).await?;
    rebuild(app, tx, unmerge.survivor, unmerge.at).await?;
    rebuild(app, tx, unmerge.loser, unmerge.at).await
}

/// Computes what counts anew from the records, and tells what is another decision than before.
async fn rebuild(
    app: &App,
    tx: &mut Tx,
    person: PersonId,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Fault> {
    let before = store::in_force(tx, person).await?;
    let records = store::decisions(tx, person).await?;
    let after = domain::latest(records);
    store::replace(tx, person, &after).await?;
    let news: Vec<Decision> =
        after.into_iter().filter(|decision| !before.contains(decision)).collect();
    let ctx = Ctx::internal(NAME, Some(tx.merchant()), now);
    publish_all(app, tx, &ctx, &show::facts(&news)).await?;
    Ok(())
}
