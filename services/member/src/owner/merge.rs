//! What becomes of owners when two persons turn out to be one: who had to do with the person most recently stays (reference
//! §2.1). Spans stay with the id that they were recorded for, so that an order of an earlier day still finds its owner.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{
    assign::{self, Change},
    domain::{self, Source, Standing},
    interaction, store,
};
use crate::{
    App, NAME, handover,
    person::{Merge, PersonId, Unmerge},
};

/// Two persons are one.
pub(crate) async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    let ctx = Ctx::internal(NAME, Some(tx.merchant()), merge.at);
    let standing = assign::lock(tx, [merge.survivor, merge.loser]).await?;
    let (survivor, loser) = (&standing[&merge.survivor], &standing[&merge.loser]);
    let pairs: Vec<_> =
        standing.values().filter_map(|s| Some((s.person_id, s.staff_id?))).collect();
    let latest = interaction::store::latest(tx, &pairs).await?.into_iter().collect();
    let wins = domain::loser_wins(seen(survivor, &latest), seen(loser, &latest));
    let mut changes = vec![given(loser, None, Source::Merge, merge.at)];
    if let (true, Some(staff)) = (wins, loser.staff_id) {
        changes.push(given(survivor, Some((staff, loser.store_id)), Source::Merge, merge.at));
    }
    assign::apply(app, tx, &ctx, changes).await?;
    interaction::store::merge(tx, merge.id.uuid(), merge.survivor, merge.loser).await?;
    handover::on_merge(app, tx, &ctx, merge).await
}

/// A merge is undone: the one who is a person again gets back who owned it at the merge; the other keeps the owner.
pub(crate) async fn on_unmerge(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    let ctx = Ctx::internal(NAME, Some(tx.merchant()), unmerge.at);
    let standing = assign::lock(tx, [unmerge.survivor, unmerge.loser]).await?;
    let last = store::spans(tx, unmerge.loser, None, 1).await?.pop();
    let ended_by_merge = last.filter(|span| span.until_at == Some(unmerge.merged_at));
    if let Some(span) = ended_by_merge {
        let back = Some((span.staff_id, span.store_id));
        let change = given(&standing[&unmerge.loser], back, Source::Unmerge, unmerge.at);
        assign::apply(app, tx, &ctx, vec![change]).await?;
    }
    give_back(app, tx, &ctx, unmerge, &standing[&unmerge.survivor]).await?;
    interaction::store::unmerge(tx, unmerge.id.uuid(), unmerge.survivor).await?;
    Ok(())
}

/// Where the survivor has its owner from this merge still, it gets back the one before.
async fn give_back(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    unmerge: &Unmerge,
    standing: &Standing,
) -> Result<(), Fault> {
    let by_merge =
        standing.source == Some(Source::Merge) && standing.since_at == Some(unmerge.merged_at);
    if !by_merge {
        return Ok(());
    }
    let spans = store::spans(tx, unmerge.survivor, Some(standing.span), 1).await?;
    let before = spans.first().filter(|span| span.until_at == Some(unmerge.merged_at));
    let to = before.map(|span| (span.staff_id, span.store_id));
    let change = given(standing, to, Source::Unmerge, unmerge.at);
    assign::apply(app, tx, ctx, vec![change]).await?;
    Ok(())
}

/// When owner and person last had to do with each other; at the latest when the owner came to own.
fn seen(standing: &Standing, latest: &HashMap<PersonId, DateTime<Utc>>) -> Option<DateTime<Utc>> {
    let since = standing.since_at?;
    Some(latest.get(&standing.person_id).map_or(since, |at| since.max(*at)))
}

fn given(
    standing: &Standing,
    to: Option<(crate::staff::StaffId, Option<crate::shop::StoreId>)>,
    source: Source,
    at: DateTime<Utc>,
) -> Change {
    let since = standing.since_at.map_or(at, |held| held.max(at));
    Change { standing: standing.clone(), to, source, since }
}
