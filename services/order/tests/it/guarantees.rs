//! What is held of orders, over the functions that the steps of an order call.

use chrono::TimeDelta;
use siyu_kernel::Code;
use siyu_order::guarantee::{
    act,
    domain::{Completion, Terms},
};
use siyu_proto::order::v1::{GuaranteeEntryKind as Kind, *};
use uuid::Uuid;

use crate::{
    held::{TERMS, cny},
    world::World,
};

fn refund_id(n: u128) -> Uuid {
    Uuid::from_u128(9_000 + n)
}

#[tokio::test]
async fn what_is_paid_is_held_until_the_buyer_confirms_and_then_the_merchants() {
    let world = World::new().await;
    let id = world.sold("1").await;
    for _ in 0..2 {
        world.hold(id, &[("1", 900), ("2", 101)], TERMS).await;
    }
    assert_eq!(world.balance().await, [1_001, 0, 0, 0, 0, 0]);
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 0);
    world.complete(id, Completion::PickedUp).await;
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 0, "a day later");
    world.clock.advance(TimeDelta::hours(24));
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 0);
    assert_eq!(world.balance().await, [0, 891, 0, 100, 10, 0]);
    assert_eq!(world.guarantee(id).await.state(), GuaranteeState::Released);
    let moved = [
        (Kind::Paid, 900),
        (Kind::Paid, 101),
        (Kind::Commission, 100),
        (Kind::Fee, 10),
        (Kind::Released, 891),
    ];
    assert_eq!(world.moved(&id.to_string()).await, moved);
    assert_eq!(world.moved("").await, moved);
    assert_eq!(world.sound_ledger().await, 5);
}

#[tokio::test]
async fn an_order_that_cost_nothing_is_held_like_any_other() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 0)], TERMS).await;
    world.complete(id, Completion::Confirmed).await;
    let nothing = world.open("1", id, 0).await.unwrap_err();
    assert_eq!(nothing.reason(), "NOTHING_TO_DISPUTE");
    assert_eq!((world.guarantee(id).await.paid_minor, world.sound_ledger().await), (0, 0));
}

#[tokio::test]
async fn a_dispute_freezes_and_nothing_is_released_before_it_is_closed() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 1_000)], Terms::default()).await;
    let dispute = world.open("1", id, 600).await.unwrap();
    assert_eq!(world.open("1", id, 600).await.unwrap(), dispute, "a repeat");
    assert_eq!((dispute.amount_minor, dispute.frozen_minor), (600, 600));
    assert_eq!(world.open("2", id, 0).await.unwrap_err().reason(), "DISPUTE_OPEN");
    world.complete(id, Completion::Confirmed).await;
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 0);
    // A refund of more than is free: the dispute gives way, and holds what is left of it.
    world.refund(id, refund_id(1), 500).await.unwrap();
    let shown = world.guarantee(id).await.dispute.unwrap();
    assert_eq!((shown.amount_minor, shown.frozen_minor), (100, 100));
    let closed = world.close("3", &dispute.id).await.unwrap();
    assert_eq!((closed.frozen_minor, closed.outcome()), (0, DisputeOutcome::Buyer));
    assert_eq!(world.close("3", &dispute.id).await.unwrap(), closed, "a repeat");
    assert_eq!(world.close("4", &dispute.id).await.unwrap_err().reason(), "DISPUTE_CLOSED");
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
    assert_eq!(world.balance().await, [0, 500, 0, 0, 0, 0]);
    world.refund_paid(id, refund_id(1), 500).await.unwrap();
    world.sound_ledger().await;
}

#[tokio::test]
async fn a_dispute_after_the_release_freezes_what_is_the_merchants() {
    let world = World::new().await;
    let id = world.released("1", 1_000).await;
    world.released("2", 50).await;
    world.refund(id, refund_id(1), 980).await.unwrap();
    let dispute = world.open("1", id, 0).await.unwrap();
    assert_eq!((dispute.amount_minor, dispute.frozen_minor), (20, 20));
    assert_eq!(world.balance().await, [0, 50, 20, 0, 0, 0]);
    world.close("2", &dispute.id).await.unwrap();
    assert_eq!(world.balance().await, [0, 70, 0, 0, 0, 0]);
    world.sound_ledger().await;
}

#[tokio::test]
async fn a_refund_takes_what_is_held_before_the_release_and_what_is_the_merchants_after_it() {
    let world = World::new().await;
    let (first, second) = (world.released("1", 1_000).await, world.released("2", 300).await);
    let charged = world.refund(second, refund_id(1), 300).await.unwrap();
    assert_eq!((charged.refunded_minor, charged.advanced_minor), (300, 0));
    assert_eq!(world.balance().await, [0, 1_000, 0, 0, 0, 0]);
    world.refund(first, refund_id(2), 700).await.unwrap();
    let third = world.sold("3").await;
    world.hold(third, &[("1", 800)], TERMS).await;
    world.complete(third, Completion::Confirmed).await;
    world.refund(third, refund_id(3), 800).await.unwrap();
    assert_eq!(world.balance().await, [0, 300, 0, 0, 0, 0], "it was held");
    world.refund(first, refund_id(4), 300).await.unwrap();
    assert_eq!(world.balance().await, [0; 6]);
    let taken = [(Kind::Paid, 1_000), (Kind::Released, 1_000), (Kind::Charged, 700)];
    assert_eq!(world.moved(&first.to_string()).await[..3], taken);
    world.sound_ledger().await;
}

#[tokio::test]
async fn a_release_settles_first_what_was_advanced_and_a_failed_advance_goes_where_it_belongs() {
    let world = World::new().await;
    let first = world.released("1", 1_000).await;
    // Somebody else's refund takes all that the merchant has.
    let second = world.released("2", 10).await;
    assert_eq!(world.balance().await[1], 1_010);
    world.refund(first, refund_id(1), 1_000).await.unwrap();
    world.refund(second, refund_id(2), 10).await.unwrap();
    let third = world.sold("3").await;
    let terms = Terms { commission_bp: 5_000, fee_bp: 0 };
    world.hold(third, &[("1", 400)], terms).await;
    world.complete(third, Completion::Confirmed).await;
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
    let advanced = world.refund(third, refund_id(3), 400).await.unwrap();
    assert_eq!(advanced.advanced_minor, 200, "200 are the merchant's, 200 were commission");
    assert_eq!(world.balance().await, [0, 0, 0, 200, 0, 200]);
    world.released("4", 150).await;
    assert_eq!(world.balance().await, [0, 0, 0, 200, 0, 50]);
    // The advance goes back: 50 to whoever advanced, 150 to the merchant, who had settled them.
    let back = world.refund_failed(third, refund_id(3), 400).await.unwrap();
    assert_eq!((back.refunded_minor, back.advanced_minor), (0, 0));
    assert_eq!(world.balance().await, [0, 350, 0, 200, 0, 0]);
    let again = world.refund_failed(third, refund_id(3), 400).await.unwrap();
    assert_eq!(again, back, "a repeat");
    world.sound_ledger().await;
}

#[tokio::test]
async fn a_refund_that_fails_before_the_release_is_held_again_and_released_later() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 600), ("2", 400)], Terms::default()).await;
    world.refund(id, refund_id(1), 500).await.unwrap();
    world.complete(id, Completion::Confirmed).await;
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
    world.refund_paid(id, refund_id(1), 300).await.unwrap();
    world.refund_paid(id, refund_id(1), 300).await.unwrap();
    let too_much = world.refund_failed(id, refund_id(1), 201).await.unwrap_err();
    assert_eq!(too_much.reason(), "EXCEEDS_REFUND");
    let back = world.refund_failed(id, refund_id(1), 200).await.unwrap();
    assert_eq!((back.held_minor, back.refunded_minor), (200, 300));
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
    assert_eq!(world.balance().await, [0, 700, 0, 0, 0, 0]);
    assert_eq!(world.guarantee(id).await.released_minor, 700);
    world.sound_ledger().await;
}

#[tokio::test]
async fn a_repeat_of_a_refund_takes_nothing_and_more_than_is_left_is_refused() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 1_000)], Terms::default()).await;
    for _ in 0..2 {
        let guarantee = world.refund(id, refund_id(1), 600).await.unwrap();
        assert_eq!((guarantee.held_minor, guarantee.refunded_minor), (400, 600));
    }
    let refused = world.refund(id, refund_id(2), 401).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "EXCEEDS_PAYMENT"));
    assert_eq!(world.open("1", id, 401).await.unwrap_err().reason(), "EXCEEDS_PAYMENT");
    world.refund(id, refund_id(2), 400).await.unwrap();
    assert_eq!(world.guarantee(id).await.state(), GuaranteeState::Refunded);
    assert_eq!(world.sound_ledger().await, 3);
}

#[tokio::test]
async fn money_that_belongs_to_no_order_is_put_aside_and_taken_out_once() {
    let world = World::new().await;
    let payment = refund_id(77);
    for _ in 0..2 {
        let mut tx = world.tx().await;
        act::suspend(&world.app, &mut tx, payment, (cny(), 500), world.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    for _ in 0..2 {
        let mut tx = world.tx().await;
        act::unsuspend(&world.app, &mut tx, payment, cny(), world.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = world.tx().await;
    let never = act::unsuspend(&world.app, &mut tx, refund_id(78), cny(), world.now()).await;
    assert_eq!(never.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.moved("").await, [(Kind::Suspended, 500), (Kind::Unsuspended, 500)]);
    assert_eq!(world.sound_ledger().await, 2);
}

#[tokio::test]
async fn another_merchant_sees_nothing_of_it() {
    let world = World::new().await;
    let id = world.sold("1").await;
    world.hold(id, &[("1", 1_000)], Terms::default()).await;
    let dispute = world.open("1", id, 10).await.unwrap();
    let request = GetGuaranteeRequest { order_id: id.to_string() };
    let foreign = world.guarantees(2).get_guarantee(request).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
    let request = OpenDisputeRequest {
        request_id: "2".into(),
        order_id: id.to_string(),
        reason: "mine".into(),
        ..OpenDisputeRequest::default()
    };
    let foreign = world.guarantees(2).open_dispute(request).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
    let request = CloseDisputeRequest {
        request_id: "3".into(),
        dispute_id: dispute.id,
        outcome: DisputeOutcome::Merchant.into(),
        ..CloseDisputeRequest::default()
    };
    let foreign = world.guarantees(2).close_dispute(request).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
    let all = ListGuaranteeEntriesRequest::default();
    let foreign = world.guarantees(2).list_guarantee_entries(all).await.unwrap().into_inner();
    assert_eq!(foreign.entries, []);
}
