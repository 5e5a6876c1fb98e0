//! ISO 4217 currencies in circulation with their number of minor digits (reference §3.9).

use std::{fmt, str::FromStr};

/// A currency in circulation: three upper-case letters and the digits of its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// A code that is no currency in circulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an ISO 4217 currency in circulation")]
pub struct CurrencyError(String);

const ZERO_DIGITS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DIGITS: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR_DIGITS: &str = "CLF UYW";
const TWO_DIGITS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD \
    BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD \
    FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK \
    LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR \
    NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC \
    SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

impl Currency {
    /// Reads an upper-case code.
    ///
    /// # Errors
    /// [`CurrencyError`] when no currency in circulation has the code (`XAU`, `XDR` and other X-codes have no amounts).
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        let listed = |list: &str| list.split_ascii_whitespace().any(|c| c == code);
        let exponent = match code {
            c if listed(TWO_DIGITS) && c.len() == 3 => 2,
            _ if listed(ZERO_DIGITS) => 0,
            _ if listed(THREE_DIGITS) => 3,
            _ if listed(FOUR_DIGITS) => 4,
            _ => return Err(CurrencyError(code.to_owned())),
        };
        let code = code.as_bytes().try_into().map_err(|_| CurrencyError(code.to_owned()))?;
        Ok(Self { code, exponent })
    }

    /// The code in upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("codes are ASCII")
    }

    /// How many decimal digits the minor unit has: 2 for CNY, 0 for JPY.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// How many minor units one major unit has: 100 for CNY.
    #[must_use]
    pub const fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent as u32)
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;
    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::parse(code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_the_standard_and_x_codes_are_refused() {
        for (code, digits) in
            [("CNY", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XAF", 0)]
        {
            assert_eq!(Currency::parse(code).map(Currency::exponent), Ok(digits), "{code}");
        }
        for code in ["XAU", "XDR", "cny", "ZZZ", "", "CN", "CNYY", "CNY USD"] {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }
}
