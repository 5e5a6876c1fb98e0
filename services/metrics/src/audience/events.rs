//! Follows messaging and distribution: whom the merchant tried to reach, and who brought whom.

use std::{collections::BTreeMap, sync::Arc};

use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_kernel::{Id, kind};
use siyu_pg::Tx;
use siyu_proto::{
    distribution::v1::CustomerBound,
    messaging::v1::{MessageMoved, MessageState as S},
};
use tonic::async_trait;

use super::store::{self, Moved};
use crate::{
    App,
    fact::{self, PersonId},
    merchant,
};

/// What metrics follows of the messaging service.
pub fn of_messaging(app: &App) -> Subscription {
    let messages = Messages { app: app.clone() };
    Subscription::new("metrics", "messaging", Arc::new(messages)).on::<MessageMoved>()
}

/// What metrics follows of the distribution service.
pub fn of_distribution(app: &App) -> Subscription {
    let bindings = Bindings { app: app.clone() };
    Subscription::new("metrics", "distribution", Arc::new(bindings)).on::<CustomerBound>()
}

struct Messages {
    app: App,
}

struct Bindings {
    app: App,
}

#[async_trait]
impl Handler for Messages {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let mut told = Vec::new();
        for event in events {
            let Some(fact) = event.decode::<MessageMoved>()? else { continue };
            let message = fact.message.unwrap_or_default();
            let person_id: PersonId =
                parse::id("person_id", &message.person_id).map_err(HandlerError::park)?;
            told.push((message, person_id));
        }
        merchant::lock_told(tx).await?;
        let persons: Vec<PersonId> = told.iter().map(|(_, person)| *person).collect();
        let numbers = fact::store::numbers(tx, &persons).await?;
        let mut moved: BTreeMap<Id<kind::Message>, Moved> = BTreeMap::new();
        for (message, person_id) in told {
            let message_id = parse::id("message_id", &message.id).map_err(HandlerError::park)?;
            let time = message
                .state_time
                .ok_or_else(|| HandlerError::park("a message without its time"))?;
            let at = parse::instant("state_time", time).map_err(HandlerError::park)?;
            let entry = moved.entry(message_id).or_insert_with(|| Moved {
                message_id,
                person: fact::column(numbers[&person_id]),
                channel: message.channel.clone(),
                attempted_at: None,
                delivered_at: None,
                failed_at: None,
            });
            let slot = match message.state() {
                S::Submitted => &mut entry.attempted_at,
                S::Delivered | S::Read | S::Clicked => &mut entry.delivered_at,
                S::Failed => &mut entry.failed_at,
                S::Unspecified | S::Queued | S::Sent | S::Cancelled => continue,
            };
            *slot = Some(slot.map_or(at, |known| known.min(at)));
        }
        store::save_moved(tx, &moved.into_values().collect::<Vec<_>>()).await?;
        merchant::store::count_facts(tx, self.app.clock.now()).await?;
        Ok(())
    }
}

#[async_trait]
impl Handler for Bindings {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        for event in events {
            let Some(fact) = event.decode::<CustomerBound>()? else { continue };
            let binding = fact.binding.unwrap_or_default();
            let person: PersonId =
                parse::id("person_id", &binding.person_id).map_err(HandlerError::park)?;
            let referrer: PersonId = parse::id("promoter_person_id", &fact.promoter_person_id)
                .map_err(HandlerError::park)?;
            let time = binding
                .bind_time
                .ok_or_else(|| HandlerError::park("a binding without its time"))?;
            let bound_at = parse::instant("bind_time", time).map_err(HandlerError::park)?;
            let expires_at = parse::optional_instant("expire_time", binding.expire_time)
                .map_err(HandlerError::park)?;
            merchant::lock_told(tx).await?;
            let numbers = fact::store::numbers(tx, &[person, referrer]).await?;
            let (person, referrer) =
                (fact::column(numbers[&person]), fact::column(numbers[&referrer]));
            store::save_referral(tx, person, referrer, bound_at, expires_at).await?;
        }
        merchant::store::count_facts(tx, self.app.clock.now()).await?;
        Ok(())
    }
}
