//! The reasons of errors, as they stand in the code.

use std::collections::{BTreeMap, BTreeSet};

use crate::{files, rust};

/// Words in the same spelling that are no reasons: variables of the environment, files, and the canonical names of codes.
const OTHERS: &[&str] = &[
    "ALREADY_EXISTS",
    "CARGO_MANIFEST_DIR",
    "CARGO_PKG_VERSION",
    "DATA_LOSS",
    "FAILED_PRECONDITION",
    "INVALID_ARGUMENT",
    "LC_ALL",
    "OUT_DIR",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
    "PG_VERSION",
    "RESOURCE_EXHAUSTED",
    "SIYU_CA_FILE",
    "SIYU_CONFIG",
    "SIYU_DATA_DIR",
    "SIYU_SERVER",
    "SIYU_TOKEN",
];

/// Where the words of somebody else stand.
const FOREIGN: &str = "services/order/src/payment/wechat";

/// Every reason, with the crates that give it.
pub(crate) fn all() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    found.entry("INTERNAL".to_owned()).or_default().insert("libs/kernel");
    for file in files::ending(".rs") {
        let (package, is_product) = package(&file.path);
        if !is_product || file.path.starts_with(FOREIGN) {
            continue;
        }
        let tokens = rust::code(&file.text);
        // Tests stand last in a file.
        let tests = tokens.windows(3).position(|three| {
            three[0].is_word("cfg") && three[1].is_mark('(') && three[2].is_word("test")
        });
        let product = &tokens[..tests.unwrap_or(tokens.len())];
        for word in product.iter().filter_map(rust::Token::text).filter(|text| is_reason(text)) {
            found.entry(word.to_owned()).or_default().insert(package);
        }
    }
    found
}

/// The folder of a file's package, and whether the file is compiled into it.
fn package(path: &'static str) -> (&'static str, bool) {
    let (package, rest) = path.split_once("/src/").unwrap_or((path, "tests/"));
    let is_test =
        rest.starts_with("tests/") || rest.contains("/tests/") || rest.ends_with("tests.rs");
    (package, !is_test)
}

fn is_reason(text: &str) -> bool {
    let shape = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.contains('_')
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(shape)
        && !OTHERS.contains(&text)
}
