//! Colour, width and bars. Widths are columns of the terminal: a Chinese character takes two.

use console::{Alignment, measure_text_width, pad_str};

use crate::{number::decimal, output::Colour};

/// Puts colours on texts, or leaves them as they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) Colour);

/// The colours, by their number among the 256; all are legible on black and on white.
pub(super) mod tone {
    /// What the eye shall find first.
    pub(in super::super) const MAIN: u8 = 37;
    /// What stands beside it.
    pub(in super::super) const SECOND: u8 = 67;
    /// What asks for attention.
    pub(in super::super) const WARN: u8 = 172;
    /// What is over.
    pub(in super::super) const FADED: u8 = 245;
}

const EIGHTHS_RIGHT: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

impl Paint {
    pub(super) fn bold(self, text: &str) -> String {
        self.escape("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.escape("2", text)
    }

    pub(super) fn tone(self, tone: u8, text: &str) -> String {
        self.escape(&format!("38;5;{tone}"), text)
    }

    /// A text on a coloured ground.
    pub(super) fn on(self, ground: u8, ink: u8, text: &str) -> String {
        self.escape(&format!("48;5;{ground};38;5;{ink}"), text)
    }

    fn escape(self, code: &str, text: &str) -> String {
        match self.0 {
            Colour::Ansi if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            Colour::Ansi | Colour::Plain => text.to_owned(),
        }
    }

    /// A bar of up to `width` columns, in eighths of a column; anything above nothing is seen.
    pub(super) fn bar(self, tone: u8, value: i64, max: i64, width: usize) -> String {
        let eighths = eighths(value, max, width);
        let text = "█".repeat(eighths / 8) + EIGHTHS_RIGHT[eighths % 8];
        self.tone(tone, &text)
    }
}

/// How many eighths of `cells` a value fills.
pub(super) fn eighths(value: i64, max: i64, cells: usize) -> usize {
    if value <= 0 || max <= 0 {
        return 0;
    }
    let full = cells * 8;
    let filled = i128::from(value.min(max)) * i128::try_from(full).unwrap_or(0) / i128::from(max);
    usize::try_from(filled).unwrap_or(full).clamp(1, full.max(1))
}

pub(super) fn left(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Left, None).into_owned()
}

pub(super) fn right(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Right, None).into_owned()
}

pub(super) fn centre(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Center, None).into_owned()
}

pub(super) fn columns(text: &str) -> usize {
    measure_text_width(text)
}

/// Breaks a text into lines of at most `width` columns, at its blanks.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if columns(line) + 1 + columns(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// `48.9 %`; a dash without a whole.
pub(super) fn percent(part: i64, whole: i64) -> String {
    let share = decimal(i128::from(part) * 100, i128::from(whole), 1);
    share.map_or_else(|| "–".to_owned(), |share| format!("{share} %"))
}
