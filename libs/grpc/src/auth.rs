//! Assertions: short-lived signed statements of who calls, from the gateway or a sibling service.
//!
//! Invariant: only HS256 under one of our keys is accepted, and the time is the caller's parameter, so that a test's clock and
//! the server's are the same one.

mod cache;

use std::{collections::HashSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};

use crate::{access::Scopes, ctx::Caller, limits};
use cache::Bounded;

/// Signs and verifies assertions; shared by everything in a process. It remembers what it signed and verified, so that a
/// repeated token costs a look-up.
pub struct Assertions {
    sign: EncodingKey,
    accept: Vec<DecodingKey>,
    validation: Validation,
    minted: Bounded<Identity, (Arc<str>, DateTime<Utc>)>,
    verified: Bounded<Arc<str>, Verified>,
}

/// What an assertion states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whose credential.
    pub caller: Caller,
    /// The credential's id or the service's name.
    pub subject: Arc<str>,
    /// What it may do.
    pub scopes: Scopes,
    /// When the statement ends.
    pub expires: DateTime<Utc>,
}

/// A key that is too short to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the assertion key must have at least {} bytes", limits::ASSERTION_KEY_BYTES)]
pub struct WeakKey;

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("the assertion has expired")]
    Expired,
    /// It is not ours, was changed, or states what we never state.
    #[error("the assertion is not valid: {0}")]
    Invalid(String),
}

/// Who a token is minted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    caller: Caller,
    subject: Arc<str>,
    scopes: Scopes,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mch: Option<String>,
    aud: String,
    scp: String,
    iat: i64,
    exp: i64,
}

const MERCHANT: &str = "merchant";
const PLATFORM: &str = "platform";
const INTERNAL: &str = "internal";

impl Assertions {
    /// Signs and verifies with one key.
    ///
    /// # Errors
    /// [`WeakKey`] when it has less than 32 bytes, the size of the hash (RFC 7518 §3.2).
    pub fn new(key: &[u8]) -> Result<Self, WeakKey> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The library reads the system's clock; `verify` checks the time against its parameter instead.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.required_spec_claims = HashSet::from(["exp", "aud", "sub"].map(str::to_owned));
        validation.set_audience(&[MERCHANT, PLATFORM, INTERNAL]);
        Ok(Self {
            sign: EncodingKey::from_secret(strong(key)?),
            accept: vec![DecodingKey::from_secret(key)],
            validation,
            minted: Bounded::new(limits::ASSERTIONS_REMEMBERED),
            verified: Bounded::new(limits::ASSERTIONS_REMEMBERED),
        })
    }

    /// Also verifies with another key, so that a key can be replaced while services run.
    ///
    /// # Errors
    /// As [`Assertions::new`].
    pub fn accepting(mut self, key: &[u8]) -> Result<Self, WeakKey> {
        self.accept.push(DecodingKey::from_secret(strong(key)?));
        Ok(self)
    }

    /// A token that states who calls, good for at least half of an assertion's life from `now`.
    pub fn mint(
        &self,
        caller: Caller,
        subject: &Arc<str>,
        scopes: &Scopes,
        now: DateTime<Utc>,
    ) -> Arc<str> {
        let half = limits::ASSERTION_LIFE / 2;
        let identity = Identity { caller, subject: subject.clone(), scopes: scopes.clone() };
        if let Some((token, expires)) = self.minted.get(&identity) {
            // A clock that was set back must not bring back a token from the future.
            if expires - now > half && expires - now <= limits::ASSERTION_LIFE {
                return token;
            }
        }
        let expires = now + limits::ASSERTION_LIFE;
        let token = self.sign(&identity, now, expires);
        self.minted.put(identity, (token.clone(), expires));
        token
    }

    /// Reads a token at the instant `now`.
    ///
    /// # Errors
    /// [`Refused`], for the log: the caller only learns whether it has expired.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, Refused> {
        if token.len() > limits::ASSERTION_BYTES {
            return Err(Refused::Invalid(format!("it has {} bytes", token.len())));
        }
        if let Some(verified) = self.verified.get(token) {
            return verified.at(now);
        }
        let verified = Verified::read(self.claims(token)?)?.at(now)?;
        self.verified.put(token.into(), verified.clone());
        Ok(verified)
    }

    fn sign(&self, who: &Identity, now: DateTime<Utc>, expires: DateTime<Utc>) -> Arc<str> {
        let audience = match who.caller {
            Caller::Merchant(_) => MERCHANT,
            Caller::Platform => PLATFORM,
            Caller::Internal(_) => INTERNAL,
        };
        let claims = Claims {
            sub: who.subject.to_string(),
            mch: who.caller.merchant().map(|merchant| merchant.to_string()),
            aud: audience.to_owned(),
            scp: who.scopes.as_str().to_owned(),
            iat: now.timestamp(),
            exp: expires.timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .expect("texts and numbers have a JSON form, and a secret signs HS256")
            .into()
    }

    fn claims(&self, token: &str) -> Result<Claims, Refused> {
        let mut refused = Refused::Invalid("there is no key".to_owned());
        for key in &self.accept {
            match jsonwebtoken::decode::<Claims>(token, key, &self.validation) {
                Ok(data) => return Ok(data.claims),
                Err(error) => {
                    let is_foreign = matches!(error.kind(), ErrorKind::InvalidSignature);
                    refused = Refused::Invalid(error.to_string());
                    if !is_foreign {
                        break;
                    }
                }
            }
        }
        Err(refused)
    }
}

impl Verified {
    fn read(claims: Claims) -> Result<Self, Refused> {
        let merchant: Option<Id<Merchant>> = claims
            .mch
            .map(|id| id.parse().map_err(|error| Refused::Invalid(format!("mch {error}"))))
            .transpose()?;
        let caller = match (claims.aud.as_str(), merchant) {
            (MERCHANT, Some(merchant)) => Caller::Merchant(merchant),
            (PLATFORM, None) => Caller::Platform,
            (INTERNAL, merchant) => Caller::Internal(merchant),
            _ => return Err(Refused::Invalid("audience and merchant do not fit".to_owned())),
        };
        if claims.sub.is_empty() {
            return Err(Refused::Invalid("there is no subject".to_owned()));
        }
        let time = |secs| {
            DateTime::from_timestamp(secs, 0)
                .ok_or_else(|| Refused::Invalid("a time is out of range".to_owned()))
        };
        let (issued, expires) = (time(claims.iat)?, time(claims.exp)?);
        // What lives longer than we ever grant was not minted by us, whoever holds the key.
        if expires - issued > limits::ASSERTION_LIFE || expires < issued {
            return Err(Refused::Invalid("it lives too long".to_owned()));
        }
        let scopes = Scopes::parse(&claims.scp);
        Ok(Self { caller, subject: claims.sub.into(), scopes, expires })
    }

    fn at(self, now: DateTime<Utc>) -> Result<Self, Refused> {
        if now >= self.expires + limits::CLOCK_SKEW {
            return Err(Refused::Expired);
        }
        // Both clocks may differ by the skew; beyond it the statement is from a future that has not come.
        if self.expires > now + limits::ASSERTION_LIFE + limits::CLOCK_SKEW {
            return Err(Refused::Invalid("it is from the future".to_owned()));
        }
        Ok(self)
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let (reason, message) = match &refused {
            Refused::Expired => ("CREDENTIAL_EXPIRED", "the credential has expired"),
            Refused::Invalid(_) => ("CREDENTIAL_INVALID", "the credential is not valid"),
        };
        Self::new(Code::Unauthenticated, reason, message).caused_by(refused)
    }
}

impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertions").field("keys", &self.accept.len()).finish_non_exhaustive()
    }
}

fn strong(key: &[u8]) -> Result<&[u8], WeakKey> {
    if key.len() < limits::ASSERTION_KEY_BYTES { Err(WeakKey) } else { Ok(key) }
}
