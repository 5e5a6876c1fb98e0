//! How the program ends: a code that a script can act on, and words that a person can.

use std::{fmt, process::ExitCode};

/// The exit codes. They are part of the program's contract; `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Done = 0,
    /// It was not done; the message on stderr says why.
    Failed = 1,
    /// The command line cannot be read, or names what does not fit together.
    Usage = 2,
    /// It was done, but for rows that were rejected.
    Rejected = 3,
    /// The suite could not be reached, or did not accept the token.
    Unreachable = 4,
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What went wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Failure {
    /// The command failed.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Failed, message: message.to_string(), hint: None }
    }

    /// The command failed because of an error, which is told with everything behind it, each reason once.
    pub fn because(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let reason = error.to_string();
            if !text.ends_with(&reason) {
                text = format!("{text}: {reason}");
            }
            cause = error.source();
        }
        Self::failed(text)
    }

    /// The arguments do not fit together.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, ..Self::failed(message) }
    }

    /// The suite could not be reached, or did not accept the token.
    pub fn unreachable(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Unreachable, ..Self::failed(message) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What the system said, without its number: "Permission denied" rather than "Permission denied (os error 13)".
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open it: {source}")]
    struct Opening {
        source: std::io::Error,
    }

    #[test]
    fn a_reason_is_told_once() {
        let source = std::io::Error::other("the disk is gone");
        let failure = Failure::because(Opening { source });
        assert_eq!(failure.message, "cannot open it: the disk is gone");
    }

    #[test]
    fn what_the_system_said_has_no_number() {
        let error = std::fs::read_to_string("/no/such/file").unwrap_err();
        assert_eq!(reason(&error), "No such file or directory");
    }
}
