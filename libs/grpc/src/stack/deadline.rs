//! How long a call may take, and what it answers when it takes longer.

use std::time::Duration;

use http::HeaderMap;
use siyu_kernel::Fault;
use tokio::time::Instant;

use super::Target;
use crate::{limits, settings::Settings, timeout};

#[derive(Debug)]
pub(super) struct Deadlines {
    default: Duration,
    max: Duration,
}

impl Deadlines {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            default: Duration::from_secs(settings.timeout_default_secs),
            max: Duration::from_secs(settings.timeout_max_secs),
        }
    }

    /// When a call that arrives now must be answered. A stream lasts as long as its caller wants: keep-alive ends those whose
    /// caller is gone.
    pub(super) fn of(
        &self,
        target: Target<'_>,
        headers: &HeaderMap,
        arrived: Instant,
    ) -> Option<Instant> {
        let asked = headers.get(timeout::HEADER).and_then(timeout::read);
        // The caller's own clock started earlier and stops it hard; an answer must be on its way by then.
        let asked = asked.map(|time| {
            let (least, most) = limits::ANSWER_TIME;
            time.saturating_sub((time / 10).clamp(least, most))
        });
        let time = match (asked, target.is_stream()) {
            (Some(asked), true) => asked,
            (None, true) => return None,
            (asked, false) => asked.unwrap_or(self.default).min(self.max),
        };
        arrived.checked_add(time)
    }
}

/// The outcome of `work` if it comes in time. What is late is dropped where it waits: its transaction rolls back.
pub(super) async fn kept<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let Some(deadline) = deadline else { return work.await };
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| Err(timeout::exceeded()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_timeout_is_honoured_up_to_the_longest_allowed() {
        let deadlines = Deadlines::new(&Settings::default());
        let arrived = Instant::now();
        let time = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            deadlines.of(Target::Unknown, &headers, arrived).unwrap() - arrived
        };
        assert_eq!(time("100m"), Duration::from_millis(90), "a tenth is kept back");
        assert_eq!(time("10S"), Duration::from_millis(9950), "but at most 50 ms");
        assert_eq!(time("9H"), deadlines.max);
        assert_eq!(time("nonsense"), deadlines.default);
    }
}
