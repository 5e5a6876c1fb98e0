//! The real clock, real ids, real randomness and real waits: the only place that asks the system for them.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use rand::Rng;
use siyu_kernel::{Clock, Ids};
use uuid::Uuid;

/// The system's clock, cut to the microseconds that PostgreSQL keeps, so that an instant read back equals the one written.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Fresh UUIDv7: sortable by time, and ascending within the process even inside one millisecond.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

const MICROSECOND_DIGITS: u16 = 6;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(MICROSECOND_DIGITS)
    }
}

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the real source of ids")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Waits. Drop the future to wait no longer: `select!` it with a cancellation.
#[expect(clippy::disallowed_methods, reason = "this is the one wait that others call")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A wait between half of `time` and `time`, so that clients that failed together do not come back together.
#[expect(clippy::disallowed_methods, reason = "the runtime owns the generator")]
pub fn jitter(time: Duration) -> Duration {
    let half = time / 2;
    half + rand::rng().random_range(Duration::ZERO..=half)
}

/// Bytes that nobody can guess, for tokens and keys.
#[expect(clippy::disallowed_methods, reason = "the runtime owns the generator")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill(&mut bytes[..]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_between_half_and_all_of_the_time() {
        let time = Duration::from_millis(100);
        for _ in 0..1000 {
            let drawn = jitter(time);
            assert!(drawn >= time / 2 && drawn <= time, "{drawn:?}");
        }
        assert_eq!(jitter(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn ids_ascend_and_instants_have_whole_microseconds() {
        let drawn: Vec<Uuid> = (0..1000).map(|_| SystemIds.uuid()).collect();
        assert!(drawn.is_sorted_by(|a, b| a < b));
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random_bytes::<32>(), random_bytes::<32>());
    }
}
