//! Follows the order service and keeps the facts of its orders.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_kernel::Zone;
use siyu_pg::Tx;
use tonic::async_trait;

use super::{
    OrderId, PersonId, Told,
    store::{self, Standing},
};
use crate::{App, merchant};

/// What metrics follows of the order service.
pub fn subscription(app: &App) -> Subscription {
    Subscription::new("metrics", "order", Arc::new(Orders { app: app.clone() })).on_orders()
}

struct Orders {
    app: App,
}

#[async_trait]
impl Handler for Orders {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let facts = siyu_events::latest_order_facts(events)?;
        let latest: Vec<Told> =
            facts.iter().map(Told::of).collect::<Result<_, _>>().map_err(HandlerError::park)?;
        let zone = lock_zone(tx).await?;
        let orders: Vec<OrderId> = latest.iter().map(|told| told.order_id).collect();
        let standing: HashMap<OrderId, Standing> = store::standing(tx, &orders)
            .await?
            .into_iter()
            .map(|row| (row.order_id, row))
            .collect();
        let newer = |told: &&Told| {
            standing.get(&told.order_id).is_none_or(|row| row.revision < told.revision)
        };
        let news: Vec<&Told> = latest.iter().filter(newer).collect();
        if news.is_empty() {
            return Ok(());
        }
        let persons: Vec<PersonId> = news.iter().map(|told| told.person_id).collect();
        let numbers = store::numbers(tx, &persons).await?;
        let facts: Vec<_> =
            news.iter().map(|told| (*told, numbers[&told.person_id], told.day(zone))).collect();
        let before = news.iter().filter_map(|told| standing.get(&told.order_id)).map(|row| row.day);
        let days: BTreeSet<i32> = facts.iter().map(|(_, _, day)| *day).chain(before).collect();
        store::save(tx, &facts).await?;
        store::mark(tx, &days.into_iter().collect::<Vec<_>>()).await?;
        merchant::store::count_facts(tx, self.app.clock.now()).await?;
        Ok(())
    }
}

/// Locks the merchant and returns its zone; while the member service has not told it yet, the stream tries again.
async fn lock_zone(tx: &mut Tx) -> Result<Zone, HandlerError> {
    let unknown = || HandlerError::retry("the member service has not told the merchant's zone yet");
    let merchant = merchant::lock_told(tx).await?;
    Zone::parse(&merchant.zone.ok_or_else(unknown)?).map_err(HandlerError::park)
}
