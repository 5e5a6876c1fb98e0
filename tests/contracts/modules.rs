//! Every source file is part of a crate: one that no `mod` names is never compiled, and nobody notices.

use std::collections::BTreeSet;

use crate::{
    files,
    rust::{self, Kind, Token},
};

#[test]
fn every_source_file_is_named_by_a_module() {
    let all: BTreeSet<&str> = files::ending(".rs").map(|file| file.path.as_str()).collect();
    let mut reached = BTreeSet::new();
    let roots: Vec<String> =
        all.iter().filter(|path| is_root(path)).map(|&p| p.to_owned()).collect();
    assert!(roots.len() > 20, "{roots:?}");
    let mut open = roots;
    while let Some(path) = open.pop() {
        let file = files::ending(".rs").find(|file| file.path == path);
        let file = file.unwrap_or_else(|| panic!("a module names {path}, which is not there"));
        for child in children(&path, &rust::code(&file.text)) {
            open.push(
                child
                    .into_iter()
                    .find(|path| all.contains(path.as_str()))
                    .unwrap_or_else(|| panic!("{path} names a module without a file")),
            );
        }
        reached.insert(file.path.as_str());
    }
    let orphans: Vec<&&str> = all.difference(&reached).collect();
    assert_eq!(orphans, Vec::<&&str>::new());
}

/// Files that cargo finds by itself, or that a manifest names.
fn is_root(path: &str) -> bool {
    let names: Vec<&str> = path.split('/').collect();
    matches!(
        names.as_slice(),
        ["libs" | "services", _, "src", "lib.rs" | "main.rs"]
            | ["libs" | "services", _, "build.rs"]
            | ["libs" | "services", _, "tests" | "benches" | "examples", _]
            | ["libs" | "services", _, "tests" | "benches", _, "main.rs"]
            | ["tests", "lib.rs"]
            | ["tests", _, "main.rs"]
    )
}

/// Where the file of each `mod name;` may be.
fn children(path: &str, tokens: &[Token]) -> Vec<Vec<String>> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let stem = name.trim_end_matches(".rs");
    let own = match stem {
        "lib" | "main" | "mod" | "build" => folder.to_owned(),
        _ if is_root(path) => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    let mut found = Vec::new();
    for (i, three) in tokens.windows(3).enumerate() {
        let [keyword, Token { kind: Kind::Word(name), .. }, end] = three else { continue };
        if !keyword.is_word("mod") || !end.is_mark(';') {
            continue;
        }
        found.push(match path_attribute(&tokens[..i]) {
            Some(given) => vec![normal(&format!("{folder}/{given}"))],
            None => vec![format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")],
        });
    }
    found
}

/// The path of `#[path = "…"] pub(crate)` before a module.
fn path_attribute(before: &[Token]) -> Option<&str> {
    let attribute = before.rsplitn(2, |token| token.is_mark(';') || token.is_mark('}')).next()?;
    let at = attribute.windows(3).position(|three| {
        three[0].is_word("path") && three[1].is_mark('=') && three[2].text().is_some()
    })?;
    attribute[at + 2].text()
}

/// A path without its steps back.
fn normal(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        if name == ".." {
            names.pop();
        } else {
            names.push(name);
        }
    }
    names.join("/")
}
