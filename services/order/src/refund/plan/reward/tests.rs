use chrono::NaiveDate;
use siyu_kernel::Id;
use uuid::Uuid;

use super::*;

fn packet(state: PacketState, attempts: i32) -> Packet {
    Packet {
        id: Id::from_uuid(Uuid::from_u128(1)),
        person_id: Id::from_uuid(Uuid::nil()),
        order_id: None,
        employee: String::new(),
        approved_by: String::new(),
        wishing: String::new(),
        budget_code: String::new(),
        amount_minor: 1_000,
        day: NaiveDate::default(),
        state,
        channel_no: String::new(),
        failure: String::new(),
        created_at: DateTime::UNIX_EPOCH,
        sent_at: None,
        received_at: None,
        refunded_at: None,
        attempts,
    }
}

fn coupon(state: CouponState) -> Coupon {
    Coupon {
        id: Id::from_uuid(Uuid::from_u128(2)),
        template_code: String::new(),
        person_id: Id::from_uuid(Uuid::nil()),
        definition: Vec::new(),
        valid_from: at(10),
        valid_to: at(20),
        created_at: at(0),
        state,
        transfers: 0,
        redeemed_at: None,
        given_order_id: None,
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// What becomes of a reward when nothing is left of its order.
fn whole(given: Given) -> Action {
    unwind(&[given], true)[0].action
}

#[test]
fn a_packet_is_stopped_until_a_provider_was_asked_to_send_it_and_kept_from_then_on() {
    let cases = [
        (PacketState::Created, 0, Action::Stop),
        (PacketState::Created, 1, Action::Keep(Kept::Sending)),
        (PacketState::Sending, 1, Action::Keep(Kept::Sending)),
        (PacketState::Sent, 1, Action::Keep(Kept::Sent)),
        (PacketState::Received, 2, Action::Keep(Kept::Received)),
        (PacketState::Refunded, 2, Action::Keep(Kept::Refunded)),
        (PacketState::Failed, 1, Action::Keep(Kept::Failed)),
        (PacketState::Unknown, 1, Action::Keep(Kept::Unknown)),
        (PacketState::Stopped, 0, Action::Keep(Kept::Stopped)),
    ];
    for (state, attempts, expected) in cases {
        let mut packet = packet(state, attempts);
        assert_eq!(whole(Given::packet(&packet)), expected, "{state:?} {attempts}");
        // What the plan stops is what a packet lets be stopped.
        assert_eq!(packet.stop(), expected == Action::Stop, "{state:?} {attempts}");
    }
}

#[test]
fn a_coupon_is_taken_back_while_it_can_be_used_or_could_be_later() {
    let cases = [
        (CouponState::Issued, 5, Action::Void),
        (CouponState::Issued, 19, Action::Void),
        (CouponState::Issued, 20, Action::Keep(Kept::Expired)),
        (CouponState::Locked, 15, Action::Keep(Kept::Locked)),
        (CouponState::Used, 15, Action::Keep(Kept::Used)),
        (CouponState::Used, 25, Action::Keep(Kept::Used)),
        (CouponState::Void, 25, Action::Keep(Kept::Void)),
    ];
    for (state, now, expected) in cases {
        assert_eq!(whole(Given::coupon(&coupon(state), at(now))), expected, "{state:?} {now}");
    }
}

#[test]
fn a_refund_that_leaves_something_keeps_everything_and_says_so() {
    let given = [
        Given::packet(&packet(PacketState::Created, 0)),
        Given::packet(&packet(PacketState::Received, 2)),
        Given::coupon(&coupon(CouponState::Issued), at(15)),
        Given::coupon(&coupon(CouponState::Used), at(15)),
    ];
    let kept = unwind(&given, false);
    assert!(kept.iter().all(|reward| reward.action == Action::Keep(Kept::Partial)), "{kept:?}");
    let amounts: Vec<_> = kept.iter().map(|reward| (reward.kind, reward.amount_minor)).collect();
    let (packet, coupon) = (RewardKind::RedPacket, RewardKind::Coupon);
    assert_eq!(amounts, [(packet, 1_000), (packet, 1_000), (coupon, 0), (coupon, 0)]);
    let ids: Vec<&str> = kept.iter().map(|reward| &*reward.id).collect();
    assert_eq!(ids, given.iter().map(|given| &*given.id).collect::<Vec<_>>());
}
