//! Eight digits.

use std::fmt;

/// A pick-up code. It is not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct PickupCode(String);

/// A text that is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not eight digits")]
pub struct NoCode;

const DIGITS: usize = 8;
const CODES: u64 = 100_000_000;
/// Numbers from here on are drawn again, so that no code is likelier than another.
const FAIR: u64 = u64::MAX - u64::MAX % CODES;

impl PickupCode {
    /// Draws a code from bytes that nobody can guess.
    pub fn draw(random: impl Fn() -> [u8; 8]) -> Self {
        loop {
            let drawn = u64::from_le_bytes(random());
            if drawn < FAIR {
                return Self(format!("{:0DIGITS$}", drawn % CODES));
            }
        }
    }

    /// Reads what somebody shows; nothing when it cannot be a code.
    pub fn parse(shown: &str) -> Option<Self> {
        let is_code = shown.len() == DIGITS && shown.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| Self(shown.to_owned()))
    }

    /// The digits, for the buyer and for the column.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PickupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl TryFrom<String> for PickupCode {
    type Error = NoCode;
    fn try_from(text: String) -> Result<Self, NoCode> {
        Self::parse(&text).ok_or(NoCode)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_code_has_eight_digits_and_is_not_printed() {
        let code = PickupCode::draw(|| 42_u64.to_le_bytes());
        assert_eq!(code.expose(), "00000042");
        assert_eq!(format!("{code:?}"), "********");
        assert_eq!(PickupCode::parse("00000042"), Some(code));
        for text in ["", "0000042", "000000042", "0000004x", "٠٠٠٠"] {
            assert_eq!(PickupCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_would_make_some_codes_likelier_are_drawn_again() {
        let draws = Cell::new(0_u64);
        let random = || {
            draws.set(draws.get() + 1);
            if draws.get() < 3 { [0xff; 8] } else { (CODES + 7).to_le_bytes() }
        };
        assert_eq!(PickupCode::draw(random).expose(), "00000007");
        assert_eq!(draws.get(), 3);
        assert_eq!(FAIR % CODES, 0);
    }
}
