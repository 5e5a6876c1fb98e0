//! The port to whoever pays packets out, and a sandbox behind it.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};
use tonic::async_trait;

use super::domain::{Answer, OPENS_WITHIN, Packet};

/// Whoever pays packets out. A fault leaves open what happened: ask later.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Sends a packet, once for each bill number.
    async fn send(&self, packet: &Packet) -> Result<Answer, Fault>;

    /// What became of a packet.
    async fn query(&self, packet: &Packet, now: DateTime<Utc>) -> Result<Answer, Fault>;
}

/// A provider that pays nothing and forgets nothing, for it knows nothing: what it says follows from the last two digits of
/// the amount.
///
/// | digits | send | query |
/// | --- | --- | --- |
/// | 01 | refuses | refused |
/// | 02 | no answer | sent, then opened |
/// | 03 | no answer | refused |
/// | 04 | sends | not opened, until it comes back after 72 hours |
/// | 05 | no answer | no answer |
/// | other | sends | opened |
#[derive(Debug, Clone, Copy, Default)]
pub struct Sandbox;

#[async_trait]
impl Provider for Sandbox {
    async fn send(&self, packet: &Packet) -> Result<Answer, Fault> {
        match packet.amount_minor % 100 {
            1 => Ok(Answer::Failed("NOT_ENOUGH".to_owned())),
            2 | 3 | 5 => Err(silence()),
            _ => Ok(Answer::Sent(channel_no(packet))),
        }
    }

    async fn query(&self, packet: &Packet, now: DateTime<Utc>) -> Result<Answer, Fault> {
        match (packet.amount_minor % 100, packet.sent_at) {
            (1 | 3, _) => Ok(Answer::Failed("NOT_ENOUGH".to_owned())),
            (5, _) => Err(silence()),
            (4, Some(sent_at)) if now >= sent_at + OPENS_WITHIN => Ok(Answer::Refunded),
            (_, None) | (4, Some(_)) => Ok(Answer::Sent(channel_no(packet))),
            (_, Some(_)) => Ok(Answer::Received),
        }
    }
}

fn channel_no(packet: &Packet) -> String {
    format!("sandbox-{}", packet.bill_no())
}

fn silence() -> Fault {
    Fault::new(Code::Unavailable, "PROVIDER_AWAY", "the sandbox is silent for this amount")
}
