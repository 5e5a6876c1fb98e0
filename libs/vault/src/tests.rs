use siyu_runtime::random_bytes;
use siyu_testkit::merchant;

use super::*;

const NAME: Place<'static> = Place { kind: "profile.name", row: "per_1" };

fn vault(current: &str, before: &str) -> Vault {
    Vault::new(current, before, random_bytes::<32>).unwrap()
}

fn first_key(vault: &Vault, of: Id<Merchant>) -> WrappedKey {
    vault.wrap(of, 1, &random_bytes())
}

fn keys_of(of: Id<Merchant>) -> Keys {
    let vault = vault(&"ab".repeat(32), "");
    vault.open(of, &[first_key(&vault, of)]).unwrap()
}

#[test]
fn a_value_opens_at_its_place_and_nowhere_else() {
    let keys = keys_of(merchant(1));
    let sealed = keys.seal(NAME, "韩梅梅");
    assert_eq!(keys.open(NAME, &sealed).unwrap(), "韩梅梅");
    let refused = Err(Error::Refused);
    assert_eq!(keys.open(Place { row: "per_2", ..NAME }, &sealed), refused);
    assert_eq!(keys.open(Place { kind: "profile.city", ..NAME }, &sealed), refused);
    let shifted = Place { kind: "profile.nameper", row: "_1" };
    assert_eq!(keys.open(shifted, &sealed), refused, "where the kind ends is part of the place");
}

#[test]
fn the_keys_of_one_merchant_open_nothing_of_another() {
    let vault = vault(&"ab".repeat(32), "");
    let (ours, theirs) = (merchant(1), merchant(2));
    let row = first_key(&vault, ours);
    let keys = vault.open(ours, std::slice::from_ref(&row)).unwrap();
    let sealed = keys.seal(NAME, "Li Lei");
    assert_eq!(keys_of(theirs).open(NAME, &sealed), Err(Error::Refused));
    // Even the key itself, copied into the rows of another merchant, does not open there.
    assert_eq!(vault.open(theirs, &[row]).err(), Some(Error::Refused));
}

#[test]
fn what_was_changed_is_refused_and_what_is_no_sealed_value_too() {
    let keys = keys_of(merchant(1));
    let sealed = keys.seal(NAME, "Li Lei");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x40;
        assert!(keys.open(NAME, &changed).is_err(), "byte {at}");
    }
    assert_eq!(keys.open(NAME, b""), Err(Error::Form));
    assert_eq!(keys.open(NAME, b"Li Lei"), Err(Error::Form));
    assert_eq!(keys.open(NAME, &[1, 0, 0, 0, 9, 0]), Err(Error::UnknownKey(9)));
}

#[test]
fn after_a_rotation_the_old_values_open_and_the_digests_stay() {
    let of = merchant(1);
    let old = vault(&"ab".repeat(32), "");
    let first = first_key(&old, of);
    let before = old.open(of, std::slice::from_ref(&first)).unwrap();
    let sealed = before.seal(NAME, "Li Lei");
    // The configured key is replaced, and a second key of the merchant begins to seal.
    let new = vault(&"cd".repeat(32), &"ab".repeat(32));
    let rewrapped = new.wrap(of, 1, &new.unwrap_key(of, &first).unwrap());
    let second = new.wrap(of, 2, &random_bytes());
    let alone = vault(&"cd".repeat(32), "");
    let after = alone.open(of, &[rewrapped, second]).unwrap();
    assert_eq!(after.open(NAME, &sealed).unwrap(), "Li Lei");
    assert_eq!(after.digest("phone", "+8613800138000"), before.digest("phone", "+8613800138000"));
    let fresh = after.seal(NAME, "Li Lei");
    assert_eq!(before.open(NAME, &fresh), Err(Error::UnknownKey(2)));
    assert_eq!(alone.open(of, &[first]).err(), Some(Error::ForeignKey));
}

#[test]
fn digests_say_nothing_across_merchants_and_kinds() {
    let (ours, theirs) = (keys_of(merchant(1)), keys_of(merchant(2)));
    let phone = "+8613800138000";
    assert_eq!(ours.digest("phone", phone), ours.digest("phone", phone));
    assert_eq!(ours.digest("phone", phone).len(), 64);
    assert_ne!(ours.digest("phone", phone), theirs.digest("phone", phone));
    assert_ne!(ours.digest("phone", phone), ours.digest("contact", phone));
}

#[test]
fn nothing_of_a_key_is_shown() {
    let vault = vault(&"ab".repeat(32), "");
    let shown = format!("{vault:?} {:?}", keys_of(merchant(1)));
    assert_eq!(shown, format!("Vault Keys({})", merchant(1)));
}
