//! Special functions that neither the standard library nor libm has.
#![expect(
    clippy::float_arithmetic,
    clippy::many_single_char_names,
    reason = "numerical functions, named as in the literature"
)]

use libm::{lgamma, lgamma_r};

/// The digamma function of a positive argument.
pub(super) fn digamma(x: f64) -> f64 {
    // The asymptotic series is exact to the last digit from 10 on; below, step up by ψ(x) = ψ(x + 1) − 1/x.
    let (mut x, mut result) = (x, 0.0);
    while x < 10.0 {
        result -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0
                    - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32_760.0)))));
    result + x.ln() - 0.5 / x - series
}

/// Gauss' hypergeometric function less one, ₂F₁(a, b; c; z) − 1, for z in [0, 1): exact also where the function is nearly
/// one. `None` where it does not exist or does not converge.
pub(super) fn hyp2f1_less_one(a: f64, b: f64, c: f64, z: f64) -> Option<f64> {
    const PLAIN_UP_TO: f64 = 0.9;
    if !(0.0..1.0).contains(&z) {
        return None;
    }
    let moved = if z > PLAIN_UP_TO { near_one(a, b, c, z) } else { None };
    moved.map(|value| value - 1.0).or_else(|| series(a, b, c, z))
}

/// The power series after its first term, which is 1; stopped when what is left no longer counts.
fn series(a: f64, b: f64, c: f64, z: f64) -> Option<f64> {
    const PRECISION: f64 = 1e-15;
    const MOST_TERMS: u32 = 2_000_000;
    let factor = |n: f64| (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
    let (mut term, mut sum) = (1.0, 0.0);
    let mut next = factor(0.0);
    for n in 1..MOST_TERMS {
        term *= next;
        sum += term;
        if !f64::is_finite(sum) {
            return None;
        }
        // Factors tend to z, so that from here on the terms sum to at most about term × ratio / (1 − ratio).
        next = factor(f64::from(n));
        let ratio = next.abs().max(z);
        if ratio < 1.0 && (term * ratio).abs() <= PRECISION * sum.abs() * (1.0 - ratio) {
            return Some(sum);
        }
    }
    None
}

/// The transformation z → 1 − z (Abramowitz and Stegun 15.3.6). `None` where c − a − b is so near an integer that its two
/// parts cancel; there the plain series still converges, slowly.
fn near_one(a: f64, b: f64, c: f64, z: f64) -> Option<f64> {
    const CANCELS: f64 = 1e-4;
    let s = c - a - b;
    if (s - s.round()).abs() < CANCELS {
        return None;
    }
    let w = 1.0 - z;
    let first = gammas([c, s], [c - a, c - b]) * (1.0 + series(a, b, 1.0 - s, w)?);
    let second = 1.0 + series(c - a, c - b, 1.0 + s, w)?;
    let second = gammas([c, -s], [a, b]) * w.powf(s) * second;
    let sum = first + second;
    // Digits lost to cancellation are not given out as a result.
    let kept = sum.abs() > 1e-4 * (first.abs() + second.abs());
    (sum.is_finite() && kept).then_some(sum)
}

/// Γ(p₁) Γ(p₂) / (Γ(q₁) Γ(q₂)) with signs; 0 where a denominator has a pole.
fn gammas(over: [f64; 2], under: [f64; 2]) -> f64 {
    let is_pole = |x: f64| x <= 0.0 && (x - x.round()).abs() < f64::EPSILON;
    if under.into_iter().any(is_pole) {
        return 0.0;
    }
    let (mut log, mut sign) = (0.0, 1);
    for (direction, x) in over.map(|x| (1.0, x)).into_iter().chain(under.map(|x| (-1.0, x))) {
        let (value, of) = lgamma_r(x);
        log += direction * value;
        sign *= of;
    }
    f64::from(sign) * f64::exp(log)
}

/// The logarithm of the gamma function of a positive argument.
pub(super) fn ln_gamma(x: f64) -> f64 {
    lgamma(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1.0)
    }

    #[test]
    fn digamma_has_its_known_values() {
        const EULER: f64 = 0.577_215_664_901_532_9;
        assert!(close(digamma(1.0), -EULER));
        assert!(close(digamma(0.5), -EULER - 2.0 * 2.0_f64.ln()));
        assert!(close(digamma(20.0) - digamma(19.0), 1.0 / 19.0));
        assert!(close(digamma(1e-3), -1_000.575_571_931_810_3));
    }

    #[test]
    fn the_hypergeometric_function_has_its_closed_forms() {
        for z in [0.0, 0.1, 0.5, 0.89, 0.91, 0.99, 0.9999] {
            // ₂F₁(a, b; b; z) = (1 − z)^−a, where c − a − b is no integer.
            let value = |a, b, c| 1.0 + hyp2f1_less_one(a, b, c, z).unwrap();
            let power = value(0.3, 1.7, 1.7);
            assert!(close(power, (1.0 - z).powf(-0.3)), "{z}: {power}");
            // ₂F₁(1, 1; 2; z) = −ln(1 − z) / z, where it is, and the plain series must do.
            let log = if z == 0.0 { 1.0 } else { -(1.0 - z).ln() / z };
            assert!(close(value(1.0, 1.0, 2.0), log), "{z}");
            // ₂F₁(½, ½; 3/2; z²) = arcsin(z) / z.
            let root = z.sqrt();
            let arcsin = if z == 0.0 { 1.0 } else { root.asin() / root };
            assert!(close(value(0.5, 0.5, 1.5), arcsin), "{z}");
        }
        assert_eq!(hyp2f1_less_one(1.0, 1.0, 2.0, 1.0), None);
        assert_eq!(hyp2f1_less_one(1.0, 1.0, 2.0, f64::NAN), None);
    }

    #[test]
    fn both_ways_of_the_hypergeometric_function_agree() {
        for (a, b, c) in [(0.243, 2.426, 2.219), (5.243, -0.207, 7.219), (2.976, -0.207, 31.2)] {
            for z in [0.6, 0.85, 0.93, 0.97] {
                let (plain, moved) = (series(a, b, c, z).unwrap(), near_one(a, b, c, z).unwrap());
                let plain = plain + 1.0;
                assert!(
                    (plain - moved).abs() < 1e-10 * plain.abs(),
                    "{a} {b} {c} {z}: {plain} {moved}"
                );
            }
        }
    }
}
