#![doc = include_str!("../README.md")]

mod cipher;
mod keyring;
pub mod store;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Db;

use cipher::{Cipher, Digester, KEY_LEN, derive, hex, joined};
use keyring::Keyring;
use store::WrappedKey;

pub use cipher::Random;
pub use keyring::KeyError;

/// The merchants whose keys are kept opened: a few hundred bytes each, and opening them again is one look-up.
const MERCHANTS_MAX: usize = 10_000;

/// The form of a sealed value; another one would begin with another byte.
const FORM: u8 = 1;
/// The form, and the number of the key.
const HEADER_LEN: usize = 5;

/// Holds the configured key, and the merchants' keys that were opened with it. Clones share them.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    keyring: Keyring,
    random: Random,
    opened: RwLock<HashMap<Id<Merchant>, Keys>>,
}

/// The keys of one merchant, ready to seal and to open. Clones share them.
#[derive(Clone)]
pub struct Keys(Arc<MerchantKeys>);

struct MerchantKeys {
    merchant: Id<Merchant>,
    random: Random,
    /// By number, oldest first; the last one seals.
    ciphers: Vec<(i32, Cipher)>,
    digester: Digester,
}

/// Where a sealed value stands: it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What kind of value it is, for example `profile.name`.
    pub kind: &'a str,
    /// The row that it belongs to.
    pub row: &'a str,
}

/// Why a value or a key does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no sealed value.
    #[error("not a sealed value")]
    Form,
    /// It was sealed with a key that the merchant does not have.
    #[error("sealed with the key {0}, which the merchant does not have")]
    UnknownKey(i32),
    /// It was changed, or sealed for another merchant, another kind or another row.
    #[error("the sealed value was changed or belongs elsewhere")]
    Refused,
    /// The key of a merchant was sealed by a configured key that is not there.
    #[error(
        "vault_key is not the key that the service's data were sealed with, nor is vault_key_before"
    )]
    ForeignKey,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::internal(error)
    }
}

impl Vault {
    /// A vault on the configured key; `before` is the one before it, which still opens, or empty.
    pub fn new(current: &str, before: &str, random: Random) -> Result<Self, KeyError> {
        let keyring = Keyring::read(current, before)?;
        Ok(Self(Arc::new(Inner { keyring, random, opened: RwLock::default() })))
    }

    /// The keys of a merchant, drawn at the first time. Asked for before a transaction of the merchant is opened: it may need
    /// one of its own.
    pub async fn keys(
        &self,
        db: &Db,
        merchant: Id<Merchant>,
        now: DateTime<Utc>,
    ) -> Result<Keys, Fault> {
        if let Some(keys) = self.find(merchant) {
            return Ok(keys);
        }
        let mut tx = db.tenant(merchant).await?;
        let mut rows = store::list(&mut tx).await?;
        if rows.is_empty() {
            let key = self.wrap(merchant, 1, &(self.0.random)());
            store::insert(&mut tx, &key, now).await?;
            rows = store::list(&mut tx).await?;
        }
        let keys = self.open(merchant, &rows)?;
        // The configured key was replaced: from now on the new one seals, and once all merchants came by, the old one may go.
        for row in rows.iter().filter(|row| row.wrapped_by != self.0.keyring.current().id) {
            let key = self.unwrap_key(merchant, row)?;
            store::save(&mut tx, &self.wrap(merchant, row.number, &key)).await?;
        }
        tx.commit().await?;
        self.remember(&keys);
        Ok(keys)
    }

    /// Whether the configured keys open what is in the database, under the name of a job. Said at the start, not when
    /// something is looked up.
    pub async fn check(&self, db: &Db, job: &'static str) -> Result<(), Fault> {
        let mut tx = db.system(job).await?;
        let used = store::wrapped_by(&mut tx).await?;
        if used.iter().all(|id| self.0.keyring.find(id).is_some()) {
            Ok(())
        } else {
            Err(Error::ForeignKey.into())
        }
    }

    fn find(&self, merchant: Id<Merchant>) -> Option<Keys> {
        self.0.opened.read().unwrap_or_else(PoisonError::into_inner).get(&merchant).cloned()
    }

    fn remember(&self, keys: &Keys) {
        let mut opened = self.0.opened.write().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= MERCHANTS_MAX {
            opened.clear();
        }
        opened.insert(keys.0.merchant, keys.clone());
    }

    fn wrap(&self, merchant: Id<Merchant>, number: i32, key: &[u8; KEY_LEN]) -> WrappedKey {
        let current = self.0.keyring.current();
        let wrapped = current.cipher.seal(self.0.random, &bound_key(merchant, number), key);
        WrappedKey { number, wrapped_by: current.id.clone(), wrapped }
    }

    fn unwrap_key(&self, merchant: Id<Merchant>, row: &WrappedKey) -> Result<[u8; KEY_LEN], Error> {
        let by = self.0.keyring.find(&row.wrapped_by).ok_or(Error::ForeignKey)?;
        let key = by.cipher.open(&bound_key(merchant, row.number), &row.wrapped);
        key.and_then(|key| key.try_into().ok()).ok_or(Error::Refused)
    }

    fn open(&self, merchant: Id<Merchant>, rows: &[WrappedKey]) -> Result<Keys, Error> {
        let keys = rows.iter().map(|row| Ok((row.number, self.unwrap_key(merchant, row)?)));
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        // Digests must stay what they are when another key begins to seal: they follow from the first key.
        let (_, first) = keys.first().ok_or(Error::UnknownKey(1))?;
        let digester = Digester::new(&derive(first, "digest"));
        let cipher = |(number, key): &(i32, [u8; KEY_LEN])| (*number, Cipher::new(key));
        let ciphers = keys.iter().map(cipher).collect();
        let random = self.0.random;
        Ok(Keys(Arc::new(MerchantKeys { merchant, random, ciphers, digester })))
    }
}

/// A key for the configuration.
pub fn new_key(random: Random) -> String {
    hex(&random())
}

fn bound_key(merchant: Id<Merchant>, number: i32) -> Vec<u8> {
    joined(&[b"key", merchant.uuid().as_bytes(), &number.to_be_bytes()])
}

impl Keys {
    /// Seals a text for one place.
    pub fn seal(&self, place: Place<'_>, clear: &str) -> Vec<u8> {
        self.seal_bytes(place, clear.as_bytes())
    }

    /// Seals bytes for one place.
    pub fn seal_bytes(&self, place: Place<'_>, clear: &[u8]) -> Vec<u8> {
        let (number, cipher) = self.0.ciphers.last().expect("a merchant has a key");
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(&number.to_be_bytes());
        let bound = self.bound(&sealed, place);
        sealed.extend(cipher.seal(self.0.random, &bound, clear));
        sealed
    }

    /// Opens a text that was sealed for this place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, Error> {
        String::from_utf8(self.open_bytes(place, sealed)?).map_err(|_| Error::Form)
    }

    /// Opens what was sealed for this place.
    pub fn open_bytes(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (header, text) = sealed.split_at_checked(HEADER_LEN).ok_or(Error::Form)?;
        let [FORM, number @ ..] = header else { return Err(Error::Form) };
        let number = i32::from_be_bytes(number.try_into().map_err(|_| Error::Form)?);
        let cipher = self.0.ciphers.iter().find(|(known, _)| *known == number);
        let (_, cipher) = cipher.ok_or(Error::UnknownKey(number))?;
        cipher.open(&self.bound(header, place), text).ok_or(Error::Refused)
    }

    /// The digest of a text of a kind, by which equal ones are found: the same for ever, and another one at every merchant.
    pub fn digest(&self, kind: &str, clear: &str) -> String {
        let digest = self.0.digester.digest(&[kind.as_bytes(), clear.as_bytes()]);
        hex(&digest)
    }

    /// What tells a repeat of a request from another one, where the request holds something personal: without the key nobody
    /// finds out by trying what stood in it. Given to [`siyu_pg::replay::find`] in place of the request.
    pub fn fingerprint(&self, request: &impl Message) -> String {
        hex(&self.fingerprint_bytes(request))
    }

    /// The same as bytes.
    pub fn fingerprint_bytes(&self, request: &impl Message) -> [u8; 32] {
        self.0.digester.digest(&[b"request", &request.encode_to_vec()])
    }

    fn bound(&self, header: &[u8], place: Place<'_>) -> Vec<u8> {
        let merchant = self.0.merchant.uuid();
        joined(&[header, merchant.as_bytes(), place.kind.as_bytes(), place.row.as_bytes()])
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.merchant)
    }
}

#[cfg(test)]
mod tests;
