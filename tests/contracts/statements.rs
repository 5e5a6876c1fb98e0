//! The SQL in the sources: where it stands, and its text.

use std::collections::HashMap;

use crate::{
    files::{self, File},
    rust::{self, Kind, Token},
};

/// A statement that is handed to sqlx.
pub(crate) struct Statement {
    pub(crate) path: &'static str,
    pub(crate) line: usize,
    /// Its text; none where it comes from elsewhere.
    pub(crate) sql: Option<String>,
}

/// Every statement of a source that is part of the product.
pub(crate) fn all() -> Vec<Statement> {
    let product = files::ending(".rs").filter(|file| file.path.contains("/src/"));
    product.flat_map(of).collect()
}

fn of(file: &'static File) -> Vec<Statement> {
    let tokens = rust::code(&file.text);
    let constants = constants(&tokens);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let Some(argument) = argument(&tokens, at) else { continue };
        let sql = value(file, &tokens[argument..], &constants);
        found.push(Statement { path: &file.path, line: tokens[at].line, sql });
    }
    found
}

/// Where the first argument of `sqlx::query(`, `query_as::<…>(` or `query_scalar(` is, if one begins here.
fn argument(tokens: &[Token], at: usize) -> Option<usize> {
    let names = ["query", "query_as", "query_scalar", "query_with", "query_as_with"];
    let is_call = tokens[at].is_word("sqlx")
        && tokens.get(at + 1)?.is_mark(':')
        && names.iter().any(|name| tokens.get(at + 3).is_some_and(|token| token.is_word(name)));
    if !is_call {
        return None;
    }
    let mut next = at + 4;
    if tokens.get(next)?.is_mark(':') {
        let (mut depth, start) = (0, next + 2);
        next = start;
        loop {
            depth +=
                i32::from(tokens.get(next)?.is_mark('<')) - i32::from(tokens[next].is_mark('>'));
            next += 1;
            if depth == 0 {
                break;
            }
        }
    }
    tokens.get(next)?.is_mark('(').then_some(next + 1)
}

/// The texts of `const NAME: &str = "…";`.
fn constants(tokens: &[Token]) -> HashMap<&str, &str> {
    let mut found = HashMap::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("const")) {
        let Some(Token { kind: Kind::Word(name), .. }) = tokens.get(i + 1) else { continue };
        let value = tokens[i..].iter().take_while(|t| !t.is_mark(';')).find_map(Token::text);
        if let (Some(value), true) = (value, token.line > 0) {
            found.insert(name.as_str(), value);
        }
    }
    found
}

fn value(file: &File, argument: &[Token], constants: &HashMap<&str, &str>) -> Option<String> {
    match &argument.first()?.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Word(word) if word == "include_str" => {
            let name = argument.get(3)?.text()?;
            let folder = file.path.rsplit_once('/')?.0;
            std::fs::read_to_string(files::root().join(folder).join(name)).ok()
        }
        Kind::Word(name) => constants.get(name.as_str()).map(|&text| text.to_owned()),
        Kind::Mark(_) | Kind::Comment(_) => None,
    }
}
