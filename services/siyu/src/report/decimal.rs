//! A JSON number with at most six decimals, computed from integers: no float arithmetic comes near it.

use serde::{Serialize, Serializer};

use crate::number::rounded;

/// A quotient in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    millionths: i128,
}

const PLACES: u32 = 6;

impl Decimal {
    /// The quotient, half up; none without a denominator.
    pub fn of(numerator: impl Into<i128>, denominator: impl Into<i128>) -> Option<Self> {
        let millionths = rounded(numerator.into(), denominator.into(), PLACES)?;
        Some(Self { millionths })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scale = 10_i128.pow(PLACES);
        let sign = if self.millionths < 0 { "-" } else { "" };
        let (whole, part) = (self.millionths.abs() / scale, self.millionths.abs() % scale);
        // The float nearest to a decimal of up to 15 digits prints as that decimal.
        let text = format!("{sign}{whole}.{part:06}");
        let number: f64 = text.parse().map_err(serde::ser::Error::custom)?;
        serializer.serialize_f64(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_become_json_numbers_of_six_decimals() {
        let cases = [
            (250_031_563_i64, 2_357_000_i64, "106.080426"),
            (11_516, 23_570, "0.488587"),
            (1, 2, "0.5"),
            (-1, 3, "-0.333333"),
            (7, 7, "1.0"),
        ];
        for (numerator, denominator, json) in cases {
            let decimal = Decimal::of(numerator, denominator).unwrap();
            assert_eq!(serde_json::to_string(&decimal).unwrap(), json);
        }
        assert_eq!(Decimal::of(1, 0), None);
    }
}
