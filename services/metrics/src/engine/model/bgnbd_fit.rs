//! The likelihood of BG/NBD with its gradient, and the fit. Gamma functions of whole distances are sums of logarithms, and
//! everything that depends on x, on `t_x` or on T alone is computed once per distinct value: a person costs one `exp`.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a statistical model; counts of persons are far below 2^52"
)]

use super::{
    BgNbd, Customer, MIN_PERSONS, MIN_REPEATERS, ModelError, newton::minimise, quasi::dot,
};

/// A fitted BG/NBD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbdFit {
    /// The parameters of the greatest likelihood.
    pub model: BgNbd,
    /// The logarithm of that likelihood.
    pub log_likelihood: f64,
    /// Persons it was fitted to.
    pub persons: usize,
    /// Those of them who bought again.
    pub repeaters: usize,
}

impl BgNbd {
    /// The logarithm of the likelihood of `customers`.
    ///
    /// # Errors
    /// [`ModelError::Impossible`].
    pub fn log_likelihood(&self, customers: &[Customer]) -> Result<f64, ModelError> {
        Ok(Sample::of(customers)?.log_likelihood(self).0)
    }

    /// The parameters under which `customers` are most likely.
    ///
    /// # Errors
    /// [`ModelError::Impossible`], [`ModelError::TooFew`] or [`ModelError::NotDetermined`].
    pub fn fit(customers: &[Customer]) -> Result<BgNbdFit, ModelError> {
        let persons = customers.len();
        let repeaters = customers.iter().filter(|customer| customer.x > 0).count();
        if persons < MIN_PERSONS || repeaters < MIN_REPEATERS {
            return Err(ModelError::TooFew { persons, repeaters });
        }
        let sample = Sample::of(customers)?;
        // Time has no natural unit: alpha is sought relative to the mean age.
        let scale = customers.iter().map(|customer| customer.age).sum::<f64>() / persons as f64;
        let model = |at: &[f64; 4]| {
            let [r, alpha, a, b] = at.map(f64::exp);
            BgNbd { r, alpha: alpha * scale, a, b }
        };
        // Per person, and by the logarithm of each parameter: d/d(ln p) = p · d/dp.
        let per_person = -1.0 / persons as f64;
        let objective = |at: &[f64; 4]| {
            let model = model(at);
            BgNbd::new(model.r, model.alpha, model.a, model.b).ok()?;
            let (value, [r, alpha, a, b]) = sample.log_likelihood(&model);
            let slopes = [r * model.r, alpha * model.alpha, a * model.a, b * model.b];
            Some((value * per_person, slopes.map(|slope| slope * per_person)))
        };
        let starts = [[-0.7, -1.6, 0.0, 0.7], [0.0, 0.0, -1.5, 1.0], [-1.5, -2.5, 0.0, 1.5]];
        let found = minimise(&objective, &starts)?;
        let log_likelihood = found.value / per_person;
        Ok(BgNbdFit { model: model(&found.at), log_likelihood, persons, repeaters })
    }
}

/// Customers, grouped: identical histories stand once with their number.
struct Sample {
    groups: Vec<Group>,
    /// The distinct values of `t_x` and T, which groups refer to.
    times: Vec<f64>,
    /// Persons by x, up to the largest x.
    by_x: Vec<f64>,
}

struct Group {
    x: f64,
    /// Places in [`Sample::times`]; `t_x` is meaningless without a repeat purchase.
    t_x: usize,
    age: usize,
    persons: f64,
}

impl Sample {
    fn of(customers: &[Customer]) -> Result<Self, ModelError> {
        customers.iter().try_for_each(Customer::check)?;
        let mut sorted = customers.to_vec();
        sorted.sort_unstable_by(|one, other| {
            let order = one.x.cmp(&other.x).then(one.age.total_cmp(&other.age));
            order.then(one.t_x.total_cmp(&other.t_x))
        });
        let mut times: Vec<f64> = sorted.iter().flat_map(|c| [c.t_x, c.age]).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let place = |time: f64| times.partition_point(|&other| other < time);
        let groups = sorted.chunk_by(|one, other| one == other).map(|same| Group {
            x: f64::from(same[0].x),
            t_x: place(same[0].t_x),
            age: place(same[0].age),
            persons: same.len() as f64,
        });
        let groups = groups.collect();
        let mut by_x = Vec::new();
        for same in sorted.chunk_by(|one, other| one.x == other.x) {
            let x = usize::try_from(same[0].x).expect("a process has at least 32 bits");
            by_x.resize(x, 0.0);
            by_x.push(same.len() as f64);
        }
        Ok(Self { groups, times, by_x })
    }

    /// The logarithm of the likelihood and its derivatives by r, α, a and b.
    fn log_likelihood(&self, model: &BgNbd) -> (f64, [f64; 4]) {
        let persons: f64 = self.by_x.iter().sum();
        let mut value = persons * model.r * model.alpha.ln();
        let mut slopes = [persons * model.alpha.ln(), persons * model.r / model.alpha, 0.0, 0.0];
        self.add_gammas(model, &mut value, &mut slopes);
        self.add_mixtures(model, &mut value, &mut slopes);
        (value, slopes)
    }

    /// `ln Γ(r+x)/Γ(r) + ln Γ(b+x)/Γ(b) − ln Γ(a+b+x)/Γ(a+b)`: sums over j < x of ln(r+j), ln(b+j) and −ln(a+b+j).
    fn add_gammas(&self, model: &BgNbd, value: &mut f64, slopes: &mut [f64; 4]) {
        let bases = [model.r, model.b, model.a + model.b];
        let signs = [1.0, 1.0, -1.0];
        let (mut log, mut slope) = (0.0, [0.0; 3]);
        for (x, &persons) in self.by_x.iter().enumerate() {
            *value += persons * log;
            slopes[0] += persons * slope[0];
            slopes[2] += persons * slope[2];
            slopes[3] += persons * (slope[1] + slope[2]);
            let terms = bases.map(|base| base + x as f64);
            log += dot(&signs, &terms.map(f64::ln));
            for (slope, (sign, term)) in slope.iter_mut().zip(signs.into_iter().zip(terms)) {
                *slope += sign / term;
            }
        }
    }

    /// `ln[(α+T)^−(r+x) + (a/(b+x−1)) (α+t_x)^−(r+x)]`, the second part only with a repeat purchase: alive or gone.
    fn add_mixtures(&self, model: &BgNbd, value: &mut f64, slopes: &mut [f64; 4]) {
        let logs: Vec<f64> = self.times.iter().map(|time| (model.alpha + time).ln()).collect();
        for group in &self.groups {
            let power = model.r + group.x;
            let (log_age, age) = (logs[group.age], model.alpha + self.times[group.age]);
            let alive = -power * log_age;
            if group.x == 0.0 {
                *value += group.persons * alive;
                slopes[0] -= group.persons * log_age;
                slopes[1] -= group.persons * power / age;
                continue;
            }
            let (log_t_x, t_x) = (logs[group.t_x], model.alpha + self.times[group.t_x]);
            let last = model.b + group.x - 1.0;
            let gone = (model.a / last).ln() - power * log_t_x;
            let (sum, weight) = mix(alive, gone);
            *value += group.persons * sum;
            let (weight, other) = (group.persons * weight, group.persons * (1.0 - weight));
            slopes[0] -= other * log_age + weight * log_t_x;
            slopes[1] -= power * (other / age + weight / t_x);
            slopes[2] += weight / model.a;
            slopes[3] -= weight / last;
        }
    }
}

/// `ln(e^a + e^b)`, and the share of the second part.
fn mix(a: f64, b: f64) -> (f64, f64) {
    let small = (-(a - b).abs()).exp();
    let share = if b > a { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    (a.max(b) + small.ln_1p(), share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Customer> {
        let histories = [(0, 0.0, 30.0), (1, 3.0, 30.0), (4, 20.0, 28.5), (2, 9.0, 12.0)];
        histories.map(|(x, t_x, age)| Customer { x, t_x, age }).repeat(3)
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_likelihood() {
        let sample = Sample::of(&sample()).unwrap();
        let at =
            |p: [f64; 4]| sample.log_likelihood(&BgNbd { r: p[0], alpha: p[1], a: p[2], b: p[3] });
        let here = [0.7, 6.0, 0.8, 1.9];
        for (i, slope) in at(here).1.into_iter().enumerate() {
            let beside = |stride: f64| {
                let mut p = here;
                p[i] += stride;
                at(p).0
            };
            let difference = (beside(1e-5) - beside(-1e-5)) / 2e-5;
            assert!((slope - difference).abs() < 1e-6, "{i}: {slope} {difference}");
        }
    }

    #[test]
    fn too_few_persons_and_persons_all_alike_are_refused() {
        let too_few = ModelError::TooFew { persons: 12, repeaters: 9 };
        assert_eq!(BgNbd::fit(&sample()).unwrap_err(), too_few);
        let alike = vec![Customer { x: 3, t_x: 20.0, age: 40.0 }; 500];
        assert_eq!(BgNbd::fit(&alike).unwrap_err(), ModelError::NotDetermined);
        let lost = vec![Customer { x: 3, t_x: 41.0, age: 40.0 }; 500];
        assert_eq!(BgNbd::fit(&lost).unwrap_err(), ModelError::Impossible);
    }
}
