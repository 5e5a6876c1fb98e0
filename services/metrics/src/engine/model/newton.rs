//! The last digits, and the proof: Newton's steps to a point where the gradient is zero and the curvature positive in
//! every direction. A point that cannot be proved a minimum is refused.
#![expect(clippy::float_arithmetic, reason = "numerical optimisation")]

use super::{
    ModelError,
    quasi::{FARTHEST, Objective, Point, descend, step},
};

/// A minimum of `objective`: the first that is proved, sought from each of `starts` in turn. On the likelihoods of this
/// crate all starts lead to the same one; more than one is for samples on which a start loses its way.
///
/// # Errors
/// [`ModelError::NotDetermined`] when none is found.
pub(super) fn minimise<const N: usize>(
    objective: &impl Objective<N>,
    starts: &[[f64; N]],
) -> Result<Point<N>, ModelError> {
    let proved = |start| descend(objective, start).and_then(|near| polish(objective, near));
    starts.iter().find_map(proved).ok_or(ModelError::NotDetermined)
}

/// Newton's steps from a point nearby; `None` when they do not end in a minimum within bounds.
fn polish<const N: usize>(objective: &impl Objective<N>, near: Point<N>) -> Option<Point<N>> {
    const STEPS: u32 = 30;
    const FLAT: f64 = 1e-8;
    const EXACT: f64 = 1e-12;
    let mut here = near;
    for _ in 0..STEPS {
        if here.at.iter().any(|at| at.abs() > FARTHEST) {
            return None;
        }
        let factor = cholesky(&curvature(objective, &here)?)?;
        if here.steepness() < EXACT {
            return Some(here);
        }
        let direction = solve(&factor, &here.gradient.map(|g| -g));
        let whole = objective.eval(&std::array::from_fn(|i| here.at[i] + direction[i]));
        match whole.filter(|next| next.steepness() < here.steepness()) {
            Some(next) => here = next,
            // As flat as the precision of the gradient allows.
            None if here.steepness() < FLAT => return Some(here),
            None => here = step(objective, &here, &direction)?,
        }
    }
    (here.steepness() < FLAT).then_some(here)
}

/// The matrix of second derivatives, from differences of the gradient.
fn curvature<const N: usize>(
    objective: &impl Objective<N>,
    here: &Point<N>,
) -> Option<[[f64; N]; N]> {
    const STRIDE: f64 = 1e-4;
    let mut matrix = [[0.0; N]; N];
    for i in 0..N {
        let beside = |stride: f64| {
            let mut at = here.at;
            at[i] += stride;
            objective.eval(&at)
        };
        let (over, under) = (beside(STRIDE)?, beside(-STRIDE)?);
        matrix[i] =
            std::array::from_fn(|j| (over.gradient[j] - under.gradient[j]) / (2.0 * STRIDE));
    }
    // Symmetric but for rounding, which the mean of both halves takes out.
    Some(std::array::from_fn(|i| {
        std::array::from_fn(|j| f64::midpoint(matrix[i][j], matrix[j][i]))
    }))
}

/// The lower factor of a matrix that is clearly positive; `None` for any other.
fn cholesky<const N: usize>(matrix: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    // Relative to the matrix itself; differences of gradients are good to about nine digits.
    const CLEARLY: f64 = 1e-8;
    let mut factor = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = matrix[i][j] - known;
            if i != j {
                factor[i][j] = rest / factor[j][j];
            } else if rest > CLEARLY * matrix[i][i].abs() && rest > f64::MIN_POSITIVE {
                factor[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(factor)
}

fn solve<const N: usize>(factor: &[[f64; N]; N], right: &[f64; N]) -> [f64; N] {
    let mut x = *right;
    for i in 0..N {
        let known: f64 = (0..i).map(|k| factor[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i][i];
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| factor[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_walked_to_its_end() {
        let valley = |&[x, y]: &[f64; 2]| {
            let (a, b) = (1.0 - x, y - x * x);
            Some((a * a + 100.0 * b * b, [-2.0 * a - 400.0 * x * b, 200.0 * b]))
        };
        let found = minimise(&valley, &[[-1.2, 1.0], [3.0, -2.0]]).unwrap();
        assert!(found.at.iter().all(|at| (at - 1.0).abs() < 1e-9), "{:?}", found.at);
    }

    #[test]
    fn saddles_troughs_and_slopes_are_no_minimum() {
        let saddle = |&[x, y]: &[f64; 2]| Some((x * x - y * y, [2.0 * x, -2.0 * y]));
        let trough = |&[x, y]: &[f64; 2]| {
            let d = x - y;
            Some((d * d, [2.0 * d, -2.0 * d]))
        };
        let slope = |&[x, _]: &[f64; 2]| Some(((-x).exp(), [-(-x).exp(), 0.0]));
        assert_eq!(minimise(&saddle, &[[0.0, 0.0]]).unwrap_err(), ModelError::NotDetermined);
        assert_eq!(minimise(&trough, &[[1.0, 0.0]]).unwrap_err(), ModelError::NotDetermined);
        assert_eq!(minimise(&slope, &[[0.0, 0.0]]).unwrap_err(), ModelError::NotDetermined);
    }
}
