#![doc = include_str!("../README.md")]

pub mod access;
pub mod auth;
mod ctx;
mod drain;
mod fault;
pub mod health;
pub mod limits;
mod listen;
mod mend;
pub mod parse;
mod peer;
mod repeat;
mod serve;
mod server;
mod settings;
mod stack;
mod status;
mod timeout;
pub mod trace;
mod upstream;

pub use access::{Audience, Idempotency, Rule, Rules, Scopes};
pub use auth::Assertions;
pub use ctx::{Caller, Ctx};
pub use drain::{DRAINING, draining, unless_draining};
pub use fault::{fault, retry_after};
pub use peer::{Call, Peer};
pub use serve::{Replies, serve, serve_each, serve_stream};
pub use server::{App, BuildError, Server};
pub use settings::{RemoteSettings, Settings};
pub use status::status;
pub use upstream::{Late, Upstream, UpstreamError};
