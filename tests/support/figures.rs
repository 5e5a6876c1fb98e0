//! The report of a merchant as one object, and what differs between two.

use serde_json::Value;
use siyu::report::{Window, fetch};

use super::caller::Merchant;

/// What `siyu report --json` prints, but for what names the merchant or counts how its facts came in.
pub async fn report(merchant: &Merchant) -> Value {
    let report = fetch(merchant.caller.client(), &merchant.record, Window::default()).await;
    let report = report.unwrap_or_else(|error| panic!("no report: {error}"));
    assert!(report.consistent, "nothing comes in while the report is made");
    without_names(serde_json::to_value(&report).expect("it is an object"))
}

/// Takes off what names the merchant or counts how its facts came in.
pub(super) fn without_names(mut report: Value) -> Value {
    let fields = report.as_object_mut().expect("a report is an object");
    for name in ["merchant", "merchant_id", "facts_version"] {
        assert!(fields.remove(name).is_some(), "a report has {name}");
    }
    report
}

/// Fails with the fields that differ.
pub fn assert_same(what: &str, left: &Value, right: &Value) {
    let mut found = Vec::new();
    differences("", left, right, &mut found);
    assert!(found.is_empty(), "{what}: {} fields differ:\n{}", found.len(), found.join("\n"));
}

fn differences(path: &str, left: &Value, right: &Value, found: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (a, b) = (&left[name.as_str()], &right[name.as_str()]);
                differences(&format!("{path}.{name}"), a, b, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{place}]"), a, b, found);
            }
        }
        _ if left == right => {}
        _ => found.push(format!("{path}: {left} and {right}")),
    }
}
