//! The gateway from outside: over its router and its ports, with services behind it that are made up, and a real database.

#![expect(clippy::unwrap_used, reason = "a failure in a helper is a failed test")]

mod contracts;
mod errors;
mod fake;
mod grpc;
mod open;
mod pages;
mod ports;
mod rest;
mod tokens;
mod world;
mod zoo;
