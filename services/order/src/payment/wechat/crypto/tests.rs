//! The vectors of the domain, and keys that were made for these tests and open nothing else.

use super::*;

/// The key of the public test of wechatpay-go's signer.
const PUBLIC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2VCTd91fnUn73Xy9DLvt
/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXagHQ4vGeZN0yqm++rDsGK+
U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOmDeJf2vg6byms9RUipiq4
SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B834uxl1zNLYQCrkdBzb8oU
xwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGfy8wus7hwKz6clt3Whmmd
a7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtkaSef4FdEEgEXJiw0VAJT
8wIDAQAB
-----END PUBLIC KEY-----
";
/// What that signer makes of the text `source`.
const SIGNATURE: &str = "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4j\
    sKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6I\
    EqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+\
    hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+8m1rLg==";

const OWN_KEY: &str = include_str!("../../../../tests/it/wechat/keys/merchant.pem");
const OWN_PUBLIC: &str = include_str!("../../../../tests/it/wechat/keys/merchant.pub.pem");
const CERTIFICATE: &str = include_str!("../../../../tests/it/wechat/keys/platform.crt.pem");
const CERTIFIED_KEY: &str = include_str!("../../../../tests/it/wechat/keys/platform.pem");
const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";

#[test]
fn the_published_signature_is_verified_and_nothing_beside_it() {
    let key = Verifier::read("PUB_KEY_ID_1", PUBLIC_KEY).unwrap();
    assert!(key.verify("source", SIGNATURE));
    assert!(!key.verify("sourcf", SIGNATURE));
    assert!(!key.verify("source", &SIGNATURE.replacen('B', "C", 1)));
    assert!(!key.verify("source", "not base64!"));
    assert!(!key.verify("source", ""));
}

#[test]
fn what_the_merchant_signs_is_verified_with_its_public_key() {
    let signer = Signer::read(OWN_KEY).unwrap();
    let key = Verifier::read("own", OWN_PUBLIC).unwrap();
    let signature = signer.sign("GET\n/v3/certificates\n1\nn\n\n");
    assert!(key.verify("GET\n/v3/certificates\n1\nn\n\n", &signature));
    assert_eq!(signature, signer.sign("GET\n/v3/certificates\n1\nn\n\n"), "it is deterministic");
    let other = Verifier::read("other", PUBLIC_KEY).unwrap();
    assert!(!other.verify("GET\n/v3/certificates\n1\nn\n\n", &signature));
}

#[test]
fn a_certificate_is_known_by_its_serial_number_alone() {
    let signature = Signer::read(CERTIFIED_KEY).unwrap().sign("told");
    assert!(Verifier::read(SERIAL, CERTIFICATE).unwrap().verify("told", &signature));
    assert!(Verifier::read(&SERIAL.to_lowercase(), CERTIFICATE).is_ok());
    let wrong = Verifier::read("5157F09EFDC096DE15EBE81A47057A7232F1B8E2", CERTIFICATE);
    assert_eq!(wrong.err(), Some(CryptoError::Serial));
}

#[test]
fn the_published_text_is_opened_and_a_change_anywhere_is_noticed() {
    let (key, nonce, data) = ("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb", "uluk4a9R25RW", "associatedData");
    let sealed = "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=";
    assert_eq!(open(key.as_bytes(), nonce, data, sealed).unwrap(), "message");
    let refused = Err(CryptoError::Sealed);
    assert_eq!(open(key.as_bytes(), nonce, "associatedDatb", sealed), refused);
    assert_eq!(open(key.as_bytes(), "uluk4a9R25RX", data, sealed), refused);
    assert_eq!(open(key.as_bytes(), "short", data, sealed), refused);
    assert_eq!(open(key.as_bytes(), nonce, data, &sealed.replacen('u', "v", 1)), refused);
    assert_eq!(open(key.to_lowercase().as_bytes(), nonce, data, sealed), refused);
}

#[test]
fn a_key_of_another_length_is_refused() {
    let (key, nonce, data) =
        ("testAPIv3Key0000", "wCq51qZv4Yfg", "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8");
    assert_eq!(
        open(key.as_bytes(), nonce, data, "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC"),
        Err(CryptoError::ApiKey)
    );
}

#[test]
fn what_is_no_key_is_refused() {
    assert_eq!(Signer::read("nothing").err(), Some(CryptoError::PrivateKey));
    assert_eq!(Signer::read(OWN_PUBLIC).err(), Some(CryptoError::PrivateKey));
    assert_eq!(Verifier::read("x", "nothing").err(), Some(CryptoError::PublicKey));
    assert_eq!(Verifier::read("x", OWN_KEY).err(), Some(CryptoError::PublicKey));
    assert_eq!(format!("{:?}", Signer::read(OWN_KEY).unwrap()), "Signer", "nothing of it is shown");
}
