//! What the triangle is compared with: frozen, or every later look would move the ground it stands on (reference §1.1).

use prost::Message;
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, LocalDay};
use siyu_proto::metrics::v1::Pillars as Wire;

use super::store::{self, Row};
use crate::{App, engine::Window, look::DEFINITION_VERSION};

/// So much lies between a baseline and the look, where there are orders enough.
const YEAR_DAYS: i32 = 365;
/// The windows of a baseline are full after so many days of orders: the value of a customer looks at two years.
const FULL_DAYS: i32 = 2 * YEAR_DAYS;
/// How often a baseline is written when another is set at the same moment.
const ATTEMPTS_MAX: usize = 3;

/// A baseline, frozen or of this look alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Counts the baselines of the merchant; 0 of this look alone.
    pub version: i32,
    /// The last local day that it looks at.
    pub day: LocalDay,
    /// The pillars.
    pub pillars: Wire,
}

/// The day of a baseline for a look at a day: a year before, or the end of the first two years of orders where that is later
/// and before the look.
pub fn day_for(span: Option<Window>, as_of: LocalDay) -> LocalDay {
    let year_ago = as_of.plus(-YEAR_DAYS);
    let first_full = span.map(|span| span.start().plus(FULL_DAYS - 1)).filter(|day| *day < as_of);
    first_full.map_or(year_ago, |first_full| first_full.max(year_ago))
}

impl Baseline {
    /// A row as a baseline.
    pub fn of(row: &Row) -> Result<Self, Fault> {
        let pillars = Wire::decode(row.pillars.as_slice()).map_err(Fault::internal)?;
        Ok(Self { version: row.version, day: LocalDay(row.day), pillars })
    }

    /// The values of the pillars.
    pub const fn values(&self) -> [Option<f64>; 3] {
        let Wire { property_power, customer_value_minor, referral_rate, .. } = self.pillars;
        [property_power, customer_value_minor, referral_rate]
    }

    /// Every pillar has a value above 0: the triangle can be compared with it.
    pub fn is_complete(&self) -> bool {
        self.values().into_iter().all(|value| value.is_some_and(|value| value > 0.0))
    }

    /// Refuses a baseline that nothing can be compared with.
    pub fn checked(self) -> Result<Self, Fault> {
        if self.is_complete() {
            return Ok(self);
        }
        let message = format!("a pillar of the triangle has no value above 0 at {}", self.day);
        Err(Fault::new(Code::FailedPrecondition, "BASELINE_INCOMPLETE", message))
    }
}

/// Freezes the first baseline; the one that counts from now on.
pub async fn freeze_first(app: &App, ctx: &Ctx, first: Baseline) -> Result<Baseline, Fault> {
    let row = Row { version: 1, ..row_of(&first) };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::insert(&mut tx, &row, DEFINITION_VERSION, ctx.now).await?;
    let counts = store::latest(&mut tx).await?.unwrap_or(row);
    tx.commit().await?;
    Baseline::of(&counts)
}

/// Freezes a baseline in place of the one before; the same again is no other one.
pub async fn replace(app: &App, ctx: &Ctx, next: Baseline) -> Result<Baseline, Fault> {
    for _ in 0..ATTEMPTS_MAX {
        let mut tx = app.db.tenant(ctx.merchant()?).await?;
        let before = store::latest(&mut tx).await?;
        let row =
            Row { version: before.as_ref().map_or(1, |row| row.version + 1), ..row_of(&next) };
        if let Some(before) =
            before.filter(|before| (before.day, &before.pillars) == (row.day, &row.pillars))
        {
            return Baseline::of(&before);
        }
        if store::insert(&mut tx, &row, DEFINITION_VERSION, ctx.now).await? == 1 {
            tx.commit().await?;
            return Baseline::of(&row);
        }
    }
    let message = "other baselines are set at this moment";
    Err(Fault::new(Code::Aborted, "BASELINE_CONTENDED", message))
}

fn row_of(baseline: &Baseline) -> Row {
    let Baseline { version, day, pillars } = baseline;
    Row { version: *version, day: day.0, pillars: pillars.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i32) -> LocalDay {
        LocalDay(19_723).plus(n)
    }

    #[test]
    fn a_baseline_lies_a_year_back_but_not_before_two_years_of_orders() {
        let span = |last: i32| Some(Window::new(day(0), day(last + 1)).unwrap());
        for (last, as_of, expected) in [
            // Three years of orders and more: a year before.
            (1500, 1500, 1135),
            (1095, 1095, 730),
            // Between two and three: the end of the first two.
            (1094, 1094, 729),
            (900, 900, 729),
            (1500, 900, 729),
            // Less than two: nothing is complete.
            (729, 729, 364),
            (200, 200, -165),
        ] {
            assert_eq!(day_for(span(last), day(as_of)), day(expected), "{last} {as_of}");
        }
        assert_eq!(day_for(None, day(0)), day(-365));
    }
}
