//! Conversion, exact: no floating point anywhere. Pure.

use siyu_kernel::{Currency, allocate};

/// A rate: a decimal number that is larger than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    digits: i128,
    scale: u32,
}

/// The digits that a rate may have.
const DIGITS_MAX: usize = 18;
/// Those of them that may stand after the point.
const SCALE_MAX: usize = 12;

impl Rate {
    /// Reads a decimal number like "149.735".
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let fits = whole.len() + fraction.len() <= DIGITS_MAX && fraction.len() <= SCALE_MAX;
        if !is_number(whole) || !is_number(fraction) || !fits {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = u32::try_from(fraction.len()).ok()?;
        (digits > 0).then_some(Self { digits, scale })
    }

    /// Converts an amount in minor units of one currency into minor units of another, half to even (reference §3.9).
    /// `None`: more than 64 bits hold.
    pub fn convert(self, minor: i64, from: Currency, to: Currency) -> Option<i64> {
        let up = 10_i128.checked_pow(to.exponent().into())?;
        let product = i128::from(minor).checked_mul(self.digits)?.checked_mul(up)?;
        let unit = 10_i128.checked_pow(self.scale + u32::from(from.exponent()))?;
        let (floor, rest) = (product.div_euclid(unit), product.rem_euclid(unit));
        let is_odd = floor.rem_euclid(2) == 1;
        let rounds_up = 2 * rest > unit || (2 * rest == unit && is_odd);
        i64::try_from(floor + i128::from(rounds_up)).ok()
    }
}

/// An order in another currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentment {
    /// What is to be paid.
    pub payable_minor: i64,
    /// What is charged for the part of it that is paid in cash: all of it, where all is.
    pub charge_minor: i64,
    /// The parts of the lines.
    pub lines_minor: Vec<i64>,
    /// The part that is shipping.
    pub shipping_minor: i64,
}

impl Presentment {
    /// Converts the whole, and splits it among lines and shipping by largest remainder, so that the parts sum to it. What is paid
    /// in cash is converted by itself.
    pub fn of(
        (payable_minor, cash_minor): (i64, i64),
        lines: &[i64],
        shipping: i64,
        rate: Rate,
        (from, to): (Currency, Currency),
    ) -> Option<Self> {
        let payable = rate.convert(payable_minor, from, to)?;
        let charge_minor = rate.convert(cash_minor, from, to)?;
        let weights: Vec<i64> = lines.iter().copied().chain([shipping]).collect();
        let mut lines_minor = allocate(payable, &weights);
        let shipping_minor = lines_minor.pop()?;
        Some(Self { payable_minor: payable, charge_minor, lines_minor, shipping_minor })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn convert(minor: i64, rate: &str, from: &str, to: &str) -> i64 {
        Rate::parse(rate).unwrap().convert(minor, currency(from), currency(to)).unwrap()
    }

    #[test]
    fn amounts_are_converted_half_to_even_between_all_exponents() {
        // 19.99 USD × 149.735 = 2993.20265 JPY.
        assert_eq!(convert(1_999, "149.735", "USD", "JPY"), 2_993);
        // 0.5, 1.5 and 2.5: to 0, 2 and 2.
        assert_eq!([50, 150, 250].map(|minor| convert(minor, "1", "USD", "JPY")), [0, 2, 2]);
        assert_eq!(convert(51, "1", "USD", "JPY"), 1);
        assert_eq!(convert(1, "0.307", "CNY", "KWD"), 3);
        assert_eq!(convert(2_993, "0.0067", "JPY", "USD"), 2_005);
        assert_eq!(
            Rate::parse("1").unwrap().convert(i64::MAX, currency("JPY"), currency("KWD")),
            None
        );
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "0",
            "0.000",
            "1e3",
            "1,5",
            "1234567890123456789",
            "1.1234567890123",
        ] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
        assert!(Rate::parse("0.000000000001").is_some());
    }

    proptest! {
        #[test]
        fn the_parts_of_an_order_sum_to_the_whole_in_every_currency(
            lines in prop::collection::vec(0_i64..1_000_000, 1..20),
            shipping in 0_i64..100_000,
            digits in 1_u64..100_000_000,
            scale in 0_usize..9,
            to in prop::sample::select(vec!["JPY", "USD", "KWD", "CLF"]),
        ) {
            let text = format!("{digits:09}");
            let (whole, fraction) = text.split_at(9 - scale);
            let text = if fraction.is_empty() { whole.to_owned() } else { format!("{}.{fraction}", if whole.is_empty() { "0" } else { whole }) };
            let payable = lines.iter().sum::<i64>() + shipping;
            let pair = (currency("CNY"), currency(to));
            let rate = Rate::parse(&text).unwrap();
            let shown = Presentment::of((payable, payable), &lines, shipping, rate, pair).unwrap();
            prop_assert_eq!(shown.charge_minor, shown.payable_minor);
            let part = Presentment::of((payable, payable / 3), &lines, shipping, rate, pair).unwrap();
            prop_assert!((0..=shown.payable_minor).contains(&part.charge_minor));
            prop_assert_eq!(shown.lines_minor.iter().sum::<i64>() + shown.shipping_minor, shown.payable_minor);
            prop_assert_eq!(shown.lines_minor.len(), lines.len());
        }
    }
}
