use std::{collections::BTreeMap, io::Write as _};

use serde::Deserialize;

use super::*;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(default)]
struct Example {
    name: String,
    listen: Listen,
    origins: Vec<String>,
    limits: BTreeMap<String, u64>,
    key: Secret,
    note: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Listen {
    port: u16,
    idle_secs: u64,
}

impl Default for Example {
    fn default() -> Self {
        Self {
            name: "order".into(),
            listen: Listen { port: 7002, idle_secs: 60 },
            origins: Vec::new(),
            limits: BTreeMap::from([("list".to_owned(), 1000)]),
            key: Secret::new("development only"),
            note: None,
        }
    }
}

fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}

/// A file that is gone with the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}.toml", std::process::id()));
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = Temporary::new(
        "siyu-layers",
        "name = \"from file\"\n[listen]\nport = 1\n[limits]\nimport = 9\n",
    );
    let vars = environment(&[("SIYU__LISTEN__PORT", "2"), ("PATH", "/bin"), ("SIYU", "x")]);
    let loaded: Example = load_with(Some(&file.0), vars).unwrap();
    assert_eq!(loaded.name, "from file");
    assert_eq!(loaded.listen, Listen { port: 2, idle_secs: 60 }, "the parent's defaults stay");
    assert_eq!(loaded.limits, BTreeMap::from([("import".into(), 9), ("list".into(), 1000)]));
    assert_eq!(loaded.key.expose(), "development only");
    assert_eq!(load_with::<Example>(None, []).unwrap(), Example::default());
}

#[test]
fn a_key_that_nothing_reads_is_named_with_where_it_was_set() {
    let file = Temporary::new("siyu-unknown", "nmae = \"typo\"\n");
    let error = load_with::<Example>(Some(&file.0), []).unwrap_err().to_string();
    assert!(error.contains("`nmae`") && error.contains("siyu-unknown"), "{error}");

    let vars = environment(&[("SIYU__LISTEN__PROT", "2")]);
    let error = load_with::<Example>(None, vars).unwrap_err().to_string();
    assert!(error.contains("prot"), "{error}");

    let vars = environment(&[("SIYU__LISTENS__PORT", "2")]);
    let error = load_with::<Example>(None, vars).unwrap_err().to_string();
    assert!(error.contains("`listens`") && error.contains("SIYU__LISTENS__PORT"), "{error}");
}

#[test]
fn a_value_that_cannot_be_read_is_named() {
    let vars = environment(&[("SIYU__LISTEN__PORT", "many")]);
    let error = load_with::<Example>(None, vars).unwrap_err().to_string();
    assert!(error.contains("listen.port") && error.contains("SIYU__LISTEN__PORT"), "{error}");
    let missing = load_with::<Example>(Some(Path::new("/nonexistent/siyu.toml")), []);
    assert!(matches!(missing, Err(Error::File { .. })), "{missing:?}");
}

#[test]
fn texts_of_digits_stay_texts_and_lists_are_split_at_commas() {
    let vars = environment(&[("SIYU__KEY", "00123"), ("SIYU__ORIGINS", "a.example, b.example")]);
    let loaded: Example = load_with(None, vars).unwrap();
    assert_eq!(loaded.key.expose(), "00123");
    assert_eq!(loaded.origins, ["a.example", "b.example"]);
    let vars = environment(&[("SIYU__NOTE", "hello")]);
    assert_eq!(load_with::<Example>(None, vars).unwrap().note.as_deref(), Some("hello"));
}

#[test]
fn the_effective_configuration_shows_everything_but_secrets_and_reads_back() {
    let shown = effective(&Example::default());
    assert_eq!(
        shown,
        "key = \"***\"\nname = \"order\"\n# note is not set\norigins = []\n\n[limits]\nlist = 1000\n\n[listen]\nidle_secs = 60\nport = 7002\n"
    );
    let file = Temporary::new("siyu-effective", &shown);
    let loaded: Example = load_with(Some(&file.0), []).unwrap();
    assert_eq!(loaded.listen, Example::default().listen);
    assert!(!format!("{:?}", Example::default()).contains("development"));
}
