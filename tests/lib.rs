//! What the tests that cross services share. Nothing here knows a rule of a service.

#![expect(clippy::missing_panics_doc, reason = "everything here panics on failure, as tests do")]

pub mod support;
