//! Card numbers: 19 digits, the first one 8, the last one a check digit. The seventeen between come from random bits, so that
//! a number tells nothing of another one.

use uuid::Uuid;

/// Seventeen digits.
const SPACE: u64 = 100_000_000_000_000_000;

/// The number that a random id makes. Its last 62 bits are random in any version.
pub fn number(random: Uuid) -> String {
    let bits = random.as_u64_pair().1 & (u64::MAX >> 2);
    let digits = format!("8{:017}", bits % SPACE);
    let check = check_digit(&digits);
    format!("{digits}{check}")
}

/// The digit that makes a mistyped digit, and most swapped ones, show (Luhn, ISO/IEC 7812-1).
fn check_digit(digits: &str) -> u32 {
    let weigh = |(i, digit): (usize, u32)| {
        if i % 2 == 1 {
            digit
        } else if digit > 4 {
            digit * 2 - 9
        } else {
            digit * 2
        }
    };
    let sum: u32 = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate().map(weigh).sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        assert_eq!(check_digit("7992739871"), 3);
    }

    proptest! {
        #[test]
        fn a_number_has_19_digits_and_another_digit_anywhere_shows(
            random: u128, at in 0..19_usize, by in 1..10_u32,
        ) {
            let number = number(Uuid::from_u128(random));
            prop_assert_eq!(number.len(), 19);
            let mut digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
            digits[at] = (digits[at] + by) % 10;
            let text: String = digits[..18].iter().map(ToString::to_string).collect();
            prop_assert_ne!(check_digit(&text), digits[18]);
        }
    }
}
