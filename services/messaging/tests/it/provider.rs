//! A channel that remembers whom it reached, and dies at the moment that a test wants.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_messaging::{
    campaign::purpose::Consent,
    channel::{Answer, Batch, Provider},
    message::domain::MessageId,
};
use siyu_proto::messaging::v1::Message;
use tokio::sync::Semaphore;
use tonic::async_trait;

/// What the provider does when it is handed a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It sends and answers.
    Fine,
    /// It waits, then sends and answers.
    Before,
    /// It sends, then waits and answers.
    After,
    /// It sends, and the answer is lost.
    Lost,
    /// It sends, waits, and the answer is lost.
    LostLate,
    /// It sends, and answers to fewer messages.
    Short,
}

#[derive(Debug)]
pub(crate) struct Fake {
    mood: Mutex<Mood>,
    consent: Mutex<Consent>,
    /// How often each message was handed over.
    handed: Mutex<HashMap<MessageId, usize>>,
    gate: Semaphore,
    arrived: Semaphore,
}

impl Fake {
    pub(crate) fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(mood),
            consent: Mutex::new(Consent::NotWithdrawn),
            handed: Mutex::default(),
            gate: Semaphore::new(0),
            arrived: Semaphore::new(0),
        })
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What it wants persons to have decided.
    pub(crate) fn ask_for(&self, consent: Consent) {
        *self.consent.lock().unwrap() = consent;
    }

    /// How often it was handed a message.
    pub(crate) fn handed(&self, message: &Message) -> usize {
        let handed = self.handed.lock().unwrap();
        handed.get(&message.id.parse().unwrap()).copied().unwrap_or_default()
    }

    /// Returns when a batch waits in it.
    pub(crate) async fn held(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    /// Lets one batch that waits go on.
    pub(crate) fn go(&self) {
        self.gate.add_permits(1);
    }

    /// How many messages it sent: each once, for it knows them by their ids.
    pub(crate) fn sent(&self) -> usize {
        self.handed.lock().unwrap().len()
    }

    /// How often it was handed the message that it was handed most often.
    pub(crate) fn most(&self) -> usize {
        self.handed.lock().unwrap().values().copied().max().unwrap_or_default()
    }

    async fn wait(&self) {
        self.arrived.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
    }
}

#[async_trait]
impl Provider for Fake {
    fn consent(&self) -> Consent {
        *self.consent.lock().unwrap()
    }

    async fn submit(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, Fault> {
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Before {
            self.wait().await;
        }
        for recipient in &batch.recipients {
            *self.handed.lock().unwrap().entry(recipient.message_id).or_default() += 1;
        }
        if matches!(mood, Mood::After | Mood::LostLate) {
            self.wait().await;
        }
        let answers = vec![Answer::Accepted; batch.recipients.len()];
        match mood {
            Mood::Lost | Mood::LostLate => {
                Err(Fault::new(Code::Unavailable, "LOST", "as the test wishes"))
            }
            Mood::Short => Ok(answers[1..].to_vec()),
            Mood::Fine | Mood::Before | Mood::After => Ok(answers),
        }
    }

    async fn lookup(
        &self,
        _: Id<Merchant>,
        ids: &[MessageId],
    ) -> Result<Vec<Option<Answer>>, Fault> {
        let handed = self.handed.lock().unwrap();
        Ok(ids.iter().map(|id| handed.get(id).map(|_| Answer::Accepted)).collect())
    }
}
