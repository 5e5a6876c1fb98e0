//! Log lines of an outage: one place in the code says the same thing for each attempt, of each service. The first few are
//! written, the others counted, and the count is told when the place speaks again.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Level, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// So many lines of one place are written …
const BURST: u32 = 2;
/// … within so long. An outage is told again every half minute.
const SPELL: Duration = Duration::from_secs(30);

/// A format of which warnings and errors come in small numbers.
pub(super) struct Calm<F> {
    inner: F,
    left_out: fn(u64) -> String,
    places: Mutex<HashMap<Identifier, Place>>,
}

/// A place in the code that warns.
#[derive(Debug)]
struct Place {
    since: Instant,
    written: u32,
    left_out: u64,
}

/// What to do with a line.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Write it, after the count of those that were left out before it.
    Write(u64),
    /// Leave it out.
    LeaveOut,
}

impl<F> Calm<F> {
    pub(super) fn new(inner: F, left_out: fn(u64) -> String) -> Self {
        Self { inner, left_out, places: Mutex::default() }
    }

    fn judge(&self, place: Identifier, now: Instant) -> Verdict {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(place).or_insert(Place { since: now, written: 0, left_out: 0 });
        place.judge(now)
    }
}

impl Place {
    fn judge(&mut self, now: Instant) -> Verdict {
        if now.duration_since(self.since) >= SPELL {
            let left_out = self.left_out;
            *self = Self { since: now, written: 1, left_out: 0 };
            return Verdict::Write(left_out);
        }
        if self.written < BURST {
            self.written += 1;
            return Verdict::Write(0);
        }
        self.left_out += 1;
        Verdict::LeaveOut
    }
}

/// The count for people.
pub(super) fn in_words(count: u64) -> String {
    format!("… and {count} more lines like the next one, left out")
}

/// The count for machines.
pub(super) fn in_json(count: u64) -> String {
    format!(
        "{{\"level\":\"WARN\",\"message\":\"lines like the next one were left out\",\"count\":{count}}}"
    )
}

impl<S, N, F> FormatEvent<S, N> for Calm<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN {
            return self.inner.format_event(ctx, writer, event);
        }
        match self.judge(metadata.callsite(), Instant::now()) {
            Verdict::LeaveOut => return Ok(()),
            Verdict::Write(0) => {}
            Verdict::Write(count) => writeln!(writer, "{}", (self.left_out)(count))?,
        }
        self.inner.format_event(ctx, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_of_a_spell_are_written_and_the_others_counted() {
        let start = Instant::now();
        let mut place = Place { since: start, written: 0, left_out: 0 };
        let verdicts: Vec<Verdict> = (0..5).map(|_| place.judge(start)).collect();
        assert_eq!(verdicts.iter().filter(|&v| *v == Verdict::Write(0)).count(), 2);
        assert_eq!(place.judge(start + SPELL), Verdict::Write(3));
        assert_eq!(place.judge(start + SPELL * 2), Verdict::Write(0));
    }

    #[test]
    fn a_count_for_machines_is_an_object() {
        let object: serde_json::Value = serde_json::from_str(&in_json(7)).unwrap();
        assert_eq!(object["count"], 7);
    }
}
