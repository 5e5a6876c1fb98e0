//! What the company signs and seals.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use siyu_order::payment::wechat::crypto::Signer;
use siyu_proto::order::v1::{HttpHeader, ReceiveNotificationRequest};

pub(crate) const API_KEY: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
pub(crate) const MERCHANT_KEY: &str = include_str!("keys/merchant.pem");
pub(crate) const MERCHANT_PUBLIC: &str = include_str!("keys/merchant.pub.pem");
pub(crate) const COMPANY_KEY: &str = include_str!("keys/platform.pem");
pub(crate) const COMPANY_PUBLIC: &str = include_str!("keys/platform.pub.pem");
pub(crate) const CERTIFICATE: &str = include_str!("keys/platform.crt.pem");

/// The headers that make a body the holder's of a key.
pub(crate) fn signed(key: &str, serial: &str, at: i64, body: &str) -> Vec<(String, String)> {
    let nonce = format!("{:032x}", at.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let signature = Signer::read(key).unwrap().sign(&format!("{at}\n{nonce}\n{body}\n"));
    [
        ("Wechatpay-Timestamp", at.to_string()),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Serial", serial.to_owned()),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// A text as only the holder of a key reads it.
pub(crate) fn sealed(key: &str, nonce: &str, data: &str, clear: &str) -> String {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).unwrap();
    let mut text = clear.as_bytes().to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(data.as_bytes()), &mut text).unwrap();
    STANDARD.encode(text)
}

/// What the company tells, as it comes over the wire.
pub(crate) fn notice(
    id: &str,
    event_type: &str,
    at: i64,
    clear: &serde_json::Value,
) -> ReceiveNotificationRequest {
    let (nonce, data) = ("fdasflkja484", "transaction");
    let body = serde_json::json!({
        "id": id,
        "create_time": "2024-06-01T08:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "told",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": sealed(API_KEY, nonce, data, &clear.to_string()),
            "associated_data": data,
            "nonce": nonce,
        }
    });
    request(COMPANY_KEY, SERIAL, at, body.to_string())
}

/// A body with the signature of a key.
pub(crate) fn request(
    key: &str,
    serial: &str,
    at: i64,
    body: String,
) -> ReceiveNotificationRequest {
    let headers = signed(key, serial, at, &body);
    let headers = headers.into_iter().map(|(name, value)| HttpHeader { name, value });
    ReceiveNotificationRequest { account_code: "wx".into(), headers: headers.collect(), body }
}
