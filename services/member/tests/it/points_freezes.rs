//! Points that are reserved, and what becomes of them; points that come back.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::member::v1::*;

use crate::{
    points::{
        consume, freeze, grant, has, lots, post, refused, revert, spend, start, time, unfreeze,
    },
    world::fields,
};

#[tokio::test]
async fn frozen_points_are_consumed_in_part_or_freed_and_that_once() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let first = post!(world, freeze_points, freeze("f1", &anna, 60)).unwrap().transfer_id;
    assert_eq!(has(&world, &anna).await, (40, 0, 60, 100));
    let too_many = post!(world, freeze_points, freeze("f2", &anna, 41));
    assert_eq!(refused(too_many), (Code::FailedPrecondition, "INSUFFICIENT_BALANCE"));
    let more = post!(world, consume_frozen_points, consume("c0", &first, 61));
    assert_eq!(refused(more), (Code::FailedPrecondition, "EXCEEDS_HOLD"));
    let taken = post!(world, consume_frozen_points, consume("c1", &first, 50)).unwrap();
    assert_eq!((taken.points, taken.balance_after), (50, 50));
    assert_eq!(has(&world, &anna).await, (50, 0, 0, 50));
    let again = post!(world, consume_frozen_points, consume("c2", &first, 1));
    assert_eq!(refused(again), (Code::FailedPrecondition, "HOLD_POSTED"));
    let again = post!(world, unfreeze_points, unfreeze("u1", &first));
    assert_eq!(refused(again), (Code::FailedPrecondition, "HOLD_POSTED"));
    let second = post!(world, freeze_points, freeze("f3", &anna, 50)).unwrap().transfer_id;
    post!(world, unfreeze_points, unfreeze("u2", &second)).unwrap();
    let again = post!(world, consume_frozen_points, consume("c3", &second, 0));
    assert_eq!(refused(again), (Code::FailedPrecondition, "HOLD_VOIDED"));
    assert_eq!(has(&world, &anna).await, (50, 0, 0, 50));
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_freeze_that_nobody_consumes_ends_by_itself() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let expire_time = Some(time("2024-06-01T00:15:00Z"));
    let request = FreezePointsRequest { expire_time, ..freeze("f", &anna, 60) };
    let frozen = post!(world, freeze_points, request).unwrap().transfer_id;
    world.clock.advance(TimeDelta::minutes(15));
    let late = post!(world, consume_frozen_points, consume("c", &frozen, 0));
    assert_eq!(refused(late), (Code::FailedPrecondition, "HOLD_EXPIRED"));
    world.run("member.expire_holds").await;
    assert_eq!(has(&world, &anna).await, (100, 0, 0, 100));
    let request = FreezePointsRequest { expire_time, ..freeze("f2", &anna, 60) };
    let refusal = post!(world, freeze_points, request);
    assert_eq!(refused(refusal), (Code::FailedPrecondition, "HOLD_TOO_SHORT"));
    let expire_time = Some(time("2024-09-01T00:00:00Z"));
    let request = FreezePointsRequest { expire_time, ..freeze("f3", &anna, 60) };
    let Err(refusal) = post!(world, freeze_points, request) else { panic!("it was taken") };
    assert_eq!(fields(&refusal), ["expire_time"]);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn parts_of_what_was_spent_come_back_until_all_of_it_has() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let spent = post!(world, spend_points, spend("s", &anna, 100)).unwrap().transfer_id;
    for (n, part) in [33, 33, 33].into_iter().enumerate() {
        post!(world, revert_points, revert(&format!("r{n}"), &spent, part)).unwrap();
    }
    let more = post!(world, revert_points, revert("r3", &spent, 2));
    assert_eq!(refused(more), (Code::FailedPrecondition, "EXCEEDS_ORIGINAL"));
    assert_eq!(post!(world, revert_points, revert("r4", &spent, 0)).unwrap().points, 1);
    let more = post!(world, revert_points, revert("r5", &spent, 0));
    assert_eq!(refused(more), (Code::FailedPrecondition, "EXCEEDS_ORIGINAL"));
    assert_eq!(has(&world, &anna).await, (100, 0, 0, 100));
    // One lot as before, not five.
    assert_eq!(lots(&world, &anna).await.len(), 1);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn only_what_was_spent_can_be_given_back_and_only_what_is_frozen_consumed() {
    let (world, anna) = start().await;
    let granted = post!(world, grant_points, grant("g", &anna, 100)).unwrap().transfer_id;
    let spent = post!(world, spend_points, spend("s", &anna, 10)).unwrap().transfer_id;
    let frozen = post!(world, freeze_points, freeze("f", &anna, 10)).unwrap().transfer_id;
    let nothing = (Code::NotFound, "NOT_FOUND");
    for (n, id) in [&granted, &frozen].into_iter().enumerate() {
        let refusal = post!(world, revert_points, revert(&format!("r{n}"), id, 0));
        assert_eq!(refused(refusal), nothing);
    }
    for (n, id) in [&granted, &spent].into_iter().enumerate() {
        let refusal = post!(world, consume_frozen_points, consume(&format!("c{n}"), id, 0));
        assert_eq!(refused(refusal), nothing);
    }
    // Of another merchant it is not there at all.
    let mut theirs = world.points(world.other);
    let refusal = theirs.revert_points(revert("r", &spent, 0)).await.map_err(fault);
    assert_eq!(refused(refusal), nothing);
}
