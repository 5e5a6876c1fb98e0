//! A transport at its worst: events double, late, out of order and with gaps.

use std::time::Duration;

use siyu_events::{Cursor, Event, Run, Source, SourceError};

/// Disturbs what another source brings, in a way that follows from a seed.
pub(crate) struct Unruly {
    inner: Box<dyn Source>,
    seed: u64,
    seen: Vec<Event>,
}

impl Unruly {
    pub(crate) fn new(inner: Box<dyn Source>, seed: u64) -> Self {
        Self { inner, seed, seen: Vec::new() }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.seed >> 33).unwrap() % below.max(1)
    }
}

#[tonic::async_trait]
impl Source for Unruly {
    async fn fetch(
        &mut self,
        cursor: &Cursor,
        max_events: usize,
        wait: Duration,
    ) -> Result<Run, SourceError> {
        let fresh = self.inner.fetch(cursor, max_events, wait).await?;
        if self.draw(5) == 0 {
            return Err(SourceError::unavailable("the line is cut"));
        }
        let mut events = fresh.events;
        self.seen.extend(events.iter().cloned());
        for _ in 0..self.draw(40) {
            let again = self.draw(self.seen.len());
            events.extend(self.seen.get(again).cloned());
        }
        for place in (1..events.len()).rev() {
            let other = self.draw(place + 1);
            events.swap(place, other);
        }
        for _ in 0..self.draw(4).min(events.len()) {
            let gap = self.draw(events.len());
            events.remove(gap);
        }
        Ok(Run { events, head: fresh.head })
    }

    async fn reread(&mut self, after: i64, max_events: usize) -> Result<Run, SourceError> {
        self.inner.reread(after, max_events).await
    }
}
