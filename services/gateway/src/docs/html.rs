//! Texts of contracts as HTML.

/// A text that is safe in an element and in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A comment with its names set as code: what stands in backticks, and names like `NOT_FOUND` or `page_token`.
pub(super) fn rich(comment: &str) -> String {
    let parts = comment.split('`').enumerate();
    let parts = parts.map(|(i, part)| if i % 2 == 1 { code(part) } else { with_names(part) });
    parts.collect::<Vec<_>>().concat()
}

fn with_names(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let (name, rest) = word.split_at(word.find(|c| !is_name(c)).unwrap_or(word.len()));
        let is_code = name.trim_matches('_').contains('_');
        if is_code { code(name) + &escaped(rest) } else { escaped(word) }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_set_as_code_and_nothing_is_markup() {
        assert_eq!(
            rich("Fails with NOT_FOUND, or `a<b`; see <page_token> & GMV."),
            "Fails with <code>NOT_FOUND</code>, or <code>a&lt;b</code>; see &lt;page_token&gt; &amp; GMV."
        );
        assert_eq!(escaped("\"'"), "&quot;&#39;");
    }
}
