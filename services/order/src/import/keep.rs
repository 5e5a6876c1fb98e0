//! What a batch reads of orders that are known, and what it writes of those that change: orders and refunds of them alike.

use std::collections::{BTreeSet, HashMap};

use siyu_events::NewEvent;
use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{
    domain::{Change, Draft, Key, Known},
    refund::{self, Back, store::Row},
    store,
};
use crate::{
    App,
    order::{domain::OrderId, events},
    parcel_card,
};

/// The orders that are known, locked.
pub async fn load<'a>(
    tx: &mut Tx,
    keys: &BTreeSet<&'a Key>,
) -> Result<HashMap<&'a Key, Draft>, siyu_pg::Error> {
    let sorted: Vec<&Key> = keys.iter().copied().collect();
    let orders = store::lock(tx, &sorted).await?;
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<OrderId> = orders.iter().map(|known| known.order.id).collect();
    let mut positions = store::positions(tx, &ids).await?;
    let draft = |known: Known| {
        let order = &known.order;
        let key = Key {
            platform: order.platform.clone(),
            shop_id: order.shop_id.clone(),
            order_no: order.platform_order_no.clone(),
        };
        let key = *keys.get(&key).expect("only what was asked for is found");
        let positions = positions.remove(&order.id).unwrap_or_default();
        (key, Draft::known(known, positions))
    };
    Ok(orders.into_iter().map(draft).collect())
}

/// Writes what changed, with everything that was given back of it, and tells it. False when another import created one of the
/// orders meanwhile. The caller has entered, or shut the door.
pub async fn save(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    drafts: HashMap<&Key, Draft>,
) -> Result<bool, Fault> {
    // In the order of their keys, so that two imports never wait for each other.
    let mut drafts: Vec<(&Key, Draft)> = drafts.into_iter().collect();
    drafts.sort_by_key(|(a, _)| *a);
    let keys: Vec<&Key> = drafts.iter().map(|(key, _)| *key).collect();
    let refunds = refund::store::of_orders(tx, &keys).await?;
    let mut backs: HashMap<Key, Vec<Back>> = HashMap::new();
    for refund in &refunds {
        backs.entry(refund.key()).or_default().push(refund.back);
    }
    let ids: HashMap<&Key, OrderId> =
        drafts.iter().map(|(key, draft)| (*key, draft.id())).collect();
    let finish = |(key, draft): (&Key, Draft)| draft.finish(backs.get(key).map_or(&[], |b| b));
    let changes: Vec<Change> = drafts.into_iter().filter_map(finish).collect();
    let (known, new): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.existed);
    if !new.is_empty() && store::insert(tx, &new).await? < new.len() as u64 {
        return Ok(false);
    }
    if !known.is_empty() {
        store::save(tx, &known).await?;
    }
    if !changes.is_empty() {
        store::save_lines(tx, &changes).await?;
    }
    // Those that waited have their order now.
    let waited = refunds.into_iter().filter(|refund| refund.order_id.is_none());
    let waited: Vec<Row> =
        waited.map(|row| Row { order_id: ids.get(&row.key()).copied(), ..row }).collect();
    if !waited.is_empty() {
        refund::store::save(tx, &waited).await?;
    }
    parcel_card::store::find_due(tx, &keys, ctx.now).await?;
    let facts: Vec<_> = changes.iter().filter_map(|change| news(change, app, ctx)).collect();
    siyu_events::append(tx, &facts).await?;
    Ok(true)
}

/// The fact that a change makes true, if it makes one.
fn news(change: &Change, app: &App, ctx: &Ctx) -> Option<NewEvent> {
    let fact = change.fact?;
    Some(events::of(fact, (&change.order, None), &change.lines, app.ids.uuid(), ctx.now))
}
