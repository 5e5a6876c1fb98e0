//! What the comments of the contracts promise: a method that "fails with" something fails with what exists.

use std::collections::BTreeSet;

use crate::{files, reasons};

#[test]
fn every_reason_that_a_contract_names_is_one_that_the_code_gives() {
    let known: BTreeSet<String> = reasons::all().into_keys().collect();
    let mut named = BTreeSet::new();
    for file in files::ending(".proto").filter(|file| file.path.starts_with("proto/siyu/")) {
        // Comments are wrapped: a sentence may go on in the next line.
        let comments: Vec<&str> =
            file.text.lines().filter_map(|line| line.trim().strip_prefix("// ")).collect();
        for sentence in comments.join(" ").split("Fails with ").skip(1) {
            let sentence = sentence.split('.').next().unwrap_or_default();
            let words = sentence.split(|c: char| !c.is_ascii_uppercase() && c != '_');
            let found = words.filter(|word| word.len() > 3 && word.contains('_'));
            named.extend(found.map(|word| (file.path.as_str(), word.to_owned())));
        }
    }
    let unknown: Vec<_> = named.iter().filter(|(_, word)| !known.contains(word)).collect();
    assert_eq!(unknown, Vec::<&(&str, String)>::new());
    assert!(named.len() > 15, "{named:?}");
}

#[test]
fn every_method_says_what_it_does() {
    for file in files::ending(".proto").filter(|file| file.path.starts_with("proto/siyu/")) {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("rpc ")) {
            let name = line["rpc ".len()..].split('(').next().unwrap();
            let comment = lines[..i].iter().rev().take_while(|line| line.starts_with("//")).last();
            let says = comment.is_some_and(|first| first.starts_with(&format!("// {name} ")));
            assert!(says, "{}:{}: the comment begins with the name", file.path, i + 1);
        }
    }
}
