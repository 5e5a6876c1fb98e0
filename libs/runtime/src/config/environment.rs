//! `SIYU__SECTION__KEY=value` as a layer of the configuration. Values stay texts, so that a password of digits keeps its
//! leading zeros; the reader of each key turns them into what it needs.

use ::config::{ConfigError, Map, Source, Value, ValueKind};

const PREFIX: &str = "SIYU__";
const SEPARATOR: &str = "__";

#[derive(Debug, Clone)]
pub(super) struct Environment {
    root: Map<String, Value>,
}

impl Environment {
    /// Reads the variables with the prefix; `below` tells which keys are lists.
    pub(super) fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        below: &Map<String, Value>,
    ) -> Self {
        let mut own: Vec<(String, String)> =
            variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        own.sort();
        let mut root = Map::new();
        for (name, value) in own {
            let path = name[PREFIX.len()..].to_lowercase();
            let keys: Vec<&str> = path.split(SEPARATOR).collect();
            let origin = format!("the environment variable {name}");
            let kind = if is_list(below, &keys) { list(&origin, &value) } else { value.into() };
            insert(&mut root, &keys, Value::new(Some(&origin), kind));
        }
        Self { root }
    }
}

impl Source for Environment {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.root.clone())
    }
}

fn is_list(below: &Map<String, Value>, keys: &[&str]) -> bool {
    let Some((first, rest)) = keys.split_first() else { return false };
    match below.get(*first).map(|value| &value.kind) {
        Some(ValueKind::Array(_)) => rest.is_empty(),
        Some(ValueKind::Table(inner)) => is_list(inner, rest),
        _ => false,
    }
}

fn list(origin: &String, value: &str) -> ValueKind {
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    ValueKind::Array(items.map(|item| Value::new(Some(origin), item)).collect())
}

fn insert(into: &mut Map<String, Value>, keys: &[&str], value: Value) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        into.insert((*first).to_owned(), value);
        return;
    }
    let origin = value.origin().map(str::to_owned);
    let empty = || Value::new(origin.as_ref(), ValueKind::Table(Map::new()));
    let inner = into.entry((*first).to_owned()).or_insert_with(empty);
    if !matches!(inner.kind, ValueKind::Table(_)) {
        *inner = empty();
    }
    if let ValueKind::Table(inner) = &mut inner.kind {
        insert(inner, rest, value);
    }
}
