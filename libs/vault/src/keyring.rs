//! The keys that stand in the configuration: they seal the merchants' keys and nothing else. Pure.

use base64::{
    Engine,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD_NO_PAD,
    },
};

use super::cipher::{Cipher, KEY_LEN, derive, hex};

/// Why a configured key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is none.
    #[error("is not set")]
    Missing,
    /// It is neither hexadecimal nor base64.
    #[error("must be hexadecimal or base64")]
    Unreadable,
    /// It is too short to be a key.
    #[error("must hold at least {KEY_LEN} bytes, it holds {0}")]
    Short(usize),
}

/// One configured key.
pub(super) struct WrappingKey {
    /// What rows name it by: it follows from the key, so nobody has to number keys.
    pub(super) id: String,
    /// What it seals with.
    pub(super) cipher: Cipher,
}

/// The key that seals, and the one before it, which still opens.
pub(super) struct Keyring {
    current: WrappingKey,
    before: Option<WrappingKey>,
}

impl Keyring {
    /// Reads the configured keys; an empty `before` is none.
    pub(super) fn read(current: &str, before: &str) -> Result<Self, KeyError> {
        let before = if before.trim().is_empty() { None } else { Some(WrappingKey::read(before)?) };
        Ok(Self { current: WrappingKey::read(current)?, before })
    }

    /// The key that seals.
    pub(super) const fn current(&self) -> &WrappingKey {
        &self.current
    }

    /// The key of an id.
    pub(super) fn find(&self, id: &str) -> Option<&WrappingKey> {
        [Some(&self.current), self.before.as_ref()].into_iter().flatten().find(|key| key.id == id)
    }
}

impl WrappingKey {
    fn read(text: &str) -> Result<Self, KeyError> {
        let secret = bytes(text.trim())?;
        let id = hex(&derive(&secret, "id")[..4]);
        Ok(Self { id, cipher: Cipher::new(&derive(&secret, "wrap")) })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, KeyError> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const URL: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
    if text.is_empty() {
        return Err(KeyError::Missing);
    }
    // Base64 reads hexadecimal digits too, so these come first.
    let read = hexadecimal(text)
        .or_else(|| STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok())
        .or_else(|| URL.decode(text).ok())
        .ok_or(KeyError::Unreadable)?;
    if read.len() < KEY_LEN { Err(KeyError::Short(read.len())) } else { Ok(read) }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|c| c.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use siyu_runtime::random_bytes;

    use super::*;

    #[test]
    fn one_key_is_the_same_in_every_spelling() {
        let hex = "00ff".repeat(16);
        let key: Vec<u8> = [0_u8, 255].repeat(16);
        let standard = base64::engine::general_purpose::STANDARD.encode(&key);
        let id = |text: &str| Keyring::read(text, "").map(|ring| ring.current.id);
        let known = id(&hex).unwrap();
        for text in [
            hex.to_uppercase(),
            format!(" {hex}\n"),
            standard.clone(),
            standard.trim_end_matches('=').to_owned(),
            standard.replace('/', "_").replace('+', "-"),
        ] {
            assert_eq!(id(&text).unwrap(), known, "{text}");
        }
        assert_ne!(id(&"11ff".repeat(16)).unwrap(), known);
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let refused = |current: &str, before: &str| Keyring::read(current, before).err();
        let good = "ab".repeat(32);
        assert_eq!(refused(" ", ""), Some(KeyError::Missing));
        assert_eq!(refused("not a key!", ""), Some(KeyError::Unreadable));
        assert_eq!(refused(&"ab".repeat(31), ""), Some(KeyError::Short(31)));
        assert_eq!(refused(&good, "abcd"), Some(KeyError::Short(2)));
        assert_eq!(refused(&good, ""), None);
    }

    #[test]
    fn the_key_before_opens_what_it_sealed_and_a_stranger_is_not_found() {
        let (old, new) = ("ab".repeat(32), "cd".repeat(32));
        let alone = Keyring::read(&old, "").unwrap();
        let sealed = alone.current().cipher.seal(random_bytes::<32>, b"m", b"key");
        let rotated = Keyring::read(&new, &old).unwrap();
        let before = rotated.find(&alone.current().id).unwrap();
        assert_eq!(before.cipher.open(b"m", &sealed).unwrap(), b"key");
        assert_ne!(rotated.current().id, alone.current().id);
        assert!(Keyring::read(&new, "").unwrap().find(&alone.current().id).is_none());
    }
}
