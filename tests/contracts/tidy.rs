//! The size and the names of files, and what no file may hold.

use std::collections::BTreeSet;

use crate::{
    files::{self, File},
    rust::{self, Kind},
};

/// A file with more lines is a fault.
const LINES_MAX: usize = 500;
/// A file with more lines has a second subject, or a reason to stand here.
const LINES_LOOK: usize = 300;
/// rustfmt keeps code within 100; a comment may be a little wider.
const COMMENT_WIDTH_MAX: usize = 130;

/// Files that are long, with the reason.
const LONG: &[(&str, &str)] = &[
    ("libs/kernel/src/id.rs", "one list of kinds, a line each"),
    ("services/member/src/filter/node.rs", "one rule for each kind of condition"),
    ("services/member/src/handover/rpc.rs", "one method after the other, each short"),
    (
        "services/member/src/purchase/store.rs",
        "wide statements, a line for each column that they bind",
    ),
    ("services/member/tests/it/benefits.rs", "one story after the other"),
    ("services/member/tests/it/erasure_everywhere.rs", "one story that fills every field there is"),
    ("services/order/src/guarantee/domain/tests.rs", "one rule, case by case"),
    ("services/order/src/import/parse.rs", "one rule; a third of it is its tests"),
    ("services/order/src/order/domain.rs", "one enumeration in its three spellings"),
    ("services/order/src/payment/sandbox.rs", "one provider behind one trait"),
    ("services/order/src/refund/domain.rs", "one state table; a fifth of it is its tests"),
    ("services/order/tests/it/checkouts.rs", "one story after the other"),
    ("services/order/tests/it/member/wallet.rs", "two services that are played, method by method"),
    ("services/order/tests/it/refunds.rs", "one story after the other"),
    ("services/order/tests/it/world.rs", "one client a service, a line each"),
    ("services/member/src/person/resolution.rs", "one rule; a third of it is its tests"),
    ("services/member/tests/it/world.rs", "one client a service, a line each"),
    ("services/order/src/import/domain.rs", "one rule; the second half is its tests"),
    (
        "services/order/src/import/store.rs",
        "wide statements, a line for each column that they bind",
    ),
];

#[test]
fn no_file_is_too_long() {
    let mut wrong = Vec::new();
    for file in files::ending(".rs") {
        let lines = file.text.lines().count();
        let has_reason = LONG.iter().any(|(path, _)| *path == file.path);
        if lines > LINES_MAX || (lines > LINES_LOOK) != has_reason {
            wrong.push(format!("{}: {lines} lines", file.path));
        }
    }
    let here: BTreeSet<&str> = files::all().iter().map(|file| file.path.as_str()).collect();
    wrong.extend(
        LONG.iter()
            .filter(|(path, _)| !here.contains(path))
            .map(|(path, _)| format!("{path}: is gone")),
    );
    assert_eq!(wrong, Vec::<String>::new(), "split them, or say why not in LONG");
}

#[test]
fn no_comment_is_too_wide() {
    let wide = |file: &'static File| {
        let lines = file.text.lines().enumerate();
        lines
            .filter(|(_, line)| line.trim_start().starts_with("//"))
            .filter(|(_, line)| line.chars().count() > COMMENT_WIDTH_MAX)
            .map(move |(i, _)| format!("{}:{}", file.path, i + 1))
    };
    assert_eq!(files::ending(".rs").flat_map(wide).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let empty = ["util", "utils", "common", "helper", "helpers", "core", "misc"];
    let says_nothing = |file: &&File| {
        let names = file.path.trim_end_matches(".rs").split('/');
        names.into_iter().any(|name| empty.contains(&name))
    };
    let found: Vec<&str> =
        files::ending(".rs").filter(says_nothing).map(|file| file.path.as_str()).collect();
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn nothing_is_left_to_do() {
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let mut found = Vec::new();
    for file in files::ending(".rs") {
        for token in rust::lex(&file.text) {
            let left = match &token.kind {
                Kind::Comment(comment) => marks.iter().any(|mark| has_word(comment, mark)),
                // clippy sees these where they are compiled; a file that is not is seen here.
                Kind::Word(word) => word == "todo" || word == "unimplemented_yet",
                Kind::Text(_) | Kind::Mark(_) => false,
            };
            if left {
                found.push(format!("{}:{}", file.path, token.line));
            }
        }
    }
    let other = |file: &&File| {
        !file.is_rust()
            && !file.path.starts_with("tests/data/")
            && marks[..2].iter().any(|mark| has_word(&file.text, mark))
    };
    found.extend(files::all().iter().filter(other).map(|file| file.path.clone()));
    assert_eq!(found, Vec::<String>::new());
}

/// Whether a word stands in a text, alone.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|own| own == word)
}
