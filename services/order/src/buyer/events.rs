//! Follows the member service's merges, and forgets buyers' ids of persons whose data were erased.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, kind::Person};
use siyu_pg::Tx;
use siyu_proto::member::v1::{PersonErased, PersonMerged, PersonUnmerged};
use tonic::async_trait;

use super::store;
use crate::{
    App, NAME, attribution, checkout, coupon, import, invoice,
    order::{
        domain::{Fact, Line, Order, OrderId},
        events,
    },
};

/// What the order service follows of the member service.
pub fn subscription(app: &App) -> Subscription {
    Subscription::new(NAME, "member", Arc::new(Buyers { app: app.clone() }))
        .on::<PersonMerged>()
        .on::<PersonUnmerged>()
        .on::<PersonErased>()
}

struct Buyers {
    app: App,
}

#[async_trait]
impl Handler for Buyers {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        for event in events {
            if let Some(fact) = event.decode::<PersonMerged>()? {
                let merge = fact.merge.unwrap_or_default();
                let survivor = read("survivor_person_id", &merge.survivor_person_id)?;
                let loser = read("loser_person_id", &merge.loser_person_id)?;
                let orders = store::merge(tx, survivor, loser).await?;
                coupon::merge::store::merge(tx, survivor, loser).await?;
                self.tell(tx, orders, event.occurred_at).await?;
            } else if let Some(fact) = event.decode::<PersonUnmerged>()? {
                let merge = fact.merge.unwrap_or_default();
                let survivor = read("survivor_person_id", &fact.survivor_person_id)?;
                let loser = read("loser_person_id", &merge.loser_person_id)?;
                let origins = fact.person_ids.iter().map(|id| read("person_ids", id));
                let origins: Vec<Id<Person>> = origins.collect::<Result<_, _>>()?;
                let orders = store::unmerge(tx, survivor, loser, &origins).await?;
                coupon::merge::store::unmerge(tx, survivor, loser, &origins).await?;
                self.tell(tx, orders, event.occurred_at).await?;
            } else if let Some(fact) = event.decode::<PersonErased>()? {
                let ids = std::iter::once(&fact.person_id).chain(&fact.alias_ids);
                let ids = ids.map(|id| read("person_ids", id));
                let ids: BTreeSet<Id<Person>> = ids.collect::<Result<_, _>>()?;
                forget(tx, &ids.into_iter().collect::<Vec<_>>(), event.occurred_at).await?;
            }
        }
        Ok(())
    }
}

/// Orders that were put aside lose the buyer's id and keep the person, so that they count when their word is explained; invoices
/// are made out to the person no more, and where the goods went is not known any more.
async fn forget(tx: &mut Tx, persons: &[Id<Person>], at: DateTime<Utc>) -> Result<(), Fault> {
    // Whoever puts an order aside from now on sees that the person was erased.
    store::erase(tx, persons, at).await?;
    invoice::store::forget(tx, persons).await?;
    checkout::store::forget(tx, persons).await?;
    for row in import::store::lock_aside_of(tx, persons).await? {
        let order = import::release::decode(&row)?;
        import::store::save_aside(tx, row.id, &import::release::without_buyer(&order)).await?;
    }
    Ok(())
}

impl Buyers {
    /// Tells the orders' new revisions, of those that were told before.
    async fn tell(&self, tx: &mut Tx, orders: Vec<Order>, at: DateTime<Utc>) -> Result<(), Fault> {
        let told: Vec<Order> = orders.into_iter().filter(|order| order.told).collect();
        let ids: Vec<OrderId> = told.iter().map(|order| order.id).collect();
        let mut positions = import::store::positions(tx, &ids).await?;
        let clicks = attribution::store::of_orders(tx, &ids).await?;
        let news = told.iter().map(|order| {
            let fact = if order.counts() { Fact::Revised } else { Fact::Voided };
            let lines = positions.remove(&order.id).unwrap_or_default();
            let lines: Vec<Line> = lines.into_iter().map(|of| of.line).collect();
            let told = (order, clicks.get(&order.id));
            events::of(fact, told, &lines, self.app.ids.uuid(), at)
        });
        let news: Vec<_> = news.collect();
        Ok(siyu_events::append(tx, &news).await?)
    }
}

fn read(field: &str, id: &str) -> Result<Id<Person>, HandlerError> {
    parse::id(field, id).map_err(HandlerError::park)
}
