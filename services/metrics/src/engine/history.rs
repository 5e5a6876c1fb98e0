//! Purchase histories per person: what the purchase models and lifetime values stand on (reference §1.27).

use siyu_kernel::LocalDay;

use super::{Cube, Person, Window, table::Table};

/// The purchases of one person up to a day, same-day orders merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Who.
    pub person: Person,
    /// Purchase days after the first (x).
    pub repeats: u32,
    /// Days from the first purchase day to the last (`t_x`).
    pub recency_days: i32,
    /// Days from the first purchase day to the day of the figures (T).
    pub age_days: i32,
    /// What the first purchase day brought, in minor units.
    pub first_minor: i64,
    /// What the repeat purchase days brought together, in minor units (x · z̄).
    pub repeat_minor: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    first: i32,
    last: i32,
    days: u32,
    first_minor: i64,
    repeat_minor: i64,
}

impl Cube {
    /// The history of everyone who had bought by the end of `as_of`, by person. Costs the orders.
    #[must_use]
    pub fn histories(&self, as_of: LocalDay) -> Vec<History> {
        let buyers = self.buyers_until(as_of);
        let mut table = Table::<Trace>::reaching(&buyers);
        let until = |span: Window| Window::new(span.start(), as_of.plus(1).min(span.end())).ok();
        let Some(window) = self.span().and_then(until) else { return Vec::new() };
        self.each_spend(window, |at, spend| {
            let trace = &mut table[spend.person];
            if trace.days == 0 {
                trace.first = at.0;
                trace.first_minor = spend.amount_minor;
            } else {
                trace.repeat_minor += spend.amount_minor;
            }
            trace.last = at.0;
            trace.days += 1;
        });
        let history = |person| {
            let trace = table[person];
            History {
                person,
                repeats: trace.days - 1,
                recency_days: trace.last - trace.first,
                age_days: as_of.0 - trace.first,
                first_minor: trace.first_minor,
                repeat_minor: trace.repeat_minor,
            }
        };
        buyers.iter().map(history).collect()
    }
}
