//! What an operator may set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The configuration of the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The SHA-256 of the operator's token in hexadecimal; empty: there is no operator. `printf %s "$TOKEN" | sha256sum`.
    pub operator_sha256: String,
    /// The origins of web pages that may call, for example `https://console.example`; empty: none, for apps need none.
    pub cors_origins: Vec<String>,
    /// The bounds of what comes in from outside.
    pub http: Http,
    /// The bounds of the gateway's own gRPC service.
    pub grpc: siyu_grpc::Settings,
}

/// The bounds of what comes in from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The largest body of a REST request.
    pub body_max_bytes: usize,
    /// All bodies of REST requests that are held at once.
    pub bodies_max_bytes: usize,
    /// How long a client may take to send its headers, or the first request on a new connection.
    pub header_timeout_secs: u64,
    /// How long a connection may be open without a call.
    pub idle_timeout_secs: u64,
    /// How long a client may take to send a body, and to take in a part of a reply.
    pub body_timeout_secs: u64,
    /// How long a REST call may take.
    pub call_timeout_secs: u64,
    /// How many calls are under way at once; the next one is refused.
    pub in_flight_max: usize,
    /// How many connections may be open at once on each port; the next one waits.
    pub connections_max: usize,
    /// How long calls in progress may take to end when the gateway stops.
    pub drain_secs: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            // A batch of 1000 orders with a few lines each is 1 MiB of JSON.
            body_max_bytes: 8 * 1024 * 1024,
            // A message takes up to twenty times its JSON while it is read.
            bodies_max_bytes: 64 * 1024 * 1024,
            header_timeout_secs: 30,
            idle_timeout_secs: 300,
            // 8 MiB in this time is 2.2 Mbit/s: a phone in a train.
            body_timeout_secs: 30,
            // Twice what the services give a gRPC call that names no deadline; models take seconds.
            call_timeout_secs: 30,
            // The services refuse earlier, each by its own bound; this one is for the sum.
            in_flight_max: 1024,
            connections_max: 4096,
            drain_secs: 10,
        }
    }
}

impl Http {
    pub(crate) const fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_secs)
    }
    pub(crate) const fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_secs)
    }
    pub(crate) const fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_secs)
    }
    pub(crate) const fn call_timeout(&self) -> Duration {
        Duration::from_secs(self.call_timeout_secs)
    }
    pub(crate) const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_secs)
    }
}
