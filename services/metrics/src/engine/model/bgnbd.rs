//! BG/NBD: purchases of a person are a Poisson process whose rate differs between persons (Gamma), and after each
//! purchase the person may be gone for good, with a probability that differs as well (Beta).
#![expect(clippy::float_arithmetic, reason = "a statistical model")]

use super::{ModelError, special::hyp2f1_less_one};

/// The parameters: `r` and `alpha` of the purchase rate, `a` and `b` of the dropout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbd {
    /// Shape of the purchase rate.
    pub r: f64,
    /// Rate of the purchase rate, in units of time.
    pub alpha: f64,
    /// First parameter of the dropout.
    pub a: f64,
    /// Second parameter of the dropout.
    pub b: f64,
}

/// What the model knows of a person, in one unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Customer {
    /// Purchase days after the first.
    pub x: u32,
    /// Age at the last of them; 0 when there is none.
    pub t_x: f64,
    /// Age now (T).
    pub age: f64,
}

impl BgNbd {
    /// A model with given parameters.
    ///
    /// # Errors
    /// [`ModelError::Parameter`] unless all are positive numbers.
    pub fn new(r: f64, alpha: f64, a: f64, b: f64) -> Result<Self, ModelError> {
        let positive = [r, alpha, a, b].iter().all(|p| p.is_finite() && *p > 0.0);
        if positive { Ok(Self { r, alpha, a, b }) } else { Err(ModelError::Parameter) }
    }

    /// The probability that the person still buys.
    #[must_use]
    pub fn p_alive(&self, customer: &Customer) -> f64 {
        1.0 / (1.0 + self.odds_gone(customer))
    }

    /// E[X(t)]: purchases that a person not yet known makes in the first `t` units of time.
    ///
    /// # Errors
    /// [`ModelError::NoValue`].
    pub fn expected_new(&self, t: f64) -> Result<f64, ModelError> {
        self.lasting(0.0, 0.0, t)
    }

    /// E[Y(t)]: purchases that the person makes in the next `t` units of time.
    ///
    /// # Errors
    /// [`ModelError::Impossible`] or [`ModelError::NoValue`].
    pub fn expected(&self, customer: &Customer, t: f64) -> Result<f64, ModelError> {
        customer.check()?;
        let lasting = self.lasting(f64::from(customer.x), customer.age, t)?;
        Ok(lasting / (1.0 + self.odds_gone(customer)))
    }

    /// `(a+b+x−1)/(a−1) · [1 − ((α+T)/(α+T+t))^(r+x) · ₂F₁(r+x, b+x; a+b+x−1; t/(α+T+t))]`
    ///
    /// Computed by Euler's transformation, ₂F₁(A, B; C; z) = (1−z)^(C−A−B) ₂F₁(C−A, C−B; C; z): the powers then join to
    /// `(1−z)^(a−1)`, and nothing grows with x.
    fn lasting(&self, x: f64, age: f64, t: f64) -> Result<f64, ModelError> {
        const NUDGE: f64 = 1e-9;
        let nudged = |v: f64| if v.abs() < NUDGE { NUDGE } else { v };
        if !(t >= 0.0 && t.is_finite()) {
            return Err(ModelError::NoValue);
        }
        let less_one = nudged(self.a - 1.0);
        let c = nudged(less_one + self.b + x);
        let known = self.alpha + age;
        let z = t / (known + t);
        let f_less_one = hyp2f1_less_one(less_one + self.b - self.r, less_one, c, z);
        let f_less_one = f_less_one.ok_or(ModelError::NoValue)?;
        // 1 − (1−z)^(a−1) · f, without the digits that are lost where both factors are nearly 1.
        let log_power = less_one * (known / (known + t)).ln();
        let gone = log_power.exp_m1() + log_power.exp() * f_less_one;
        let value = -gone * c / less_one;
        if value.is_finite() { Ok(value.max(0.0)) } else { Err(ModelError::NoValue) }
    }

    /// The odds that the person is gone: `(a/(b+x−1)) · ((α+T)/(α+t_x))^(r+x)`, 0 without a repeat purchase.
    fn odds_gone(&self, customer: &Customer) -> f64 {
        if customer.x == 0 {
            return 0.0;
        }
        let x = f64::from(customer.x);
        let waited = (self.alpha + customer.age) / (self.alpha + customer.t_x);
        self.a / (self.b + x - 1.0) * waited.powf(self.r + x)
    }
}

impl Customer {
    /// Refuses histories that cannot be.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let in_order = 0.0 <= self.t_x && self.t_x <= self.age && self.age.is_finite();
        let fits = if self.x == 0 { self.t_x == 0.0 } else { self.t_x > 0.0 };
        if in_order && fits { Ok(()) } else { Err(ModelError::Impossible) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> BgNbd {
        BgNbd::new(0.243, 4.414, 0.793, 2.426).unwrap()
    }

    #[test]
    fn the_example_of_the_paper_comes_out() {
        let customer = Customer { x: 2, t_x: 30.43, age: 38.86 };
        let expected = published().expected(&customer, 39.0).unwrap();
        assert!((expected - 1.226_028_174_767_135).abs() < 1e-9, "{expected}");
    }

    #[test]
    fn a_dropout_near_one_is_no_pole() {
        let at = |a| BgNbd { a, ..published() }.expected_new(39.0).unwrap();
        let (below, on, above) = (at(1.0 - 1e-6), at(1.0), at(1.0 + 1e-6));
        assert!((on - below).abs() < 2e-6 && (on - above).abs() < 2e-6, "{below} {on} {above}");
    }

    #[test]
    fn long_histories_and_far_futures_stay_finite_and_grow() {
        let model = published();
        for x in [1, 40, 400, 4000] {
            let customer = Customer { x, t_x: 700.0, age: 730.0 };
            let at = |t| model.expected(&customer, t).unwrap();
            let (zero, year, century) = (at(0.0), at(52.0), at(5200.0));
            assert!(zero.abs() < 1e-9 && 0.0 <= year && year <= century, "{zero} {year} {century}");
        }
        let far: Vec<f64> = [1e2, 1e4, 1e6].map(|t| model.expected_new(t).unwrap()).to_vec();
        assert!(far.is_sorted(), "{far:?}");
    }

    #[test]
    fn impossible_histories_and_parameters_are_refused() {
        let model = published();
        for (x, t_x, age) in [(1, 5.0, 4.0), (0, 1.0, 4.0), (1, 0.0, 4.0), (1, f64::NAN, 4.0)] {
            let expected = model.expected(&Customer { x, t_x, age }, 1.0);
            assert_eq!(expected, Err(ModelError::Impossible), "{x} {t_x} {age}");
        }
        assert_eq!(BgNbd::new(0.2, 0.0, 1.0, 1.0), Err(ModelError::Parameter));
        assert_eq!(BgNbd::new(0.2, 1.0, f64::INFINITY, 1.0), Err(ModelError::Parameter));
        assert_eq!(model.expected_new(-1.0), Err(ModelError::NoValue));
    }
}
