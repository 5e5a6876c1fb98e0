//! Runs services: one in a process, or all in one. The same services either way; only the way to a peer and to the database
//! differs.

pub mod admin;
pub mod config;
pub mod embedded;
pub mod node;
pub mod services;
pub mod single;
pub mod suite;
