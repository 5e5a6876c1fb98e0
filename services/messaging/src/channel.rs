//! Channels (触达渠道): the ways to a person. A provider is the port to one; this version has the [`sandbox`] alone.

pub mod sandbox;
pub mod store;

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Db;
use tonic::async_trait;

use crate::{
    campaign::{domain::PersonId, purpose::Consent},
    message::domain::MessageId,
};
use sandbox::Sandbox;

/// One text to many persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Who sends.
    pub merchant: Id<Merchant>,
    /// What is sent.
    pub text: &'a str,
    /// To whom.
    pub recipients: Vec<Recipient>,
    /// When.
    pub now: DateTime<Utc>,
}

/// One message of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// By which the provider knows the message.
    pub message_id: MessageId,
    /// Who gets it.
    pub person_id: PersonId,
}

/// What a provider says when it is handed a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took the message; receipts follow.
    Accepted,
    /// It will never send it, for this reason.
    Refused(String),
}

/// The port to a channel. It is called outside of any transaction, and a call that fails may have had its effect.
#[async_trait]
pub trait Provider: Send + Sync + fmt::Debug {
    /// Hands messages over; one answer for each recipient, in order. A message that it knows by its id is not sent again and
    /// is answered like the first time.
    ///
    /// # Errors
    /// When nothing is known of what came of the batch.
    async fn submit(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, Fault>;

    /// What persons must have decided before somebody advertises over it. By law that is a grant, for each channel of its own;
    /// a channel that may do with less says so.
    fn consent(&self) -> Consent {
        Consent::Granted
    }

    /// What it answered to messages that it may have been handed; `None` for one that it never got.
    ///
    /// # Errors
    /// When it cannot say.
    async fn lookup(
        &self,
        merchant: Id<Merchant>,
        ids: &[MessageId],
    ) -> Result<Vec<Option<Answer>>, Fault>;
}

/// The channels that there are, by name.
#[derive(Debug, Clone)]
pub struct Channels(BTreeMap<&'static str, Arc<dyn Provider>>);

impl Channels {
    /// The sandbox alone.
    pub fn sandbox(db: Db) -> Self {
        let provider: Arc<dyn Provider> = Arc::new(Sandbox::new(db));
        Self(BTreeMap::from([(sandbox::NAME, provider)]))
    }

    /// Adds a channel, or replaces its provider.
    pub fn set(&mut self, name: &'static str, provider: Arc<dyn Provider>) {
        self.0.insert(name, provider);
    }

    /// The provider of a channel.
    pub fn get(&self, name: &str) -> Option<&dyn Provider> {
        self.0.get(name).map(AsRef::as_ref)
    }
}
