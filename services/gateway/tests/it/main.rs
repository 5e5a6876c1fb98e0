//! The gateway from outside: over its router and its ports, with services behind it that are made up, and a real database.

mod contracts;
mod dump_tmp;
mod errors;
mod fake;
mod grpc;
mod pages;
mod ports;
mod rest;
mod tokens;
mod world;
mod zoo;
