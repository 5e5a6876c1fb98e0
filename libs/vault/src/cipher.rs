//! The mathematics of the vault, which is ring's: AES-256-GCM, HMAC-SHA256, HKDF-SHA256. Pure: keys and nonces come in.

use std::fmt::Write as _;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
};

/// The bytes of every key.
pub(super) const KEY_LEN: usize = 32;

/// 32 bytes that nobody can guess.
pub type Random = fn() -> [u8; KEY_LEN];

/// Seals and opens with one key. What is sealed reads: nonce, ciphertext, tag.
pub(super) struct Cipher(LessSafeKey);

/// Makes digests with one key.
pub(super) struct Digester(hmac::Key);

impl Cipher {
    /// The cipher of a key.
    pub(super) fn new(key: &[u8; KEY_LEN]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals a text. The nonce is drawn anew: with 96 random bits, one key may seal 2^32 texts before two of them share a
    /// nonce with a chance of 2^-32 (NIST SP 800-38D §8.3).
    pub(super) fn seal(&self, random: Random, bound_to: &[u8], clear: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random()[..NONCE_LEN]);
        let mut text = clear.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to),
                &mut text,
            )
            .expect("a text is far below the 64 GiB of GCM");
        [nonce.as_slice(), &text].concat()
    }

    /// Opens what was sealed and bound to the same; `None` for anything else.
    pub(super) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let clear = self.0.open_in_place(nonce, Aad::from(bound_to), &mut text).ok()?;
        Some(clear.to_vec())
    }
}

impl Digester {
    /// The digester of a key.
    pub(super) fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The digest of several texts; where one ends and the next begins makes a difference.
    pub(super) fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let tag = hmac::sign(&self.0, &joined(parts));
        tag.as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

/// A key for one purpose, from a secret of any length (RFC 5869).
pub(super) fn derive(secret: &[u8], purpose: &str) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"siyu vault")
        .extract(secret)
        .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("the length asked for is that of the digest");
    key
}

/// Texts in one, each after its length, so that no two lists give the same bytes.
pub(super) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a text takes more text");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use siyu_runtime::random_bytes;

    use super::*;

    #[test]
    fn what_is_sealed_opens_again_and_never_looks_the_same() {
        let cipher = Cipher::new(&[7; 32]);
        let (mut nonces, mut texts) = (HashSet::new(), HashSet::new());
        for _ in 0..20_000 {
            let sealed = cipher.seal(random_bytes::<32>, b"here", b"+8613800138000");
            assert_eq!(cipher.open(b"here", &sealed).unwrap(), b"+8613800138000");
            assert!(nonces.insert(sealed[..NONCE_LEN].to_vec()), "a nonce came twice");
            assert!(texts.insert(sealed));
        }
    }

    #[test]
    fn a_bit_that_was_changed_anywhere_is_noticed() {
        let cipher = Cipher::new(&[7; 32]);
        let sealed = cipher.seal(random_bytes::<32>, b"here", b"Li Lei");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(cipher.open(b"here", &changed), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(cipher.open(b"here", &sealed[..length]), None, "{length} bytes");
        }
        assert_eq!(cipher.open(b"there", &sealed), None);
        assert_eq!(Cipher::new(&[8; 32]).open(b"here", &sealed), None);
    }

    #[test]
    fn digests_differ_by_key_by_text_and_by_where_a_text_ends() {
        let (one, two) = (Digester::new(&[1; 32]), Digester::new(&[2; 32]));
        assert_eq!(one.digest(&[b"ab", b"c"]), one.digest(&[b"ab", b"c"]));
        assert_ne!(one.digest(&[b"ab", b"c"]), one.digest(&[b"a", b"bc"]));
        assert_ne!(one.digest(&[b"ab", b"c"]), two.digest(&[b"ab", b"c"]));
        assert_ne!(derive(b"secret", "a"), derive(b"secret", "b"));
        assert_ne!(derive(b"secret", "a"), derive(b"secreu", "a"));
    }
}
