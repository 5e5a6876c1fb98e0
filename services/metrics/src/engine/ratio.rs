//! Ratios that keep their numerator and denominator (rule 110).

use std::fmt;

/// An exact ratio; a denominator of zero means "no value", never 0 (reference §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ratio {
    /// The numerator.
    pub num: i64,
    /// The denominator; 0 when there is nothing to divide by.
    pub den: i64,
}

impl Ratio {
    /// `num / den`.
    #[must_use]
    pub const fn new(num: i64, den: i64) -> Self {
        Self { num, den }
    }

    /// So much per counted thing.
    #[must_use]
    pub fn per(num: i64, den: u64) -> Self {
        Self::new(num, signed(den))
    }

    /// A share of counted things.
    #[must_use]
    pub fn of_counts(num: u64, den: u64) -> Self {
        Self::new(signed(num), signed(den))
    }

    /// The quotient for display; `None` when the denominator is zero.
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "the display of an exact ratio; nothing is computed from it"
    )]
    pub fn value(self) -> Option<f64> {
        (self.den != 0).then(|| self.num as f64 / self.den as f64)
    }

    /// The quotient rounded half up (away from zero for negative halves); `None` when the denominator is zero.
    #[must_use]
    pub fn round_half_up(self) -> Option<i64> {
        half_up(i128::from(self.num), i128::from(self.den))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// `num / den` rounded half away from zero; `None` for a zero denominator or a quotient beyond 64 bits.
pub(super) fn half_up(num: i128, den: i128) -> Option<i64> {
    let (sign, num, den) = (num.signum() * den.signum(), num.unsigned_abs(), den.unsigned_abs());
    let (quotient, rest) = (num.checked_div(den)?, num.checked_rem(den)?);
    let rounded = i128::try_from(quotient).ok()? + i128::from(rest >= den - rest);
    i64::try_from(sign * rounded).ok()
}

/// A count as a signed number.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).expect("a count of persons or orders has less than 63 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_rounds_half_up_and_has_no_value_over_zero() {
        for (num, den, rounded) in [
            (5, 2, Some(3)),
            (7, 3, Some(2)),
            (-5, 2, Some(-3)),
            (5, -2, Some(-3)),
            (0, 9, Some(0)),
            (i64::MIN, 1, Some(i64::MIN)),
            (1, 0, None),
        ] {
            assert_eq!(Ratio::new(num, den).round_half_up(), rounded, "{num}/{den}");
        }
        assert_eq!(Ratio::new(3, 0).value(), None);
        assert_eq!(Ratio::new(3, 4).value(), Some(0.75));
    }
}
