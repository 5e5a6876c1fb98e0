//! Numbers as people read them. Integers only: no amount passes through a float on its way to the screen.

use siyu_kernel::Currency;

/// A count with its thousands apart: `69,659`.
pub(crate) fn grouped(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things: `1 order`, `2 orders`.
pub(crate) fn counted(number: i64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// An amount in major units without its currency: `2,500,315.63`.
pub(crate) fn amount(minor: i64, currency: Currency) -> String {
    let places = u32::from(currency.exponent());
    let scaled = decimal(i128::from(minor), i128::from(currency.minor_per_major()), places);
    scaled.expect("a currency's scale is not zero")
}

/// A quotient with so many decimals, half up, its thousands apart; none without a denominator.
pub(crate) fn decimal(numerator: i128, denominator: i128, places: u32) -> Option<String> {
    let scaled = rounded(numerator, denominator, places)?;
    let scale = 10_i128.pow(places);
    let sign = if scaled < 0 { "-" } else { "" };
    let (whole, part) = (scaled.abs() / scale, scaled.abs() % scale);
    let whole = grouped(whole);
    let width = places as usize;
    Some(if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part:0width$}")
    })
}

/// A quotient times 10^places, half up (away from zero); none without a denominator or beyond 128 bits.
pub(crate) fn rounded(numerator: i128, denominator: i128, places: u32) -> Option<i128> {
    let scaled = numerator.checked_mul(10_i128.checked_pow(places)?)?;
    let quotient = scaled.checked_div(denominator)?;
    let rest = scaled - quotient * denominator;
    let away = rest.unsigned_abs().checked_mul(2)? >= denominator.unsigned_abs();
    let step = if (scaled < 0) == (denominator < 0) { 1 } else { -1 };
    Some(if away { quotient + step } else { quotient })
}

/// A count in few characters: `400`, `2.5k`, `12M`. At most three digits and a letter, half up.
pub(crate) fn compact(number: i64) -> String {
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1000, "k")];
    let unit = units.into_iter().find(|&(size, _)| number.unsigned_abs() >= size);
    let Some((size, letter)) = unit else { return number.to_string() };
    let places = u32::from(number.unsigned_abs() < size * 10);
    let text = decimal(number.into(), size.into(), places).expect("no unit is zero");
    format!("{}{letter}", text.strip_suffix(".0").unwrap_or(&text))
}

/// A figure of a model with two decimals: `1,234.57`.
pub(crate) fn hundredths(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{number:.2}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let whole = whole.parse::<i128>().map_or_else(|_| whole.to_owned(), grouped);
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let cases = [
            (250_031_563, "USD", "2,500,315.63"),
            (5, "CNY", "0.05"),
            (-105, "CNY", "-1.05"),
            (2993, "JPY", "2,993"),
            (1, "KWD", "0.001"),
            (i64::MIN, "JPY", "-9,223,372,036,854,775,808"),
        ];
        for (minor, code, text) in cases {
            assert_eq!(amount(minor, Currency::parse(code).unwrap()), text);
        }
    }

    #[test]
    fn counts_on_an_axis_are_short() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1k"),
            (2500, "2.5k"),
            (400_000, "400k"),
            (1_250_000, "1.3M"),
            (12_000_000_000, "12B"),
        ];
        for (number, text) in cases {
            assert_eq!(compact(number), text);
        }
    }

    #[test]
    fn model_figures_have_two_decimals() {
        let cases = [(0.0, "0.00"), (1234.567, "1,234.57"), (-0.5, "-0.50"), (f64::NAN, "–")];
        for (number, text) in cases {
            assert_eq!(hundredths(number), text);
        }
    }

    #[test]
    fn quotients_are_rounded_half_away_from_zero_and_undefined_without_a_denominator() {
        let cases = [
            (250_031_563, 23570 * 100, 6, Some("106.080426")),
            (1, 2, 0, Some("1")),
            (-1, 2, 0, Some("-1")),
            (1, 3, 2, Some("0.33")),
            (2, 3, 2, Some("0.67")),
            (1, 0, 2, None),
            (0, 7, 1, Some("0.0")),
        ];
        for (numerator, denominator, places, text) in cases {
            assert_eq!(decimal(numerator, denominator, places).as_deref(), text);
        }
    }
}
