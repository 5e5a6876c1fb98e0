//! RFM: recency, frequency, money per person; scores and the eight named segments (reference §1.25).

mod score;
mod segment;

use siyu_kernel::LocalDay;

use self::segment::Means;
pub use self::{
    score::{Better, scores},
    segment::Segment,
};
use super::{Cube, Person, Window, WindowError, table::Table};

/// How far back frequency and money look. Recency always looks back to the last purchase ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// So many days, of which the day of the figures is the last (365 by default).
    Days(i32),
    /// Everything.
    Whole,
}

/// One person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RfmRow {
    /// Who.
    pub person: Person,
    /// Whole days since the last purchase day (R).
    pub recency_days: u32,
    /// Distinct purchase days looked at (F).
    pub frequency_days: u32,
    /// Net spend looked at (M), in minor units.
    pub monetary_minor: i64,
    /// The scores of R, F and M, 1 to 5, 5 the best.
    pub scores: [u8; 3],
    /// The segment.
    pub segment: Segment,
}

/// Everyone who had bought by a day, scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rfm {
    /// The day at whose end it is counted.
    pub as_of: LocalDay,
    /// By person.
    pub rows: Vec<RfmRow>,
    /// Persons per segment, in the order of [`Segment::EVERY`].
    pub segments: [u64; 8],
    /// What R, F and M sum to over all persons: over `rows.len()` these are the means that segments compare with.
    pub sums: [i64; 3],
}

impl Rfm {
    /// The row of one person.
    #[must_use]
    pub fn find(&self, person: Person) -> Option<&RfmRow> {
        let place = self.rows.binary_search_by_key(&person, |row| row.person).ok()?;
        self.rows.get(place)
    }

    /// How many persons are in a segment.
    #[must_use]
    pub fn count(&self, segment: Segment) -> u64 {
        self.segments[segment.place()]
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    last: i32,
    days: u32,
    minor: i64,
}

impl Cube {
    /// RFM of everyone who had bought by the end of `as_of`. Costs the orders looked at.
    ///
    /// # Errors
    /// [`WindowError`] when `look` is no window.
    pub fn rfm(&self, as_of: LocalDay, look: Look) -> Result<Rfm, WindowError> {
        let looked_at = match (look, self.span()) {
            (Look::Days(days), _) => Window::ending(as_of, days)?,
            (Look::Whole, Some(span)) if span.start() <= as_of => {
                Window::new(span.start(), as_of.plus(1))?
            }
            (Look::Whole, _) => Window::ending(as_of, 1)?,
        };
        let buyers = self.buyers_until(as_of);
        let mut table = Table::<Trace>::reaching(&buyers);
        let before = self.span().and_then(|s| Window::new(s.start(), looked_at.start()).ok());
        for (at, slice) in before.into_iter().flat_map(|before| self.days(before)) {
            slice.buyers.iter().for_each(|person| table[person].last = at.0);
        }
        self.each_spend(looked_at, |at, spend| {
            let trace = &mut table[spend.person];
            *trace =
                Trace { last: at.0, days: trace.days + 1, minor: trace.minor + spend.amount_minor };
        });
        let rows = buyers.iter().map(|person| {
            let trace = table[person];
            RfmRow {
                person,
                recency_days: as_of.0.abs_diff(trace.last),
                frequency_days: trace.days,
                monetary_minor: trace.minor,
                scores: [0; 3],
                segment: Segment::EVERY[0],
            }
        });
        Ok(Rfm::of(as_of, rows.collect()))
    }
}

impl Rfm {
    fn of(as_of: LocalDay, mut rows: Vec<RfmRow>) -> Self {
        score::fill(&mut rows);
        let means = Means::of(&rows);
        let mut segments = [0; 8];
        for row in &mut rows {
            row.segment = means.segment(row);
            segments[row.segment.place()] += 1;
        }
        Self { as_of, rows, segments, sums: means.sums() }
    }
}
