//! Draws that can be checked: a seed that nobody knows before, whose digest is shown first and which is shown itself when
//! nothing more is drawn from it. Pure.

use std::fmt::Write as _;

use ring::hmac;
use sha2::{Digest, Sha256};

/// The draw of a text from a seed: the first 8 bytes, most significant first, of HMAC-SHA256 over the text with the seed as
/// key (reference §3.5).
pub fn draw(seed: &[u8], text: &str) -> u64 {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, seed), text.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&tag.as_ref()[..8]);
    u64::from_be_bytes(bytes)
}

/// What is shown of a seed before: SHA-256 in hexadecimal digits.
pub fn digest(seed: &[u8]) -> String {
    hex(&Sha256::digest(seed))
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes what is written");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_that_of_the_standard() {
        // RFC 4231, case 2: 5bdcc146bf60754e…
        assert_eq!(draw(b"Jefe", "what do ya want for nothing?"), 0x5bdc_c146_bf60_754e);
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc"), abc);
    }
}
