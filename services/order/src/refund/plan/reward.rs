//! What becomes of the rewards that an order gave (reference §3.5, rule 87): red packets that are linked to it and coupons that
//! were given for it.
//!
//! | reward | something is left of the order | nothing is left |
//! | --- | --- | --- |
//! | a packet that nobody was asked to send | kept | stopped |
//! | any other packet | kept | kept |
//! | a coupon that can be used, or could be later | kept | void |
//! | any other coupon | kept | kept |
//!
//! What a buyer has received is never taken out of the buyer's money: rewards change no amount of a plan.

use chrono::{DateTime, Utc};

use crate::{
    coupon::domain::{Coupon, State as CouponState},
    red_packet::domain::{Packet, State as PacketState},
};

/// What an order gave beside its goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewardKind {
    /// A red packet.
    RedPacket,
    /// A coupon.
    Coupon,
}

/// A reward as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What it is.
    pub kind: RewardKind,
    /// Its id.
    pub id: String,
    /// What stands on a packet; 0 for a coupon.
    pub amount_minor: i64,
    /// Why it cannot be taken back; `None` where it can.
    pub fixed: Option<Kept>,
}

/// Why a reward is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Something is left of the order.
    Partial,
    /// The provider is asked to send the packet.
    Sending,
    /// The packet is sent.
    Sent,
    /// The packet was opened.
    Received,
    /// Nobody opened the packet: the money came back.
    Refunded,
    /// The packet was not sent.
    Failed,
    /// The packet was stopped before.
    Stopped,
    /// Whether the packet was sent is not known.
    Unknown,
    /// An order that waits for its payment has the coupon.
    Locked,
    /// The coupon was used.
    Used,
    /// The time of the coupon is over.
    Expired,
    /// The coupon was taken back before.
    Void,
}

/// What is done with a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A packet is not sent.
    Stop,
    /// A coupon is taken back.
    Void,
    /// It stays as it is.
    Keep(Kept),
}

/// What a refund does with a reward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reward {
    /// What it is.
    pub kind: RewardKind,
    /// Its id.
    pub id: String,
    /// What stands on a packet; 0 for a coupon.
    pub amount_minor: i64,
    /// What is done with it.
    pub action: Action,
}

/// What a refund does with what its order gave, in the same order.
pub fn unwind(given: &[Given], fully: bool) -> Vec<Reward> {
    let each = given.iter().map(|given| Reward {
        kind: given.kind,
        id: given.id.clone(),
        amount_minor: given.amount_minor,
        action: given.action(fully),
    });
    each.collect()
}

impl Given {
    /// A red packet.
    pub fn packet(packet: &Packet) -> Self {
        let fixed = match packet.state {
            PacketState::Created if packet.is_unasked() => None,
            // It was on its way before, and goes there again under the same number.
            PacketState::Created | PacketState::Sending => Some(Kept::Sending),
            PacketState::Sent => Some(Kept::Sent),
            PacketState::Received => Some(Kept::Received),
            PacketState::Refunded => Some(Kept::Refunded),
            PacketState::Failed => Some(Kept::Failed),
            PacketState::Unknown => Some(Kept::Unknown),
            PacketState::Stopped => Some(Kept::Stopped),
        };
        let (kind, id) = (RewardKind::RedPacket, packet.id.to_string());
        Self { kind, id, amount_minor: packet.amount_minor, fixed }
    }

    /// A coupon at an instant.
    pub fn coupon(coupon: &Coupon, now: DateTime<Utc>) -> Self {
        let fixed = match coupon.state {
            CouponState::Issued if coupon.valid_to <= now => Some(Kept::Expired),
            CouponState::Issued => None,
            CouponState::Locked => Some(Kept::Locked),
            CouponState::Used => Some(Kept::Used),
            CouponState::Void => Some(Kept::Void),
        };
        Self { kind: RewardKind::Coupon, id: coupon.id.to_string(), amount_minor: 0, fixed }
    }

    const fn action(&self, fully: bool) -> Action {
        match (fully, self.fixed, self.kind) {
            (false, ..) => Action::Keep(Kept::Partial),
            (true, Some(why), _) => Action::Keep(why),
            (true, None, RewardKind::RedPacket) => Action::Stop,
            (true, None, RewardKind::Coupon) => Action::Void,
        }
    }
}

impl Kept {
    /// The word in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
            Self::Locked => "locked",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }
}

#[cfg(test)]
mod tests;
