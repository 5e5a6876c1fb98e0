//! The only place that writes to the terminal: results on stdout, everything else on stderr. A reader that goes away
//! (`siyu report | head`) is no error.

mod progress;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use console::Term;
use serde::Serialize;

use crate::{
    cli::{ColorChoice, OutputArgs},
    exit::Failure,
};

pub use progress::Progress;

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    shape: Shape,
    chat: Chat,
    /// How texts may look.
    pub look: Look,
}

/// What a text may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The columns of the terminal, 80 to 100.
    pub width: usize,
    /// Whether colours may be used.
    pub colour: Colour,
}

/// Whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// No escape sequences.
    Plain,
    /// 256 colours.
    Ansi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chat {
    Full,
    Quiet,
}

// Narrower, tables would break; wider, the eye loses the line.
const WIDTHS: (usize, usize) = (80, 100);

impl Output {
    /// As the command line and the terminal ask for it.
    pub fn new(args: &OutputArgs) -> Self {
        let shape = if args.json { Shape::Json } else { Shape::Text };
        let chat = if args.quiet { Chat::Quiet } else { Chat::Full };
        let wanted = match args.color {
            ColorChoice::Auto => console::colors_enabled(),
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let colour = if wanted { Colour::Ansi } else { Colour::Plain };
        let columns = Term::stdout().size_checked().map_or(WIDTHS.1, |(_, columns)| columns.into());
        Self { shape, chat, look: Look { width: columns.clamp(WIDTHS.0, WIDTHS.1), colour } }
    }

    /// Shows a result: the object to a script, the text to a person.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be written, for example to a full disk.
    pub fn result<T: Serialize>(
        &self,
        object: &T,
        text: impl FnOnce(Look) -> String,
    ) -> Result<(), Failure> {
        let text = match self.shape {
            Shape::Json => {
                let json = serde_json::to_string_pretty(object);
                json.map_err(Failure::failed)? + "\n"
            }
            Shape::Text => text(self.look),
        };
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::failed(format!("cannot write the result: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Shows the result of a command that was asked for what it does, not for what it says: quiet, only a script sees it.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub fn confirm<T: Serialize>(
        &self,
        object: &T,
        text: impl FnOnce(Look) -> String,
    ) -> Result<(), Failure> {
        match (self.shape, self.chat) {
            (Shape::Text, Chat::Quiet) => Ok(()),
            (Shape::Text, Chat::Full) | (Shape::Json, _) => self.result(object, text),
        }
    }

    /// Tells something beside the result.
    pub fn note(&self, text: impl Display) {
        if self.chat == Chat::Full {
            to_stderr(format_args!("{text}"));
        }
    }

    /// Shows how far a long work has come. Nothing when the command was asked to be quiet or to write JSON.
    pub fn progress(&self, total_bytes: Option<u64>) -> Progress {
        match (self.shape, self.chat) {
            (Shape::Text, Chat::Full) if io::stderr().is_terminal() => Progress::bar(total_bytes),
            (Shape::Text, Chat::Full) => Progress::lines(total_bytes),
            (Shape::Json, _) | (_, Chat::Quiet) => Progress::Silent,
        }
    }
}

/// Says why a command was not done.
pub fn failure(failure: &Failure) {
    to_stderr(format_args!("error: {failure}"));
    if let Some(hint) = &failure.hint {
        to_stderr(format_args!("  hint: {hint}"));
    }
}

fn to_stderr(text: impl Display) {
    // There is nobody left to tell that stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
