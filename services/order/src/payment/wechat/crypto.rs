//! The mathematics of WeChat Pay v3, which is ring's: RSA PKCS#1 v1.5 with SHA-256 to sign and to verify, AES-256-GCM to open.
//! Pure.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, pem::PemObject};
use webpki::{EndEntityCert, RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

/// The bytes of the key that notifications are sealed with; other lengths are refused.
pub const API_KEY_LEN: usize = 32;

/// Why a key cannot be used or a text cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// It is no private key.
    #[error("must be an RSA private key of at least 2048 bits, PEM")]
    PrivateKey,
    /// It is neither a certificate nor a public key.
    #[error("must be a certificate or an RSA public key of at least 2048 bits, PEM")]
    PublicKey,
    /// The certificate has another serial number.
    #[error("is a certificate with another serial number")]
    Serial,
    /// The key has another length than it must have.
    #[error("must have {API_KEY_LEN} bytes")]
    ApiKey,
    /// It was changed, or sealed with another key.
    #[error("cannot be opened with the key")]
    Sealed,
}

/// Signs with the merchant's key.
pub struct Signer(RsaKeyPair);

/// Checks signatures of one key of the company.
#[derive(Debug, Clone)]
pub struct Verifier {
    serial: String,
    key: Public,
}

#[derive(Debug, Clone)]
enum Public {
    Certificate(CertificateDer<'static>),
    Key(SubjectPublicKeyInfoDer<'static>),
}

impl Signer {
    /// Reads a key.
    pub fn read(pem: &str) -> Result<Self, CryptoError> {
        let wrong = |_| CryptoError::PrivateKey;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(wrong)?;
        let pair = if let PrivateKeyDer::Pkcs8(key) = &key {
            RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
        } else if let PrivateKeyDer::Pkcs1(key) = &key {
            RsaKeyPair::from_der(key.secret_pkcs1_der())
        } else {
            return Err(CryptoError::PrivateKey);
        };
        pair.map(Self).map_err(|_| CryptoError::PrivateKey)
    }

    /// The signature of a text, base64. The randomness only blinds the computation: the same text has the same signature.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let (random, text) = (SystemRandom::new(), text.as_bytes());
        self.0.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).expect(
            "the signature has as many bytes as the modulus, and the system has randomness",
        );
        STANDARD.encode(signature)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Verifier {
    /// Reads a certificate, whose serial number must be the one given, or a public key, which is known by an id alone.
    pub fn read(serial: &str, pem: &str) -> Result<Self, CryptoError> {
        let key = if let Ok(certificate) = CertificateDer::from_pem_slice(pem.as_bytes()) {
            let parsed =
                EndEntityCert::try_from(&certificate).map_err(|_| CryptoError::PublicKey)?;
            if !is_serial(serial, parsed.serial()) {
                return Err(CryptoError::Serial);
            }
            Public::Certificate(certificate)
        } else {
            let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
                .map_err(|_| CryptoError::PublicKey)?;
            RawPublicKeyEntity::try_from(&key).map_err(|_| CryptoError::PublicKey)?;
            Public::Key(key)
        };
        Ok(Self { serial: serial.to_owned(), key })
    }

    /// How the company names the key.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Whether a signature in base64 is the key's of a text.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let (algorithm, text) = (RSA_PKCS1_2048_8192_SHA256, text.as_bytes());
        match &self.key {
            Public::Certificate(certificate) => EndEntityCert::try_from(certificate)
                .is_ok_and(|cert| cert.verify_signature(algorithm, text, &signature).is_ok()),
            Public::Key(key) => RawPublicKeyEntity::try_from(key)
                .is_ok_and(|key| key.verify_signature(algorithm, text, &signature).is_ok()),
        }
    }
}

/// Whether a serial number in hexadecimal is that of a certificate; leading zeros make no difference.
fn is_serial(text: &str, bytes: &[u8]) -> bool {
    text.to_ascii_lowercase().trim_start_matches('0') == hex(bytes).trim_start_matches('0')
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a text takes more text");
    }
    text
}

/// Opens what was sealed with the key that merchant and company share.
pub fn open(
    key: &[u8],
    nonce: &str,
    associated_data: &str,
    ciphertext: &str,
) -> Result<String, CryptoError> {
    if key.len() != API_KEY_LEN {
        return Err(CryptoError::ApiKey);
    }
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| CryptoError::ApiKey)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes());
    let nonce = nonce.map_err(|_| CryptoError::Sealed)?;
    let mut text = STANDARD.decode(ciphertext).map_err(|_| CryptoError::Sealed)?;
    let aad = Aad::from(associated_data.as_bytes());
    let clear = LessSafeKey::new(key).open_in_place(nonce, aad, &mut text);
    let clear = clear.map_err(|_| CryptoError::Sealed)?;
    String::from_utf8(clear.to_vec()).map_err(|_| CryptoError::Sealed)
}

#[cfg(test)]
mod tests;
