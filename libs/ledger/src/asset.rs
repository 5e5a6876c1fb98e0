//! What an account counts: a currency, points, growth. Amounts of two assets never meet in one transfer.

use std::{fmt, str::FromStr};

use siyu_kernel::Currency;

/// The name of what is counted: 1 to 16 ASCII letters, digits or underscores, like `CNY` or `points`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Asset {
    bytes: [u8; Self::LONGEST],
    len: u8,
}

/// A text that cannot name an asset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not 1 to 16 letters, digits or underscores")]
pub struct AssetError(String);

impl Asset {
    const LONGEST: usize = 16;

    /// Names an asset in a constant.
    ///
    /// # Panics
    /// When the text cannot name an asset, so a bad constant does not compile.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        match Self::read(name.as_bytes()) {
            Some(asset) => asset,
            None => panic!("an asset is named by 1 to 16 letters, digits or underscores"),
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// [`AssetError`] when the text cannot name an asset.
    pub fn parse(name: &str) -> Result<Self, AssetError> {
        Self::read(name.as_bytes()).ok_or_else(|| AssetError(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("names are ASCII")
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 16, and try_from is not const")]
    const fn read(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > Self::LONGEST {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        let mut i = 0;
        while i < name.len() {
            if !name[i].is_ascii_alphanumeric() && name[i] != b'_' {
                return None;
            }
            bytes[i] = name[i];
            i += 1;
        }
        Some(Self { bytes, len: name.len() as u8 })
    }
}

impl From<Currency> for Asset {
    fn from(currency: Currency) -> Self {
        Self::new(currency.code())
    }
}

impl FromStr for Asset {
    type Err = AssetError;
    fn from_str(name: &str) -> Result<Self, AssetError> {
        Self::parse(name)
    }
}

impl TryFrom<String> for Asset {
    type Error = AssetError;
    fn try_from(name: String) -> Result<Self, AssetError> {
        Self::parse(&name)
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_other_texts_are_refused() {
        for name in ["CNY", "points", "growth_2", "a234567890123456"] {
            assert_eq!(Asset::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "积分", "a b", "a-b", "a2345678901234567"] {
            assert_eq!(Asset::parse(name), Err(AssetError(name.to_owned())), "{name}");
        }
        assert_eq!(Asset::from(Currency::parse("JPY").unwrap()), Asset::new("JPY"));
    }
}
