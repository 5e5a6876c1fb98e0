//! Keeps purchases as the order service tells them, and moves them when persons turn out to be one.

use std::collections::{BTreeSet, HashMap};

use siyu_events::HandlerError;
use siyu_kernel::{Fault, Zone};
use siyu_pg::Tx;
use siyu_proto::order::v1::OrderFacts;

use super::{
    domain::{OrderId, Purchase},
    store::{self, Known},
};
use crate::{
    App, merchant,
    person::{Merge, PersonId, Unmerge},
    tag,
};

/// Keeps orders as they are now; an older revision than the one known changes nothing.
pub(crate) async fn keep(tx: &mut Tx, facts: &[OrderFacts]) -> Result<(), HandlerError> {
    let merchant = merchant::store::find(tx).await?;
    let merchant = merchant.ok_or_else(|| Fault::not_found("merchant"))?;
    let zone = Zone::parse(&merchant.zone).map_err(HandlerError::park)?;
    let told: Vec<Purchase> = facts
        .iter()
        .map(|facts| Purchase::of(facts, zone))
        .collect::<Result<_, _>>()
        .map_err(HandlerError::park)?;
    let orders: Vec<OrderId> = told.iter().map(|purchase| purchase.order_id).collect();
    let known: HashMap<OrderId, Known> =
        store::lock(tx, &orders).await?.into_iter().map(|row| (row.order_id, row)).collect();
    let is_news = |purchase: &&Purchase| {
        known.get(&purchase.order_id).is_none_or(|row| row.revision < purchase.revision)
    };
    let news: Vec<&Purchase> = told.iter().filter(is_news).collect();
    let changed: Vec<OrderId> =
        news.iter().map(|p| p.order_id).filter(|order| known.contains_key(order)).collect();
    store::save(tx, &news).await?;
    store::delete_lines(tx, &changed).await?;
    store::insert_lines(tx, &news).await?;
    let before = news.iter().filter_map(|p| known.get(&p.order_id)).map(|row| row.person_id);
    let touched: BTreeSet<PersonId> = news.iter().map(|p| p.person_id).chain(before).collect();
    sum_up(tx, touched).await?;
    Ok(())
}

/// Gives what the loser bought to the survivor.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    let orders = store::of_person(tx, merge.loser).await?;
    store::remember_moved(tx, merge.id, &orders).await?;
    store::give(tx, merge.survivor, &orders).await?;
    Ok(sum_up(tx, BTreeSet::from([merge.survivor, merge.loser])).await?)
}

/// Gives back what the merge moved, where it is still the survivor's; what was bought later stays.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    let orders = store::forget_moved(tx, unmerge.id, unmerge.survivor).await?;
    store::give(tx, unmerge.loser, &orders).await?;
    Ok(sum_up(tx, BTreeSet::from([unmerge.survivor, unmerge.loser])).await?)
}

/// Computes the sums of persons anew, in the order of their ids, so that two of these never wait for each other.
async fn sum_up(tx: &mut Tx, persons: BTreeSet<PersonId>) -> Result<(), siyu_pg::Error> {
    let persons: Vec<PersonId> = persons.into_iter().collect();
    store::save_totals(tx, &persons).await?;
    store::delete_empty_totals(tx, &persons).await?;
    tag::mark(tx, &persons).await
}
