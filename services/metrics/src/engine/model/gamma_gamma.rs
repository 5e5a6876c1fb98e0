//! Gamma-Gamma: what a purchase day brings varies around the person's own mean (Gamma), and that mean differs between
//! persons (Gamma of its rate). Assumes that spend does not depend on frequency; the fit reports their correlation.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a statistical model; counts of persons are far below 2^52"
)]

use super::{
    MIN_REPEATERS, ModelError,
    newton::minimise,
    special::{digamma, ln_gamma},
};

/// The parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    /// Shape of the spend of one purchase day.
    pub p: f64,
    /// Shape of its rate over persons.
    pub q: f64,
    /// Scale of that, in money.
    pub gamma: f64,
}

/// What the model knows of a person: repeat purchase days only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spender {
    /// Repeat purchase days.
    pub x: u32,
    /// What they brought together (x · z̄).
    pub total: f64,
}

/// A fitted Gamma-Gamma.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGammaFit {
    /// The parameters of the greatest likelihood.
    pub model: GammaGamma,
    /// The logarithm of that likelihood.
    pub log_likelihood: f64,
    /// Persons it was fitted to: with a repeat purchase and a positive total.
    pub persons: usize,
    /// Pearson's correlation of x and z̄, which the model assumes to be none; `None` when one of them does not vary.
    pub correlation: Option<f64>,
}

impl Spender {
    const fn counts(&self) -> bool {
        self.x > 0 && self.total > 0.0 && self.total.is_finite()
    }

    fn mean(&self) -> f64 {
        self.total / f64::from(self.x)
    }
}

impl GammaGamma {
    /// A model with given parameters.
    ///
    /// # Errors
    /// [`ModelError::Parameter`] unless all are positive numbers.
    pub fn new(p: f64, q: f64, gamma: f64) -> Result<Self, ModelError> {
        let positive = [p, q, gamma].iter().all(|v| v.is_finite() && *v > 0.0);
        if positive { Ok(Self { p, q, gamma }) } else { Err(ModelError::Parameter) }
    }

    /// E[M | x, z̄]: the expected spend of a purchase day of the person; the mean of all persons without a repeat.
    ///
    /// # Errors
    /// [`ModelError::NoValue`] when it does not exist: q not above 1 and nothing known.
    pub fn expected_spend(&self, spender: &Spender) -> Result<f64, ModelError> {
        let (x, total) = if spender.counts() { (spender.x, spender.total) } else { (0, 0.0) };
        let weight = self.p * f64::from(x) + self.q - 1.0;
        if weight <= 0.0 {
            return Err(ModelError::NoValue);
        }
        Ok(self.p * (self.gamma + total) / weight)
    }

    /// The mean over all persons, `pγ/(q−1)`.
    ///
    /// # Errors
    /// [`ModelError::NoValue`] when q is not above 1.
    pub fn population_mean(&self) -> Result<f64, ModelError> {
        self.expected_spend(&Spender { x: 0, total: 0.0 })
    }

    /// The logarithm of the likelihood of those `spenders` who have a repeat purchase and a positive total.
    #[must_use]
    pub fn log_likelihood(&self, spenders: &[Spender]) -> f64 {
        Sample::of(spenders).log_likelihood(self).0
    }

    /// The parameters under which `spenders` are most likely.
    ///
    /// # Errors
    /// [`ModelError::TooFew`] or [`ModelError::NotDetermined`].
    pub fn fit(spenders: &[Spender]) -> Result<GammaGammaFit, ModelError> {
        let sample = Sample::of(spenders);
        let persons = sample.spenders.len();
        if persons < MIN_REPEATERS {
            return Err(ModelError::TooFew { persons: spenders.len(), repeaters: persons });
        }
        // Money has no natural unit: gamma is sought relative to the mean spend.
        let scale = sample.spenders.iter().map(Spender::mean).sum::<f64>() / persons as f64;
        let model = |at: &[f64; 3]| {
            let [p, q, gamma] = at.map(f64::exp);
            Self { p, q, gamma: gamma * scale }
        };
        let per_person = -1.0 / persons as f64;
        let objective = |at: &[f64; 3]| {
            let model = model(at);
            Self::new(model.p, model.q, model.gamma).ok()?;
            let (value, [p, q, gamma]) = sample.log_likelihood(&model);
            let slopes = [p * model.p, q * model.q, gamma * model.gamma];
            Some((value * per_person, slopes.map(|slope| slope * per_person)))
        };
        // The mean pγ/(q−1) is met by each: narrow, wide and middling spread between persons.
        let starts = [[1.6, 1.4, -0.5], [0.0, 0.7, 0.0], [2.5, 0.7, -2.5]];
        let found = minimise(&objective, &starts)?;
        let log_likelihood = found.value / per_person;
        let correlation = correlation(&sample.spenders);
        Ok(GammaGammaFit { model: model(&found.at), log_likelihood, persons, correlation })
    }
}

/// Spenders that count, in order, with everything that does not depend on the parameters.
struct Sample {
    spenders: Vec<Spender>,
    /// Σ ln z̄ and Σ x · ln(x z̄).
    log_means: f64,
    weighted_log_totals: f64,
}

impl Sample {
    fn of(spenders: &[Spender]) -> Self {
        let mut spenders: Vec<_> = spenders.iter().copied().filter(Spender::counts).collect();
        spenders.sort_unstable_by(|a, b| a.x.cmp(&b.x).then(a.total.total_cmp(&b.total)));
        let log_means = spenders.iter().map(|s| s.mean().ln()).sum();
        let weighted = spenders.iter().map(|s| f64::from(s.x) * s.total.ln());
        let weighted_log_totals = weighted.sum();
        Self { spenders, log_means, weighted_log_totals }
    }

    /// The logarithm of the likelihood and its derivatives by p, q and γ. Per person:
    /// `lnΓ(px+q) − lnΓ(px) − lnΓ(q) + q ln γ + (px−1) ln z̄ + px ln x − (px+q) ln(γ + x z̄)`.
    fn log_likelihood(&self, model: &GammaGamma) -> (f64, [f64; 3]) {
        let GammaGamma { p, q, gamma } = *model;
        let persons = self.spenders.len() as f64;
        let mut value = persons * (q * gamma.ln() - ln_gamma(q)) + p * self.weighted_log_totals
            - self.log_means;
        let mut slopes =
            [self.weighted_log_totals, persons * (gamma.ln() - digamma(q)), persons * q / gamma];
        for same in self.spenders.chunk_by(|a, b| a.x == b.x) {
            let (x, persons) = (f64::from(same[0].x), same.len() as f64);
            let (shape, power) = (p * x, p * x + q);
            let (mut logs, mut inverses) = (0.0, 0.0);
            for spender in same {
                let scale = gamma + spender.total;
                logs += scale.ln();
                inverses += 1.0 / scale;
            }
            value += persons * (ln_gamma(power) - ln_gamma(shape)) - power * logs;
            let slope = digamma(power);
            slopes[0] += x * (persons * (slope - digamma(shape)) - logs);
            slopes[1] += persons * slope - logs;
            slopes[2] -= power * inverses;
        }
        (value, slopes)
    }
}

fn correlation(spenders: &[Spender]) -> Option<f64> {
    let n = spenders.len() as f64;
    let pairs = || spenders.iter().map(|s| (f64::from(s.x), s.mean()));
    let (x, mean) = pairs().fold((0.0, 0.0), |(a, b), (x, m)| (a + x / n, b + m / n));
    let (mut xx, mut mm, mut xm) = (0.0, 0.0, 0.0);
    for (a, b) in pairs() {
        let (a, b) = (a - x, b - mean);
        (xx, mm, xm) = (xx + a * a, mm + b * b, xm + a * b);
    }
    (xx > 0.0 && mm > 0.0).then(|| xm / (xx * mm).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Spender> {
        let known = [(1, 30.0), (1, 12.5), (2, 61.0), (5, 400.0), (0, 0.0), (3, -4.0)];
        known.map(|(x, total)| Spender { x, total }).to_vec()
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_likelihood() {
        let sample = Sample::of(&sample());
        let at = |v: [f64; 3]| sample.log_likelihood(&GammaGamma { p: v[0], q: v[1], gamma: v[2] });
        let here = [2.0, 3.1, 14.0];
        for (i, slope) in at(here).1.into_iter().enumerate() {
            let beside = |stride: f64| {
                let mut v = here;
                v[i] += stride;
                at(v).0
            };
            let difference = (beside(1e-5) - beside(-1e-5)) / 2e-5;
            assert!((slope - difference).abs() < 1e-6, "{i}: {slope} {difference}");
        }
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        let too_few = ModelError::TooFew { persons: 6, repeaters: 4 };
        assert_eq!(GammaGamma::fit(&sample()).unwrap_err(), too_few);
        let alike = vec![Spender { x: 2, total: 50.0 }; 300];
        assert_eq!(GammaGamma::fit(&alike).unwrap_err(), ModelError::NotDetermined);
        let wide = GammaGamma::new(2.0, 0.9, 10.0).unwrap();
        assert_eq!(wide.population_mean(), Err(ModelError::NoValue));
        assert!(wide.expected_spend(&Spender { x: 1, total: 9.0 }).is_ok());
        assert_eq!(GammaGamma::new(1.0, -1.0, 1.0), Err(ModelError::Parameter));
    }

    #[test]
    fn correlation_is_pearsons() {
        let line = [(1, 10.0), (2, 40.0), (3, 90.0)].map(|(x, total)| Spender { x, total });
        assert!((correlation(&line).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(correlation(&line[..1]), None);
    }
}
