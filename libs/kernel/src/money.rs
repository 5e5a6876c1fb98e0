//! Exact money: integer minor units of one currency (rules 1, 10, 12). No floating point anywhere.

use std::fmt;

use crate::Currency;

/// An amount in minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// The amount in its minor unit; may be negative where a difference is meant.
    pub minor: i64,
}

/// Why an amount could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("must be a decimal number like 12.50")]
    Malformed,
    /// More decimal digits than the currency has.
    #[error("must have at most {allowed} decimal digits in {currency}")]
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// Its minor digits.
        allowed: u8,
    },
    /// Outside of 64 bits.
    #[error("is too large")]
    Overflow,
    /// Two currencies met in one sum.
    #[error("cannot mix {0} and {1}")]
    Mixed(Currency, Currency),
}

impl Money {
    /// An amount of `minor` units.
    #[must_use]
    pub const fn new(currency: Currency, minor: i64) -> Self {
        Self { currency, minor }
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    /// `1,234.50 CNY` without the comma: the amount in major units, a blank, the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.exponent());
        let scale = self.currency.minor_per_major().unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        let (major, minor) = (self.minor.unsigned_abs() / scale, self.minor.unsigned_abs() % scale);
        if digits == 0 {
            write!(f, "{sign}{major} {}", self.currency)
        } else {
            write!(f, "{sign}{major}.{minor:0digits$} {}", self.currency)
        }
    }
}

/// Reads a decimal text in major units as minor units: `"12.5"` in CNY is 1250. Trailing zeros beyond the currency's
/// digits are accepted, other digits are not: an amount is never rounded on the way in.
///
/// # Errors
/// [`MoneyError`] with the reason.
pub fn parse_decimal(text: &str, currency: Currency) -> Result<i64, MoneyError> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(MoneyError::Malformed);
    }
    let allowed = currency.exponent();
    let (kept, beyond) = fraction.split_at(fraction.len().min(usize::from(allowed)));
    if beyond.bytes().any(|b| b != b'0') {
        return Err(MoneyError::TooPrecise { currency, allowed });
    }
    let mut minor: i64 = 0;
    let padding = std::iter::repeat_n(b'0', usize::from(allowed) - kept.len());
    for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
        minor = minor
            .checked_mul(10)
            .and_then(|m| m.checked_add(i64::from(digit - b'0')))
            .ok_or(MoneyError::Overflow)?;
    }
    Ok(if negative { -minor } else { minor })
}

/// Splits `total` by `weights` so that the parts sum to it exactly: floors first, then one unit each to the largest
/// remainders, ties to the earlier part (reference §3.3, rule 33). All weights zero: everything goes to the first part.
///
/// # Panics
/// When `total` or a weight is negative, or there is no weight: callers split what exists.
#[must_use]
pub fn allocate(total: i64, weights: &[i64]) -> Vec<i64> {
    assert!(
        total >= 0 && !weights.is_empty(),
        "a split needs parts and a total that is not negative"
    );
    assert!(weights.iter().all(|&w| w >= 0), "weights are not negative");
    let sum: i128 = weights.iter().map(|&w| i128::from(w)).sum();
    if sum == 0 {
        let mut parts = vec![0; weights.len()];
        parts[0] = total;
        return parts;
    }
    let exact = |w: i64| i128::from(total) * i128::from(w);
    let part = |w: i64| i64::try_from(exact(w) / sum).expect("a part is not larger than the total");
    let mut parts: Vec<i64> = weights.iter().map(|&w| part(w)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(exact(weights[i]) % sum));
    let left =
        usize::try_from(total - parts.iter().sum::<i64>()).expect("floors do not exceed the total");
    for &i in &order[..left] {
        parts[i] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        let cny = currency("CNY");
        let cases = [
            ("12", 1200),
            ("12.5", 1250),
            ("12.50", 1250),
            ("12.500", 1250),
            (".5", 50),
            ("-3.01", -301),
        ];
        for (text, minor) in cases {
            assert_eq!(parse_decimal(text, cny), Ok(minor), "{text}");
        }
        for text in ["", ".", "1,000", "1e3", " 1", "--1", "0x1", "12.5.0", "NaN"] {
            assert_eq!(parse_decimal(text, cny), Err(MoneyError::Malformed), "{text}");
        }
        assert!(matches!(
            parse_decimal("0.001", cny),
            Err(MoneyError::TooPrecise { allowed: 2, .. })
        ));
        assert!(matches!(
            parse_decimal("1.5", currency("JPY")),
            Err(MoneyError::TooPrecise { allowed: 0, .. })
        ));
        assert_eq!(parse_decimal("99999999999999999999", cny), Err(MoneyError::Overflow));
    }

    #[test]
    fn money_prints_in_major_units() {
        assert_eq!(Money::new(currency("CNY"), -105).to_string(), "-1.05 CNY");
        assert_eq!(Money::new(currency("JPY"), 2993).to_string(), "2993 JPY");
    }

    #[test]
    fn the_published_splits_come_out() {
        let vectors: [(i64, &[i64], &[i64]); 7] = [
            (1000, &[3333, 3333, 3334], &[333, 333, 334]),
            (100, &[1, 1, 1], &[34, 33, 33]),
            (1, &[1, 1, 1], &[1, 0, 0]),
            (999, &[19900, 5000, 0, 101], &[795, 200, 0, 4]),
            (5, &[10, 20, 30, 40], &[1, 1, 1, 2]),
            (2000, &[5999, 3999, 2], &[1200, 800, 0]),
            (0, &[5, 5], &[0, 0]),
        ];
        for (total, weights, parts) in vectors {
            assert_eq!(allocate(total, weights), parts, "{total} over {weights:?}");
        }
    }

    proptest! {
        #[test]
        fn a_split_sums_to_its_total_and_misses_the_exact_share_by_less_than_one(
            total in 0..i64::MAX / 4,
            weights in prop::collection::vec(0..1_000_000_i64, 1..40),
        ) {
            let parts = allocate(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i128 = weights.iter().map(|&w| i128::from(w)).sum();
            for (&part, &weight) in parts.iter().zip(&weights) {
                let error = i128::from(part) * sum - i128::from(total) * i128::from(weight);
                prop_assert!(sum == 0 || error.abs() < sum);
            }
        }
    }
}
