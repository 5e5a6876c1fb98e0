//! The rewards that an order gave: read for a plan, and taken back with the refund that leaves nothing of the order.

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;
use siyu_proto::order::v1::{self as proto, PlannedReward, RefundPlan};

use super::{
    domain::Refund,
    plan::{self, Action, Given, Reward, RewardKind},
    sold, store,
};
use crate::{
    coupon::{self, domain::Coupon},
    order::{
        self,
        advance::Cause,
        domain::{Order, OrderId, State},
    },
    red_packet::{self, domain::Packet},
};

/// The order that something is given for, locked: a refund of it waits, and sees what it gave.
///
/// # Errors
/// `NOT_FOUND`; `ORDER_STATE_WRONG` for one that was cancelled or refunded as a whole.
pub(crate) async fn lock_giver(tx: &mut Tx, id: OrderId) -> Result<Order, Fault> {
    let order = order::store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
    if matches!(order.state, State::Cancelled | State::Refunded) {
        let (state, message) =
            (order.state.as_str(), "nothing is given for an order that has gone");
        let fault = Fault::new(Code::FailedPrecondition, "ORDER_STATE_WRONG", message);
        return Err(fault.with("state", state));
    }
    Ok(order)
}

/// What an order gave, as it stands: red packets first, each kind by id.
pub(super) async fn given(
    tx: &mut Tx,
    id: OrderId,
    now: DateTime<Utc>,
) -> Result<Vec<Given>, Fault> {
    let packets = red_packet::store::of_order(tx, id).await?;
    let coupons = coupon::store::given(tx, id).await?;
    Ok(of(&packets, &coupons, now))
}

fn of(packets: &[Packet], coupons: &[Coupon], now: DateTime<Utc>) -> Vec<Given> {
    let coupons = coupons.iter().map(|coupon| Given::coupon(coupon, now));
    packets.iter().map(Given::packet).chain(coupons).collect()
}

/// Takes back what nobody has received or used of what the order gave, of which nothing is left, and keeps with the refund what
/// was done. A packet may have been sent and a coupon used since the refund was planned: what is done is decided under their
/// locks, the coupons that the order has among them. The transaction holds the lock of the order, so that no others come.
pub(super) async fn take_back(tx: &mut Tx, refund: &Refund, cause: Cause<'_>) -> Result<(), Fault> {
    let (id, now) = (refund.order_id, cause.now);
    coupon::store::lock_for_refund(tx, id).await?;
    let mut coupons = coupon::store::given(tx, id).await?;
    let mut packets = red_packet::store::lock_of_order(tx, id).await?;
    let given = of(&packets, &coupons, now);
    if given.is_empty() {
        return Ok(());
    }
    let rewards = plan::unwind(&given, true);
    let of_coupons = rewards.iter().filter(|reward| reward.kind == RewardKind::Coupon);
    let why = format!("refund {}", refund.id);
    for (coupon, reward) in coupons.iter_mut().zip(of_coupons) {
        if reward.action == Action::Void {
            coupon::pass::take_back(tx, coupon, (cause.actor, &why), now).await?;
        }
    }
    red_packet::stop::stop(tx, &mut packets, now).await?;
    save(tx, refund, &rewards).await
}

/// Keeps with a refund that takes nothing back, for something is left of the order after all, that everything was kept.
pub(super) async fn keep(tx: &mut Tx, refund: &Refund, now: DateTime<Utc>) -> Result<(), Fault> {
    let given = given(tx, refund.order_id, now).await?;
    save(tx, refund, &plan::unwind(&given, false)).await
}

async fn save(tx: &mut Tx, refund: &Refund, rewards: &[Reward]) -> Result<(), Fault> {
    let done = RefundPlan { rewards: show(rewards), ..RefundPlan::default() };
    Ok(store::save_rewards(tx, refund.id, &done.encode_to_vec()).await?)
}

/// The plan of a refund with what was done with the rewards, or is to be done.
pub(super) fn plan_shown(refund: &Refund) -> Result<RefundPlan, Fault> {
    let mut plan = sold::plan_of(refund)?;
    if let Some(done) = &refund.rewards {
        plan.rewards = RefundPlan::decode(done.as_slice()).map_err(Fault::internal)?.rewards;
    }
    Ok(plan)
}

/// Rewards as they are shown.
pub(super) fn show(rewards: &[Reward]) -> Vec<PlannedReward> {
    let each = rewards.iter().map(|reward| {
        let kind = match reward.kind {
            RewardKind::RedPacket => proto::RewardKind::RedPacket,
            RewardKind::Coupon => proto::RewardKind::Coupon,
        };
        let (action, reason) = match reward.action {
            Action::Stop => (proto::RewardAction::Stop, ""),
            Action::Void => (proto::RewardAction::Void, ""),
            Action::Keep(why) => (proto::RewardAction::Keep, why.as_str()),
        };
        PlannedReward {
            kind: kind.into(),
            id: reward.id.clone(),
            amount_minor: reward.amount_minor,
            action: action.into(),
            reason: reason.to_owned(),
        }
    });
    each.collect()
}
