//! The object and the page, from fixed replies: the CDNOW orders where they are published, made-up figures elsewhere.

mod fake;
mod fetching;
mod fixture;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Report, build, render};
use crate::output::{Colour, Look};
use fixture::{cdnow, merchant, nothing, triangle};

const PLAIN: Look = Look { width: 100, colour: Colour::Plain };

fn report(replies: super::fetch::Replies) -> Report {
    build::report(&merchant(), replies, "1998-06-30".to_owned(), true).unwrap()
}

#[test]
fn the_page_of_a_wide_terminal() {
    insta::assert_snapshot!(render(&report(cdnow()), PLAIN));
}

#[test]
fn the_page_of_a_narrow_terminal() {
    let look = Look { width: 80, ..PLAIN };
    insta::assert_snapshot!(render(&report(cdnow()), look));
}

#[test]
fn the_page_in_colour() {
    let look = Look { colour: Colour::Ansi, ..PLAIN };
    insta::assert_snapshot!(render(&report(cdnow()), look).replace('\x1b', "^"));
}

#[test]
fn the_page_with_all_three_sides_of_the_triangle() {
    let mut report = report(cdnow());
    report.triangle = triangle();
    report.consistent = false;
    insta::assert_snapshot!(render(&report, PLAIN));
}

#[test]
fn the_page_of_a_shop_without_orders() {
    insta::assert_snapshot!(render(&report(nothing()), PLAIN));
}

#[test]
fn no_line_is_wider_than_the_terminal_and_colour_changes_no_character() {
    let mut with_triangle = report(cdnow());
    with_triangle.triangle = triangle();
    for report in [report(cdnow()), with_triangle, report(nothing())] {
        for width in 80..=100 {
            let plain = render(&report, Look { width, colour: Colour::Plain });
            for line in plain.lines() {
                assert!(console::measure_text_width(line) <= width, "{width}: {line}");
            }
            let coloured = render(&report, Look { width, colour: Colour::Ansi });
            let stripped = console::strip_ansi_codes(&coloured);
            let same = stripped.lines().zip(plain.lines()).all(|(a, b)| a.trim_end() == b);
            assert!(same, "{width}: the colours change more than the colours");
        }
    }
}

#[test]
fn the_object_holds_what_the_issue_names() {
    let json = serde_json::to_value(report(cdnow())).unwrap();
    let number = |path: &str| json.pointer(path).unwrap_or(&Value::Null).clone();
    assert_eq!(number("/gmv_minor"), 250_031_563);
    assert_eq!(number("/orders"), 69_659);
    assert_eq!(number("/buyers"), 23_570);
    assert_eq!(number("/repeat_buyers"), 11_516);
    assert_eq!(number("/units"), 167_881);
    assert_eq!(number("/arpu"), 106.080_426);
    assert_eq!(number("/aov"), 35.893_648);
    assert_eq!(number("/months/0/gmv_minor"), 29_906_017);
    assert_eq!(number("/months/1/repeat_buyers"), 1157);
    assert_eq!(number("/repeat_within_days/365"), 10_810);
    assert_eq!(number("/repeat_rate_within_days/365"), 0.458_634);
    assert_eq!(number("/cohorts/0/active/17"), 498);
    assert_eq!(number("/reactivated/persons"), 925);
    assert_eq!(number("/triangle/area"), Value::Null);
}

#[test]
fn the_object_is_stable() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&report(cdnow())).unwrap());
}

#[test]
fn the_document_names_every_field_and_no_other() {
    let mut full = report(cdnow());
    full.triangle = triangle();
    let json = serde_json::to_value(full).unwrap();
    let mut fields = BTreeSet::new();
    collect("", &json, &mut fields);
    let document = include_str!("../../REPORT.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(fields, documented);
}

/// Paths of all fields: `months[].orders`, `repeat_within_days{}`.
fn collect(path: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_key = name.bytes().all(|byte| byte.is_ascii_digit());
                let dot = if path.is_empty() { "" } else { "." };
                let path =
                    if is_key { format!("{path}{{}}") } else { format!("{path}{dot}{name}") };
                collect(&path, value, into);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                collect(&format!("{path}[]"), item, into);
            }
        }
        Value::Array(_) => {
            into.insert(format!("{path}[]"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            into.insert(path.to_owned());
        }
    }
}
