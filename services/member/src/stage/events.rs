//! Follows the distribution service: who brought whom, who may promote, who sold something.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, kind};
use siyu_pg::Tx;
use siyu_proto::distribution::v1::{CommissionChanged, CustomerBound, PromoterCreated};
use tonic::async_trait;

use super::{refresh, store};
use crate::{
    App,
    person::{self, PersonId},
};

/// What the member service follows of the distribution service.
pub fn subscription(app: &App) -> Subscription {
    let handler = Arc::new(Referrals { app: app.clone() });
    Subscription::new("member", "distribution", handler)
        .on::<PromoterCreated>()
        .on::<CustomerBound>()
        .on::<CommissionChanged>()
}

struct Referrals {
    app: App,
}

#[async_trait]
impl Handler for Referrals {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let mut told = Told::default();
        for event in events {
            told.read(event)?;
        }
        let named: Vec<PersonId> = told.persons().collect();
        // A purchase of whom somebody brought, handled meanwhile, would not see who it was, nor this one the purchase.
        person::lock_all(tx, &named).await?;
        store::refer(tx, &told.bound).await?;
        let mut touched: Vec<PersonId> = told.bound.iter().map(|(person, ..)| *person).collect();
        // In one order, so that two consumers never wait for each other.
        told.promoters.sort_by_key(|promoter| promoter.id);
        for one in &told.promoters {
            let person =
                store::promote(tx, one.id.uuid(), one.person, one.approved_at, one.sold_at).await?;
            touched.extend(person);
        }
        touched.extend(told.bound.iter().map(|(_, referrer, _)| *referrer));
        let persons = person::canonical_all(tx, &touched).await?;
        let now = self.app.clock.now();
        refresh(&self.app, tx, persons.into_values(), now).await.map_err(HandlerError::from)
    }
}

/// What events tell.
#[derive(Default)]
struct Told {
    bound: Vec<(PersonId, PersonId, DateTime<Utc>)>,
    promoters: Vec<Promoter>,
}

struct Promoter {
    id: Id<kind::Promoter>,
    person: Option<PersonId>,
    approved_at: Option<DateTime<Utc>>,
    sold_at: Option<DateTime<Utc>>,
}

impl Told {
    fn persons(&self) -> impl Iterator<Item = PersonId> {
        let bound = self.bound.iter().flat_map(|(person, referrer, _)| [*person, *referrer]);
        bound.chain(self.promoters.iter().filter_map(|promoter| promoter.person))
    }

    fn read(&mut self, event: &Event) -> Result<(), HandlerError> {
        if let Some(fact) = event.decode::<PromoterCreated>()? {
            self.promoters.extend(created(fact).map_err(HandlerError::park)?);
        } else if let Some(fact) = event.decode::<CustomerBound>()? {
            self.bound.extend(bound(fact).map_err(HandlerError::park)?);
        } else if let Some(fact) = event.decode::<CommissionChanged>()? {
            self.promoters.extend(sold(fact).map_err(HandlerError::park)?);
        }
        Ok(())
    }
}

fn created(fact: PromoterCreated) -> Result<Option<Promoter>, Fault> {
    let Some(promoter) = fact.promoter else { return Ok(None) };
    Ok(Some(Promoter {
        id: parse::id("id", &promoter.id)?,
        person: Some(parse::id("person_id", &promoter.person_id)?),
        approved_at: parse::optional_instant("create_time", promoter.create_time)?,
        sold_at: None,
    }))
}

fn bound(fact: CustomerBound) -> Result<Option<(PersonId, PersonId, DateTime<Utc>)>, Fault> {
    let Some(binding) = fact.binding else { return Ok(None) };
    let at = parse::optional_instant("bind_time", binding.bind_time)?;
    let at = at.ok_or_else(|| Fault::field("bind_time", "is required"))?;
    let person = parse::id("person_id", &binding.person_id)?;
    let referrer = parse::id("promoter_person_id", &fact.promoter_person_id)?;
    Ok(Some((person, referrer, at)))
}

/// An order of a customer whom the promoter brought, that earns commission now.
fn sold(fact: CommissionChanged) -> Result<Option<Promoter>, Fault> {
    let Some(commission) = fact.commission else { return Ok(None) };
    if commission.level != 1 || commission.base.is_none_or(|base| base.minor_units <= 0) {
        return Ok(None);
    }
    Ok(Some(Promoter {
        id: parse::id("promoter_id", &commission.promoter_id)?,
        person: None,
        approved_at: None,
        sold_at: parse::optional_instant("pay_time", commission.pay_time)?,
    }))
}
