//! The stack from outside: a small server in this process and over TCP, and everything a caller can do to it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start their servers themselves, and fail where something is not as it must be"
)]

mod access;
mod calls;
mod fixture;
mod methods;
mod overload;
mod streams;
mod transport;
mod wire;
