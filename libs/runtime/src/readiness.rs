//! Whether this process may be given work: every component says so itself, and draining ends it for good.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// The readiness of the process, shared by everything that has a say and everything that reports it.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    inner: Arc<Inner>,
}

/// One part of the process that must be ready, for example "order.database". It is not ready until it says so.
#[derive(Debug, Clone)]
pub struct Component {
    name: Arc<str>,
    readiness: Readiness,
}

/// Why a process may not be given work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// The component, or "process" while it drains.
    pub component: String,
    /// What it waits for, for an operator.
    pub reason: String,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<BTreeMap<Arc<str>, Option<String>>>,
    draining: std::sync::atomic::AtomicBool,
    version: watch::Sender<u64>,
}

impl Readiness {
    /// A process without components is ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a component, or returns another handle of it. A new one is not ready: "starting".
    pub fn component(&self, name: &str) -> Component {
        let name: Arc<str> = name.into();
        self.change(|waiting| {
            waiting.entry(name.clone()).or_insert_with(|| Some("starting".to_owned()));
        });
        Component { name, readiness: self.clone() }
    }

    /// Turns the process away from new work for good: the first step of a stop.
    pub fn drain(&self) {
        self.inner.draining.store(true, std::sync::atomic::Ordering::SeqCst);
        self.change(|_| ());
    }

    /// Whether the process drains.
    pub fn is_draining(&self) -> bool {
        self.inner.draining.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Returns once the process drains: what waits for something else then has no more time.
    pub async fn drained(&self) {
        let mut changes = self.changes();
        while !self.is_draining() {
            changes.changed().await.expect("the sender lives as long as self");
        }
    }

    /// Nothing when work is welcome, otherwise every reason why not, by component.
    pub fn check(&self) -> Result<(), Vec<NotReady>> {
        if self.is_draining() {
            let reason = "draining".to_owned();
            return Err(vec![NotReady { component: "process".to_owned(), reason }]);
        }
        let waiting = self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons: Vec<NotReady> = waiting
            .iter()
            .filter_map(|(name, reason)| {
                let reason = reason.clone()?;
                Some(NotReady { component: name.to_string(), reason })
            })
            .collect();
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }

    /// Counts the changes, for those who tell others about them.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }

    /// Returns once work is welcome.
    pub async fn ready(&self) {
        let mut changes = self.changes();
        while self.check().is_err() {
            changes.changed().await.expect("the sender lives as long as self");
        }
    }

    fn change(&self, edit: impl FnOnce(&mut BTreeMap<Arc<str>, Option<String>>)) {
        edit(&mut self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.inner.version.send_modify(|version| *version = version.wrapping_add(1));
    }
}

impl Component {
    /// Says that the component can work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// Says that it cannot, and why.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    fn set(&self, reason: Option<String>) {
        self.readiness.change(|waiting| {
            waiting.insert(self.name.clone(), reason);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_must_be_ready_and_the_ones_that_are_not_say_why() {
        let readiness = Readiness::new();
        assert_eq!(readiness.check(), Ok(()));
        let database = readiness.component("order.database");
        let peers = readiness.component("order.peers");
        assert_eq!(readiness.check().unwrap_err().len(), 2);
        database.ready();
        peers.not_ready("member is unknown");
        let reasons = readiness.check().unwrap_err();
        assert_eq!(reasons[0].component, "order.peers");
        assert_eq!(reasons[0].reason, "member is unknown");
        peers.ready();
        assert_eq!(readiness.check(), Ok(()));
    }

    #[tokio::test]
    async fn a_change_wakes_those_who_wait_and_draining_is_final() {
        let readiness = Readiness::new();
        let database = readiness.component("order.database");
        let waits = readiness.clone();
        let (ready, ()) = tokio::join!(async { waits.ready().await }, async { database.ready() });
        assert_eq!(ready, ());
        let mut changes = readiness.changes();
        let drains = readiness.clone();
        let ((), ()) = tokio::join!(async { drains.drained().await }, async { readiness.drain() });
        readiness.drained().await;
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        database.ready();
        assert_eq!(readiness.check().unwrap_err()[0].reason, "draining");
    }
}
