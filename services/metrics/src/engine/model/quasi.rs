//! The way down: BFGS with backtracking, from a fixed start to the neighbourhood of a minimum. Deterministic.
#![expect(clippy::float_arithmetic, reason = "numerical optimisation")]

/// Parameters are searched as logarithms of their ratio to a natural scale; a factor of 10,000 from it is no estimate
/// but a run to infinity.
pub(super) const FARTHEST: f64 = 9.21;

/// A point with its value and gradient.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<const N: usize> {
    pub(super) at: [f64; N],
    pub(super) value: f64,
    pub(super) gradient: [f64; N],
}

/// A smooth function with its gradient; `None` outside of its domain.
pub(super) trait Objective<const N: usize> {
    fn eval(&self, at: &[f64; N]) -> Option<Point<N>>;
}

impl<const N: usize, F: Fn(&[f64; N]) -> Option<(f64, [f64; N])>> Objective<N> for F {
    fn eval(&self, at: &[f64; N]) -> Option<Point<N>> {
        let (value, gradient) = self(at)?;
        let finite = value.is_finite() && gradient.iter().all(|g| g.is_finite());
        finite.then_some(Point { at: *at, value, gradient })
    }
}

impl<const N: usize> Point<N> {
    /// The largest component of the gradient.
    pub(super) fn steepness(&self) -> f64 {
        self.gradient.iter().fold(0.0, |most, g| f64::max(most, g.abs()))
    }
}

pub(super) fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn times<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    matrix.map(|row| dot(&row, vector))
}

/// A step from `from` along `direction`, halved until the value falls as far as the slope promises; `None` when it does
/// not.
pub(super) fn step<const N: usize>(
    objective: &impl Objective<N>,
    from: &Point<N>,
    direction: &[f64; N],
) -> Option<Point<N>> {
    const HALVINGS: u32 = 40;
    const PROMISED: f64 = 1e-4;
    let slope = dot(&from.gradient, direction);
    let mut length = 1.0;
    for _ in 0..HALVINGS {
        let at = std::array::from_fn(|i| from.at[i] + length * direction[i]);
        match objective.eval(&at) {
            Some(next) if next.value <= from.value + PROMISED * length * slope => {
                return Some(next);
            }
            _ => length *= 0.5,
        }
    }
    None
}

/// Goes down from `start` until the ground is nearly flat or no step helps; `None` when the way leads beyond
/// [`FARTHEST`].
pub(super) fn descend<const N: usize>(
    objective: &impl Objective<N>,
    start: &[f64; N],
) -> Option<Point<N>> {
    const STEPS: u32 = 120;
    const FLAT: f64 = 1e-6;
    // In logarithms a step of 1 is a factor of e: further at once would leave what the curvature knows.
    const LONGEST: f64 = 1.0;
    let mut here = objective.eval(start)?;
    let mut inverse = identity::<N>(1.0);
    let mut fresh = true;
    for _ in 0..STEPS {
        if here.at.iter().any(|at| at.abs() > FARTHEST) {
            return None;
        }
        if here.steepness() < FLAT {
            break;
        }
        let mut direction = times(&inverse, &here.gradient).map(|d| -d);
        if dot(&direction, &here.gradient) >= 0.0 {
            (inverse, fresh) = (identity(1.0), true);
            direction = here.gradient.map(|g| -g);
        }
        let longest = direction.iter().fold(0.0, |most, d| f64::max(most, d.abs()));
        if longest > LONGEST {
            direction = direction.map(|d| d * LONGEST / longest);
        }
        match step(objective, &here, &direction) {
            Some(next) => {
                learn(&mut inverse, &mut fresh, &here, &next);
                here = next;
            }
            None if fresh => break,
            None => (inverse, fresh) = (identity(1.0), true),
        }
    }
    Some(here)
}

fn identity<const N: usize>(scale: f64) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { scale } else { 0.0 }))
}

/// The BFGS update of the inverse curvature.
fn learn<const N: usize>(
    inverse: &mut [[f64; N]; N],
    fresh: &mut bool,
    from: &Point<N>,
    to: &Point<N>,
) {
    let moved: [f64; N] = std::array::from_fn(|i| to.at[i] - from.at[i]);
    let turned: [f64; N] = std::array::from_fn(|i| to.gradient[i] - from.gradient[i]);
    let curvature = dot(&moved, &turned);
    // Without curvature along the step there is nothing to learn, and the matrix must stay positive.
    if curvature <= 1e-14 * dot(&turned, &turned).max(1e-300) {
        return;
    }
    if std::mem::take(fresh) {
        *inverse = identity(curvature / dot(&turned, &turned));
    }
    let spread = times(inverse, &turned);
    let scale = (1.0 + dot(&turned, &spread) / curvature) / curvature;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] += scale * moved[i] * moved[j]
                - (spread[i] * moved[j] + moved[i] * spread[j]) / curvature;
        }
    }
}
