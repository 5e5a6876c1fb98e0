//! The configuration in force, as a TOML file that would set it. Secrets show as `***`.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

/// Prints a configuration as TOML: plain values first, then a table per section. What is not set is a comment.
pub fn effective<T: Serialize>(value: &T) -> String {
    let mut text = String::new();
    if let Ok(Value::Object(fields)) = serde_json::to_value(value) {
        section(&mut text, "", &fields);
    }
    text
}

fn section(out: &mut String, path: &str, fields: &Map<String, Value>) {
    const INFALLIBLE: &str = "a String takes every write";
    for (key, value) in fields {
        match value {
            Value::Object(_) => {}
            Value::Null => writeln!(out, "# {key} is not set").expect(INFALLIBLE),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                // JSON's texts, numbers and lists are TOML's too.
                writeln!(out, "{key} = {value}").expect(INFALLIBLE);
            }
        }
    }
    for (key, value) in fields {
        let Value::Object(inner) = value else { continue };
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let gap = if out.is_empty() { "" } else { "\n" };
        writeln!(out, "{gap}[{path}]").expect(INFALLIBLE);
        section(out, &path, inner);
    }
}
