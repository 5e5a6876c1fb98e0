//! The project speaks of itself only: where it is written, and by whom, is no part of it.

use crate::files::{self, File};

/// What no tracked file says. Spelled in two parts, so that this list does not find itself.
const WORDS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tm", "p/d/"),
    concat!(".libr", "ary"),
    concat!("../sha", "red/"),
    concat!("shared/des", "ign"),
    concat!("shared/dom", "ain"),
    concat!("sub-ag", "ent"),
    concat!("subag", "ent"),
    concat!("AI ag", "ent"),
    concat!("this ses", "sion"),
    concat!("another ses", "sion"),
    concat!("language mo", "del"),
    concat!("art", "ifactory"),
    concat!("/opt/whe", "els"),
];

#[test]
fn no_file_speaks_of_where_it_was_written() {
    let says = |file: &'static File| {
        let said = WORDS.iter().filter(|word| file.text.contains(*word));
        said.map(move |word| format!("{}: {word}", file.path))
    };
    assert_eq!(files::all().iter().flat_map(says).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_file_counts_the_issues_of_another_place() {
    let counts = |file: &&File| {
        // Issues of other projects are named by project: "listmonk 1801".
        let lower = file.text.to_lowercase();
        let mut places =
            lower.match_indices(concat!("iss", "ue ")).map(|(at, found)| at + found.len());
        places.any(|end| lower[end..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let found: Vec<&str> = files::all()
        .iter()
        .filter(|file| !file.path.starts_with("tests/data/"))
        .filter(counts)
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(found, Vec::<&str>::new());
}
