//! What an operator may set: bounds of a server, and the way to a peer.

use serde::{Deserialize, Serialize};

/// The bounds of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many calls are worked on at once; internal calls have as many places of their own.
    pub in_flight_max: usize,
    /// How many more may wait for a place; the next one is refused at once.
    pub waiting_max: usize,
    /// How long a call waits for a place before it is refused.
    pub wait_millis: u64,
    /// The deadline of a call that names none.
    pub timeout_default_secs: u64,
    /// The longest deadline a call may name.
    pub timeout_max_secs: u64,
    /// How long a connection may be silent before the peer is asked whether it is there.
    pub keep_alive_secs: u64,
    /// How long the peer may take to answer that.
    pub keep_alive_timeout_secs: u64,
    /// After how long a connection is closed in good order, so that clients spread over new replicas; 0: never.
    pub connection_age_secs: u64,
    /// How many connections may be open at once.
    pub connections_max: usize,
    /// How long calls in progress may take to end when the server stops.
    pub drain_secs: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // Far above the database connections of a service: a place is cheap, a queue in the pool is bounded by time.
            in_flight_max: 256,
            // Two rounds of the places: what waits longer than that would time out anyway.
            waiting_max: 512,
            wait_millis: 500,
            timeout_default_secs: 15,
            // Above the longest wait of EventLogService.ReadEvents (30 s).
            timeout_max_secs: 60,
            keep_alive_secs: 10,
            keep_alive_timeout_secs: 5,
            connection_age_secs: 0,
            connections_max: 4096,
            drain_secs: 10,
        }
    }
}

/// The way to a peer in another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteSettings {
    /// How many connections are kept: one HTTP/2 connection is one task and carries some 17,000 calls a second.
    pub connections: usize,
    /// How long opening a connection may take.
    pub connect_timeout_millis: u64,
    /// How long a connection may be silent before the peer is asked whether it is there.
    pub keep_alive_secs: u64,
    /// How long the peer may take to answer that.
    pub keep_alive_timeout_secs: u64,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self {
            connections: 2,
            connect_timeout_millis: 2000,
            keep_alive_secs: 10,
            keep_alive_timeout_secs: 5,
        }
    }
}
