//! Enough of Rust's lexer to tell code from words: comments, texts and the rest.

use std::str::Chars;

/// One token, with the line on which it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word(String),
    /// The value of a string literal.
    Text(String),
    /// One character of code.
    Mark(char),
    /// A comment, with its slashes.
    Comment(String),
}

impl Token {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }
}

struct Lexer<'a> {
    rest: Chars<'a>,
    line: usize,
}

/// The tokens of a source, comments included.
pub(crate) fn lex(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: source.chars(), line: 1 };
    let mut tokens = Vec::new();
    while let Some(first) = lexer.peek(0) {
        let line = lexer.line;
        if first.is_whitespace() {
            lexer.next();
        } else if let Some(kind) = lexer.token(first) {
            tokens.push(Token { line, kind });
        }
    }
    tokens
}

/// The tokens of a source without its comments.
pub(crate) fn code(source: &str) -> Vec<Token> {
    let mut tokens = lex(source);
    tokens.retain(|token| !matches!(token.kind, Kind::Comment(_)));
    tokens
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.clone().nth(ahead)
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek(0).filter(|&c| wanted(c)) {
            taken.push(c);
            self.next();
        }
        taken
    }

    fn token(&mut self, first: char) -> Option<Kind> {
        match first {
            '/' if self.peek(1) == Some('/') => Some(Kind::Comment(self.take_while(|c| c != '\n'))),
            '/' if self.peek(1) == Some('*') => Some(Kind::Comment(self.block())),
            '"' => Some(Kind::Text(self.text())),
            '\'' => self.quote(),
            c if c.is_alphanumeric() || c == '_' => Some(self.word()),
            mark => {
                self.next();
                Some(Kind::Mark(mark))
            }
        }
    }

    fn block(&mut self) -> String {
        let (mut taken, mut depth) = (String::new(), 0);
        while let Some(c) = self.next() {
            taken.push(c);
            if taken.ends_with("/*") {
                depth += 1;
            } else if taken.ends_with("*/") {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
        }
        taken
    }

    /// A word, or the text behind `r"`, `b"`, `c"`, `br#"`.
    fn word(&mut self) -> Kind {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
        match (word.as_str(), self.peek(0)) {
            ("b" | "c", Some('"')) => Kind::Text(self.text()),
            ("r" | "br" | "cr", Some('"' | '#')) => self.raw().map_or(Kind::Word(word), Kind::Text),
            _ => Kind::Word(word),
        }
    }

    fn raw(&mut self) -> Option<String> {
        let hashes = self.rest.clone().take_while(|&c| c == '#').count();
        if self.peek(hashes) != Some('"') {
            return None; // a raw name like r#type
        }
        (0..=hashes).for_each(|_| {
            self.next();
        });
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while let Some(c) = self.next() {
            text.push(c);
            if let Some(whole) = text.strip_suffix(&end) {
                return Some(whole.to_owned());
            }
        }
        Some(text)
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        self.next();
        while let Some(c) = self.next() {
            match c {
                '"' => break,
                '\\' => self.escape(&mut text),
                c => text.push(c),
            }
        }
        text
    }

    fn escape(&mut self, text: &mut String) {
        match self.next() {
            Some('\n') => drop(self.take_while(char::is_whitespace)),
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('0') => text.push('\0'),
            Some('x') => {
                let code: String = [self.next(), self.next()].into_iter().flatten().collect();
                text.extend(u8::from_str_radix(&code, 16).map(char::from));
            }
            Some('u') => {
                let code = self.take_while(|c| c != '}');
                self.next();
                let code = u32::from_str_radix(code.trim_start_matches('{'), 16).ok();
                text.extend(code.and_then(char::from_u32));
            }
            Some(other) => text.push(other),
            None => {}
        }
    }

    /// A character, which nobody here asks for, or the mark of a lifetime.
    fn quote(&mut self) -> Option<Kind> {
        self.next();
        if self.peek(0) == Some('\\') {
            (0..2).for_each(|_| {
                self.next();
            });
            self.take_while(|c| c != '\'');
        } else if self.peek(1) == Some('\'') {
            self.next();
        } else {
            return Some(Kind::Mark('\''));
        }
        self.next();
        None
    }
}

#[test]
fn code_texts_and_comments_are_told_apart() {
    let source = r##"fn f<'a>(c: char) { // "no text"
        let s = b"a\"b\u{41}"; /* x /* y */ z */ let t = r#"raw "one" x"#; let q = '"'; r#type('\'') }"##;
    let words = |kind: fn(&Token) -> Option<String>| -> Vec<String> {
        lex(source).iter().filter_map(kind).collect()
    };
    assert_eq!(words(|t| t.text().map(str::to_owned)), ["a\"bA", "raw \"one\" x"]);
    let comments = words(|t| match &t.kind {
        Kind::Comment(comment) => Some(comment.clone()),
        Kind::Word(_) | Kind::Text(_) | Kind::Mark(_) => None,
    });
    assert_eq!(comments, ["// \"no text\"", "/* x /* y */ z */"]);
    assert!(code(source).iter().any(|t| t.is_word("type") && t.line == 2));
    assert!(code(source).last().unwrap().is_mark('}'));
}
