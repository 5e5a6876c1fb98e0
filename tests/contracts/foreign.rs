//! Every id in every request: that of another merchant is answered like one that nobody has.
//!
//! The requests are the examples of the OpenAPI document, so that a new method is probed as soon as it is there.

use std::collections::BTreeSet;

use serde_json::Value;
use siyu_kernel::Ids as _;
use siyu_runtime::SystemIds;
use siyu_tests::support::{Merchant, Reply, story};

use crate::furniture::{Ids, furnished};

/// A request of the document, with ids of nobody in it.
struct Example {
    method: String,
    verb: String,
    path: String,
    body: Option<Value>,
}

/// The requests that merchants can make.
async fn examples(merchant: &Merchant) -> Vec<Example> {
    let document = merchant.caller.rest("GET", "/openapi.json", None).await.json();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            if operation["x-audience"] != "platform" {
                found.push(example(verb, path, operation));
            }
        }
    }
    assert!(found.len() > 30, "{}", found.len());
    found
}

fn example(verb: &str, path: &str, operation: &Value) -> Example {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let Some(example) = parameter.get("example") else { continue };
        let name = parameter["name"].as_str().unwrap();
        let value = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &value);
        } else {
            query.push(format!("{name}={value}"));
        }
    }
    let body = operation.pointer("/requestBody/content/application~1json/example").cloned();
    Example {
        method: operation["x-grpc-method"].as_str().unwrap().to_owned(),
        verb: verb.to_uppercase(),
        path: format!("{path}?{}", query.join("&")),
        body,
    }
}

impl Example {
    fn text(&self) -> String {
        format!("{}\n{}", self.path, self.body.as_ref().map(Value::to_string).unwrap_or_default())
    }

    /// The ids in it, each once.
    fn ids(&self, known: &Ids) -> BTreeSet<String> {
        let text = self.text();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| kind(word, known).is_some()).map(str::to_owned).collect()
    }

    /// Sends it with other ids in the place of those of the example.
    async fn send(&self, caller: &Merchant, ids: &[(String, String)]) -> Reply {
        let mut text = self.text();
        for (from, to) in ids {
            text = text.replace(from, to);
        }
        let (path, body) = text.split_once('\n').unwrap();
        let mut body = (!body.is_empty()).then(|| serde_json::from_str::<Value>(body).unwrap());
        // Each is a request of its own and no repeat of the one before.
        if let Some(key) = body.as_mut().and_then(|body| body.get_mut("request_id")) {
            *key = Value::String(SystemIds.uuid().to_string());
        }
        caller.caller.rest(&self.verb, path, body.as_ref()).await
    }
}

/// The prefix of a word that is an id.
fn kind<'a>(word: &'a str, known: &Ids) -> Option<&'a str> {
    let (prefix, rest) = word.split_once('_')?;
    (rest.len() == 26 && known.contains_key(prefix)).then_some(prefix)
}

/// An id of the same kind that nobody has.
fn of_nobody(id: &str) -> String {
    let (prefix, rest) = id.split_once('_').unwrap();
    let turned: String = rest[1..].chars().rev().collect();
    format!("{prefix}_0{turned}")
}

/// What an answer says, without the ids, instants and numbers that differ from call to call.
fn said(reply: &Reply) -> (u16, String) {
    let mut json = reply.json();
    if let Some(object) = json.as_object_mut() {
        object.remove("trace_id");
    }
    let text = json.to_string();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !"_:.-".contains(c))
        .map(|word| match word.split_once('_') {
            Some((prefix, rest)) if prefix.len() == 3 && rest.len() == 26 => prefix,
            // Balances move with every call that is taken.
            _ if word.parse::<i64>().is_ok() => "number",
            _ if word.len() > 18 && word.ends_with('Z') && word.contains('T') => "instant",
            _ => word,
        })
        .collect();
    (reply.status.as_u16(), words.join(" "))
}

#[test]
fn an_id_of_another_merchant_is_answered_like_one_that_nobody_has() {
    story(async {
        let (own, own_ids) = furnished().await;
        let (_, their_ids) = furnished().await;
        let mut probed = BTreeSet::new();
        for example in examples(&own).await {
            let named = example.ids(&own_ids);
            for id in &named {
                let kind = kind(id, &own_ids).unwrap().to_owned();
                // All others are our own, so that this one decides.
                let with = |this: &str| -> Vec<(String, String)> {
                    let other = |id: &String| {
                        let prefix = id.split_once('_').unwrap().0;
                        (id.clone(), own_ids[prefix].clone())
                    };
                    let mut ids = vec![(id.clone(), this.to_owned())];
                    ids.extend(named.iter().filter(|named| *named != id).map(other));
                    ids
                };
                let theirs = example.send(&own, &with(&their_ids[&kind])).await;
                let nobodys = example.send(&own, &with(&of_nobody(&their_ids[&kind]))).await;
                let at = format!("{} {kind}", example.method);
                assert_eq!(said(&theirs), said(&nobodys), "{at}");
                assert!(!theirs.status.is_server_error(), "{at}: {theirs:?}");
                probed.insert(at);
            }
        }
        assert!(probed.len() >= 20, "{probed:?}");
        let kinds: BTreeSet<&str> =
            probed.iter().map(|at| at.rsplit(' ').next().unwrap()).collect();
        let wanted =
            ["aud", "tag", "tgr", "att", "cmp", "msg", "ord", "per", "pro", "sto", "stf", "tok"];
        let missing: Vec<&&str> = wanted.iter().filter(|kind| !kinds.contains(*kind)).collect();
        assert_eq!(missing, Vec::<&&str>::new(), "{probed:?}");
    });
}
