//! Credentials that were looked up a moment ago.
//!
//! Invariant: once [`Cache::forget`] has returned, no look-up that began before it puts its finding in: each revocation begins an
//! epoch, and a finding counts only in the epoch in which its look-up began.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use http::HeaderValue;

use crate::{limits, token::Digest};

/// A credential that opened the door.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// When it was looked up.
    pub since: DateTime<Utc>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// What the services are told; minted at `since`.
    pub assertion: HeaderValue,
}

#[derive(Debug)]
pub(super) struct Cache {
    bound: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Digest, Known>,
    epoch: u64,
}

impl Known {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back makes everything look up anew.
        let age = now - self.since;
        age >= chrono::TimeDelta::zero()
            && age < limits::TOKEN_REMEMBERED
            && self.until.is_none_or(|end| now < end)
    }
}

impl Cache {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, state: Mutex::default() }
    }

    pub(super) fn get(&self, digest: &Digest, now: DateTime<Utc>) -> Option<HeaderValue> {
        let state = self.state();
        state.known.get(digest).filter(|known| known.is_fresh(now)).map(|k| k.assertion.clone())
    }

    /// Ask before the look-up, and hand it in with the finding.
    pub(super) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    pub(super) fn put(&self, epoch: u64, digest: Digest, known: Known) {
        let mut state = self.state();
        if state.epoch != epoch {
            return;
        }
        if state.known.len() >= self.bound && !state.known.contains_key(&digest) {
            let now = known.since;
            state.known.retain(|_, known| known.is_fresh(now));
            if state.known.len() >= self.bound {
                state.known.clear();
            }
        }
        state.known.insert(digest, known);
    }

    pub(super) fn forget(&self, digest: &Digest) {
        let mut state = self.state();
        state.known.remove(digest);
        state.epoch += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::token::Secret;

    fn digest(n: u8) -> Digest {
        Secret::new([n; 32]).digest()
    }

    fn known(since: DateTime<Utc>) -> Known {
        Known { since, until: None, assertion: HeaderValue::from_static("Bearer x") }
    }

    #[test]
    fn what_is_known_is_believed_for_a_moment_only() {
        let (cache, now) = (Cache::new(10), DateTime::UNIX_EPOCH);
        cache.put(cache.epoch(), digest(1), known(now));
        assert!(cache.get(&digest(1), now + TimeDelta::milliseconds(4999)).is_some());
        assert!(cache.get(&digest(1), now + limits::TOKEN_REMEMBERED).is_none());
        assert!(cache.get(&digest(1), now - TimeDelta::seconds(1)).is_none(), "a clock set back");
        let ends = Known { until: Some(now + TimeDelta::seconds(1)), ..known(now) };
        cache.put(cache.epoch(), digest(2), ends);
        assert!(cache.get(&digest(2), now).is_some());
        assert!(cache.get(&digest(2), now + TimeDelta::seconds(1)).is_none());
    }

    #[test]
    fn a_look_up_that_a_revocation_overtook_is_not_remembered() {
        let (cache, now) = (Cache::new(10), DateTime::UNIX_EPOCH);
        let before = cache.epoch();
        cache.forget(&digest(1));
        cache.put(before, digest(1), known(now));
        assert!(cache.get(&digest(1), now).is_none());
        cache.put(cache.epoch(), digest(1), known(now));
        assert!(cache.get(&digest(1), now).is_some());
        cache.forget(&digest(1));
        assert!(cache.get(&digest(1), now).is_none());
    }

    #[test]
    fn it_holds_no_more_than_its_bound() {
        let (cache, now) = (Cache::new(3), DateTime::UNIX_EPOCH);
        for n in 0..100 {
            cache.put(cache.epoch(), digest(n), known(now));
            assert!(cache.get(&digest(n), now).is_some());
            assert!(cache.state().known.len() <= 3);
        }
    }
}
