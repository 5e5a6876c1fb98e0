//! Stories of users, told to a whole suite through its public face.

#![expect(clippy::unwrap_used, reason = "a failure in a helper is a failed test")]

mod promoter;
