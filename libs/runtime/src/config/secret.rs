//! A text that must not be seen: no log, no printed configuration and no debug output shows it.

use std::{cell::Cell, fmt};

use serde::{Deserialize, Serialize, Serializer};

/// A password, key or token. It prints and serialises as `***`, or as nothing when it is empty.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

const HIDDEN: &str = "***";

thread_local! {
    static REVEALED: Cell<bool> = const { Cell::new(false) };
}

/// Serialises secrets as they are while `work` runs: only so can defaults be the lowest layer of a configuration.
pub(super) fn revealed<R>(work: impl FnOnce() -> R) -> R {
    struct Hide;
    impl Drop for Hide {
        fn drop(&mut self) {
            REVEALED.set(false);
        }
    }
    REVEALED.set(true);
    let _hide = Hide;
    work()
}

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shown(&self) -> &str {
        match &self.0 {
            text if text.is_empty() || REVEALED.get() => text,
            _ => HIDDEN,
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { HIDDEN })
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
