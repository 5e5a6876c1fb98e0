//! Time and ids that are the same in each run.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Clock, Id, Ids, kind::Merchant};
use uuid::Uuid;

/// A clock that stands still until it is told to move. Clones show the same time.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl FixedClock {
    /// A clock that shows an instant like `2024-06-01T00:00:00Z`.
    #[must_use]
    pub fn at(instant: &str) -> Self {
        Self::new(instant.parse().unwrap_or_else(|err| panic!("{instant:?} is no instant: {err}")))
    }

    /// A clock that shows an instant.
    #[must_use]
    pub fn new(instant: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(instant)))
    }

    /// Moves to an instant, which may lie in the past: clocks of machines jump.
    pub fn set(&self, instant: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = instant;
    }

    /// Moves on, and gives the instant that it shows then.
    pub fn advance(&self, by: TimeDelta) -> DateTime<Utc> {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
        *now
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids that follow from a seed. Each sorts after those drawn before, like the real ones. Clones share the sequence.
#[derive(Debug, Clone)]
pub struct SeededIds(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: u64,
    drawn: u64,
}

impl SeededIds {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State { random: seed, drawn: 0 })))
    }
}

impl Ids for SeededIds {
    fn uuid(&self) -> Uuid {
        // 2024-01-01T00:00:00Z, and a millisecond for each id.
        const START_MILLIS: u64 = 1_704_067_200_000;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = START_MILLIS + state.drawn;
        state.drawn += 1;
        let random = u128::from(split_mix(&mut state.random)) << 64
            | u128::from(split_mix(&mut state.random));
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&random.to_be_bytes()[..10]);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): good enough for ids that must only differ.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The `n`-th merchant of a test, from 1: the nil id stands for the platform.
#[must_use]
pub fn merchant(n: u32) -> Id<Merchant> {
    assert!(n > 0, "the nil id stands for the platform");
    id(n)
}

/// The `n`-th thing of a kind in a test.
#[must_use]
pub fn id<K>(n: u32) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(u128::from(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_each_id_sorts_after_the_last() {
        let draw = |seed| {
            let ids = SeededIds::new(seed);
            (0..2000).map(|_| ids.uuid()).collect::<Vec<_>>()
        };
        let first = draw(1);
        assert_eq!(first, draw(1));
        assert!(first.is_sorted() && first.iter().all(|id| id.get_version_num() == 7));
        assert!(draw(2).iter().all(|id| !first.contains(id)));
    }

    #[test]
    fn a_clock_moves_only_when_told_and_its_clones_with_it() {
        let clock = FixedClock::at("2024-06-01T00:00:00Z");
        let other = clock.clone();
        assert_eq!(clock.now(), clock.now());
        let later = clock.advance(TimeDelta::hours(1));
        assert_eq!(other.now(), later);
        assert_eq!(later.to_rfc3339(), "2024-06-01T01:00:00+00:00");
    }
}
