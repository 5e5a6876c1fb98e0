//! Migrations: numbered, named after what they do, all of them known to the program, in lower case.

use std::collections::{BTreeMap, BTreeSet};

use siyu::host::services::Service;

use crate::files::{self, File};

/// The first and last number of each folder of migrations; services begin at 1000, each in its own database.
const RANGES: &[(&str, i64, i64)] = &[
    ("libs/pg/", 1, 99),
    ("libs/events/", 100, 199),
    ("libs/ledger/", 200, 299),
    ("services/", 1000, 9999),
];

fn files() -> impl Iterator<Item = &'static File> {
    files::ending(".sql").filter(|file| file.path.contains("/migrations/"))
}

/// `0003`, `create_idempotency`.
fn parts(file: &File) -> (i64, &str) {
    let name = file.path.rsplit('/').next().unwrap().trim_end_matches(".sql");
    let (number, words) =
        name.split_once('_').unwrap_or_else(|| panic!("{}: NNNN_verb_noun.sql", file.path));
    assert!(number.len() == 4 && words.contains('_'), "{}: NNNN_verb_noun.sql", file.path);
    (number.parse().unwrap(), words)
}

#[test]
fn every_migration_is_numbered_within_the_range_of_its_folder() {
    let mut seen = BTreeSet::new();
    for file in files() {
        let (number, words) = parts(file);
        let range = RANGES.iter().find(|(folder, ..)| file.path.starts_with(folder)).unwrap();
        assert!((range.1..=range.2).contains(&number), "{}", file.path);
        assert!(words.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", file.path);
        let folder = file.path.rsplit_once('/').unwrap().0;
        assert!(seen.insert((folder, number)), "{}: the number stands twice", file.path);
    }
    assert!(seen.len() >= 20, "{seen:?}");
}

#[test]
fn every_migration_is_applied_under_its_own_number_and_name() {
    let mut applied: BTreeMap<&str, BTreeSet<(i64, &str)>> = BTreeMap::new();
    for service in Service::ALL {
        let all = service.migrations();
        let numbers: Vec<i64> = all.iter().map(|migration| migration.version).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{}: {numbers:?}", service.name());
        for migration in all {
            applied.entry(migration.sql).or_default().insert((migration.version, migration.name));
        }
    }
    for file in files() {
        let known = applied.remove(file.text.as_str()).unwrap_or_default();
        assert_eq!(known, BTreeSet::from([parts(file)]), "{} is not applied as such", file.path);
    }
    assert!(applied.is_empty(), "migrations without a file: {:?}", applied.values());
}

#[test]
fn sql_is_written_in_lower_case() {
    for file in files::ending(".sql") {
        let bare = without_words(&file.text);
        let loud: Vec<&str> = bare
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| word.chars().any(char::is_uppercase))
            .collect();
        assert_eq!(loud, Vec::<&str>::new(), "{}", file.path);
    }
}

/// SQL without comments, texts and quoted names.
pub(crate) fn without_words(sql: &str) -> String {
    let mut bare = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            other => {
                bare.push(other);
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        bare.push(' ');
        rest = &rest[end..];
    }
    bare
}

#[test]
fn words_in_sql_are_not_code() {
    assert_eq!(
        without_words("a -- B\n'It''s' \"C\" /* D */ e").split_whitespace().collect::<Vec<_>>(),
        ["a", "e"]
    );
}
