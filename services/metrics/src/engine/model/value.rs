//! From histories to the models, and from both models to the expected value of a person.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "statistical estimates; amounts of one person are far below 2^52 minor units"
)]

use std::collections::BTreeMap;

use super::{BgNbd, Customer, GammaGamma, ModelError, Spender};
use crate::engine::History;

/// The unit of time of a model, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit(u16);

/// How far value is looked for ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Horizon {
    /// How many periods.
    pub periods: u16,
    /// How long each is, in the model's unit of time.
    pub period: f64,
    /// What money loses per period: 0.01 for one percent.
    pub discount: f64,
}

impl Unit {
    /// One day.
    pub const DAY: Self = Self(1);
    /// Seven days, as in the literature.
    pub const WEEK: Self = Self(7);

    /// So many days; `None` for zero.
    #[must_use]
    pub const fn days(days: u16) -> Option<Self> {
        if days == 0 { None } else { Some(Self(days)) }
    }

    fn of(self, days: i32) -> f64 {
        f64::from(days) / f64::from(self.0)
    }
}

impl History {
    /// What BG/NBD knows of the person.
    #[must_use]
    pub fn customer(&self, unit: Unit) -> Customer {
        let (t_x, age) = (unit.of(self.recency_days), unit.of(self.age_days));
        Customer { x: self.repeats, t_x, age }
    }

    /// What Gamma-Gamma knows of the person, in major units.
    #[must_use]
    pub fn spender(&self, minor_per_major: i64) -> Spender {
        let total = self.repeat_minor as f64 / minor_per_major as f64;
        Spender { x: self.repeats, total }
    }
}

impl BgNbd {
    /// The purchases expected of the person within `horizon`, each discounted by its period:
    /// `Σ_k (E[Y(k)] − E[Y(k−1)]) / (1+d)^k`.
    ///
    /// # Errors
    /// [`ModelError::Impossible`], or [`ModelError::NoValue`] also for a discount that is not above −1.
    pub fn discounted(&self, customer: &Customer, horizon: &Horizon) -> Result<f64, ModelError> {
        let growth = 1.0 + horizon.discount;
        if !(growth > 0.0 && horizon.period > 0.0) {
            return Err(ModelError::NoValue);
        }
        let (mut sum, mut before, mut factor) = (0.0, 0.0, 1.0);
        for k in 1..=horizon.periods {
            let until = self.expected(customer, f64::from(k) * horizon.period)?;
            factor /= growth;
            sum += (until - before) * factor;
            before = until;
        }
        Ok(sum)
    }

    /// The value expected of each person within `horizon`, in major units and in the order of `histories`: discounted
    /// purchases times expected spend. Equal purchase histories are computed once.
    ///
    /// # Errors
    /// As [`BgNbd::discounted`] and [`GammaGamma::expected_spend`].
    pub fn values(
        &self,
        spend: &GammaGamma,
        histories: &[History],
        (unit, minor_per_major): (Unit, i64),
        horizon: &Horizon,
    ) -> Result<Vec<f64>, ModelError> {
        let mut known = BTreeMap::new();
        let value = |history: &History| {
            let key = (history.repeats, history.recency_days, history.age_days);
            let purchases = if let Some(&purchases) = known.get(&key) {
                purchases
            } else {
                let purchases = self.discounted(&history.customer(unit), horizon)?;
                known.insert(key, purchases);
                purchases
            };
            Ok(purchases * spend.expected_spend(&history.spender(minor_per_major))?)
        };
        histories.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(repeats: u32, recency_days: i32, repeat_minor: i64) -> History {
        let (person, age_days, first_minor) = (0, 272, 1_000);
        History { person, repeats, recency_days, age_days, first_minor, repeat_minor }
    }

    #[test]
    fn value_is_discounted_purchases_times_spend() {
        let model = BgNbd::new(0.243, 4.414, 0.793, 2.426).unwrap();
        let spend = GammaGamma::new(6.25, 3.74, 15.44).unwrap();
        let histories = [history(2, 213, 4_470), history(0, 0, 0), history(2, 213, 9_000)];
        let at = |discount| Horizon { periods: 3, period: 13.0, discount };
        let scale = (Unit::WEEK, 100);
        let values = model.values(&spend, &histories, scale, &at(0.0)).unwrap();
        for (value, history) in values.iter().zip(&histories) {
            let purchases = model.expected(&history.customer(Unit::WEEK), 39.0).unwrap();
            let expected = purchases * spend.expected_spend(&history.spender(100)).unwrap();
            assert!((value - expected).abs() < 1e-9 * expected, "{value} {expected}");
        }
        let customer = histories[0].customer(Unit::WEEK);
        let until = |t| model.expected(&customer, t).unwrap();
        let by_hand = until(13.0) / 1.1
            + (until(26.0) - until(13.0)) / 1.21
            + (until(39.0) - until(26.0)) / 1.331;
        let discounted = model.discounted(&customer, &at(0.1)).unwrap();
        assert!((discounted - by_hand).abs() < 1e-12, "{discounted} {by_hand}");
        assert_eq!(model.discounted(&customer, &at(-1.0)), Err(ModelError::NoValue));
    }
}
