//! Configuration: defaults in code < a TOML file < the environment, into one documented struct per service.
//!
//! `SIYU__SECTION__KEY=value` sets `section.key`. A key that nothing reads is an error that names it, so that a misspelled
//! one is never silently the default. Lists in the environment are separated by commas.

mod environment;
mod secret;
mod show;

use std::path::{Path, PathBuf};

use ::config::{Config, ConfigError, File, FileFormat, Map, Source, Value, ValueKind};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use environment::Environment;
pub use secret::Secret;
pub use show::effective;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    File {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value cannot be read.
    #[error("configuration: {0}")]
    Invalid(#[from] ConfigError),
    /// Nothing reads the key.
    #[error("configuration: unknown key `{key}` in {origin}")]
    UnknownKey {
        /// The path of the key.
        key: String,
        /// The file or the environment variable that sets it.
        origin: String,
    },
    /// The defaults cannot be written as a tree: a programming mistake.
    #[error("the configuration's defaults have no tree form")]
    Defaults(#[from] serde_json::Error),
}

/// Loads a configuration from its defaults, a file if one is given, and the environment.
///
/// # Errors
/// [`Error`], with the key and where it was set.
pub fn load<T>(file: Option<&Path>) -> Result<T, Error>
where
    T: DeserializeOwned + Serialize + Default,
{
    // Only the suite's own variables: a foreign one that is not UTF-8 must not stop the start.
    let own = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    load_with(file, std::env::vars_os().filter_map(own))
}

/// Like [`load`], with the environment as a parameter.
///
/// # Errors
/// As [`load`].
pub fn load_with<T>(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, Error>
where
    T: DeserializeOwned + Serialize + Default,
{
    let mut layers = Config::builder().add_source(tree(&T::default())?);
    let mut given = Vec::new();
    if let Some(path) = file {
        let source = std::fs::metadata(path);
        source.map_err(|source| Error::File { path: path.to_owned(), source })?;
        let file = File::from(path).format(FileFormat::Toml).required(true);
        given.push(file.collect()?);
        layers = layers.add_source(file);
    }
    // What the environment must become, a list or a text, shows in the layers below it.
    let environment = Environment::new(environment, &layers.build_cloned()?.collect()?);
    given.push(environment.collect()?);
    let loaded: T = layers.add_source(environment).build()?.try_deserialize()?;

    // What was given and is not in the result was read by nothing.
    let read = secret::revealed(|| serde_json::to_value(&loaded))?;
    given.iter().try_for_each(|given| all_known("", given, &read))?;
    Ok(loaded)
}

/// The tree of a configuration, with its secrets: a layer for other layers to stand on.
fn tree<T: Serialize>(value: &T) -> Result<Config, Error> {
    let Json::Object(fields) = secret::revealed(|| serde_json::to_value(value))? else {
        return Err(ConfigError::Message("a configuration is a struct".to_owned()).into());
    };
    let mut layer = Config::default();
    layer.cache = Value::new(Some(&"defaults".to_owned()), ValueKind::Table(table(fields)));
    Ok(layer)
}

fn table(fields: serde_json::Map<String, Json>) -> Map<String, Value> {
    fields.into_iter().map(|(key, value)| (key, Value::new(None, kind(value)))).collect()
}

fn kind(value: Json) -> ValueKind {
    match value {
        Json::Null => ValueKind::Nil,
        Json::Bool(value) => ValueKind::Boolean(value),
        Json::String(value) => ValueKind::String(value),
        Json::Array(items) => {
            ValueKind::Array(items.into_iter().map(|item| Value::new(None, kind(item))).collect())
        }
        Json::Object(fields) => ValueKind::Table(table(fields)),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => ValueKind::I64(value),
            (_, Some(value), _) => ValueKind::U64(value),
            (_, _, value) => ValueKind::Float(value.unwrap_or(f64::NAN)),
        },
    }
}

fn all_known(at: &str, given: &Map<String, Value>, read: &Json) -> Result<(), Error> {
    for (key, value) in given {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let Some(inner) = read.get(key) else {
            let origin = value.origin().unwrap_or("the configuration").to_owned();
            return Err(Error::UnknownKey { key: path, origin });
        };
        if let (ValueKind::Table(table), Json::Object(_)) = (&value.kind, inner) {
            all_known(&path, table, inner)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
