//! What a secret is, what a token is, and which scopes it may hold.

use std::{collections::BTreeSet, fmt};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::Digest as _;
use siyu_kernel::{
    Fault, Id,
    kind::{self, Merchant},
};

/// What a caller sends as `Authorization: Bearer …`: "syt_" and 256 random bits. It is not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The digest of a secret: SHA-256, by which a token is stored and found. A secret cannot be had from it, and since looking
/// one up compares digests, the time that it takes tells nothing of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Token {
    /// Its id.
    pub id: Id<kind::Token>,
    /// Whose it is.
    pub merchant_id: Id<Merchant>,
    /// For people.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

const PREFIX: &str = "syt_";
const RANDOM_CHARS: usize = 43;

impl Secret {
    /// The secret of 256 random bits.
    pub fn new(random: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random)))
    }

    /// Its digest.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0).expect("a secret has the form of one")
    }

    /// The text itself, for the one place that tells it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("syt_***")
    }
}

impl Digest {
    /// The digest of what a caller sent; `None` when that cannot be a secret, so that nobody needs to look for it.
    pub fn of(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (body.len() == RANDOM_CHARS && body.bytes().all(is_plain))
            .then(|| Self(sha2::Sha256::digest(text).into()))
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let digits: Vec<u8> = hex
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect::<Option<_>>()?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n * 16 + d)).collect();
        (hex.len() == 64).then(|| bytes.try_into().ok().map(Self))?
    }

    pub(crate) fn from_column(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Token {
    /// Whether it opens the door at an instant.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Reads the scopes that a token shall hold, each once and in order; none means every scope. Only what some method asks for
/// can be held: a misspelled scope would be a token that opens nothing.
pub(super) fn scopes(wanted: &[String], known: &BTreeSet<String>) -> Result<Vec<String>, Fault> {
    if wanted.is_empty() {
        return Ok(vec!["*".to_owned()]);
    }
    for (i, scope) in wanted.iter().enumerate() {
        let is_known = match scope.strip_suffix('*') {
            Some("") => true,
            Some(prefix) => prefix.ends_with('.') && known.iter().any(|k| k.starts_with(prefix)),
            None => known.contains(scope),
        };
        if !is_known {
            return Err(Fault::field(format!("scopes[{i}]"), "is no scope of the suite"));
        }
    }
    Ok(wanted.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_43_characters_behind_its_prefix_and_never_printed() {
        let secret = Secret::new([7; 32]);
        assert_eq!(secret.expose().len(), 47);
        assert!(secret.expose().starts_with("syt_BwcHBwcH"), "{}", secret.expose());
        assert_eq!(format!("{secret:?}"), "syt_***");
        let digest = secret.digest();
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
    }

    #[test]
    fn what_cannot_be_a_secret_has_no_digest() {
        let good = Secret::new([1; 32]).expose().to_owned();
        assert!(Digest::of(&good).is_some());
        for bad in
            ["", "syt_", &good[1..], &good[..46], &format!("{good}A"), &good.replace('A', "+")]
        {
            assert_eq!(Digest::of(bad), None, "{bad}");
        }
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66), &"é".repeat(32)] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn scopes_are_those_of_the_contracts() {
        let known = BTreeSet::from(["orders.read".to_owned(), "orders.write".to_owned()]);
        let read = |wanted: &[&str]| {
            scopes(&wanted.iter().map(|&w| w.to_owned()).collect::<Vec<_>>(), &known)
        };
        assert_eq!(read(&[]).unwrap(), ["*"]);
        assert_eq!(read(&["orders.*", "*", "orders.*"]).unwrap(), ["*", "orders.*"]);
        for bad in ["order.read", "orders*", "o*", "orders.", "**", "events.read", ""] {
            let fault = read(&["orders.read", bad]).unwrap_err();
            assert_eq!(fault.violations()[0].field, "scopes[1]", "{bad}");
        }
    }

    #[test]
    fn a_token_ends_at_its_time_and_by_revocation() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let mut token = Token {
            id: siyu_testkit::id(1),
            merchant_id: siyu_testkit::merchant(1),
            name: "shop".to_owned(),
            scopes: vec!["*".to_owned()],
            created_at: at("2024-01-01T00:00:00Z"),
            expires_at: Some(at("2024-02-01T00:00:00Z")),
            revoked_at: None,
        };
        assert!(token.is_live(at("2024-01-31T23:59:59Z")));
        assert!(!token.is_live(at("2024-02-01T00:00:00Z")));
        token.revoked_at = Some(at("2024-01-02T00:00:00Z"));
        assert!(!token.is_live(at("2024-01-03T00:00:00Z")));
    }
}
