//! Points: what comes in, goes out, is reserved and comes back.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::*;

use crate::world::{World, fields};

pub(crate) async fn start() -> (World, String) {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    (world, anna)
}

pub(crate) fn time(text: &str) -> Timestamp {
    let at: DateTime<Utc> = text.parse().unwrap();
    Timestamp { seconds: at.timestamp(), nanos: 0 }
}

pub(crate) fn grant(request_id: &str, person_id: &str, points: i64) -> GrantPointsRequest {
    GrantPointsRequest {
        request_id: request_id.into(),
        person_id: person_id.into(),
        points,
        ..Default::default()
    }
}

pub(crate) fn spend(request_id: &str, person_id: &str, points: i64) -> SpendPointsRequest {
    SpendPointsRequest {
        request_id: request_id.into(),
        person_id: person_id.into(),
        points,
        ..Default::default()
    }
}

pub(crate) fn freeze(request_id: &str, person_id: &str, points: i64) -> FreezePointsRequest {
    FreezePointsRequest {
        request_id: request_id.into(),
        person_id: person_id.into(),
        points,
        ..Default::default()
    }
}

pub(crate) fn consume(
    request_id: &str,
    freeze_id: &str,
    points: i64,
) -> ConsumeFrozenPointsRequest {
    let (request_id, freeze_id) = (request_id.into(), freeze_id.into());
    ConsumeFrozenPointsRequest { request_id, freeze_id, points }
}

pub(crate) fn unfreeze(request_id: &str, freeze_id: &str) -> UnfreezePointsRequest {
    UnfreezePointsRequest { request_id: request_id.into(), freeze_id: freeze_id.into() }
}

pub(crate) fn revert(request_id: &str, transfer_id: &str, points: i64) -> RevertPointsRequest {
    let (request_id, transfer_id) = (request_id.into(), transfer_id.into());
    RevertPointsRequest { request_id, transfer_id, points, reason: String::new() }
}

fn adjust(request_id: &str, person_id: &str, points: i64) -> AdjustPointsRequest {
    AdjustPointsRequest {
        request_id: request_id.into(),
        person_id: person_id.into(),
        points,
        expire_time: None,
        reason: "counted again".into(),
    }
}

/// Calls a method of points as the own merchant and gives the posting.
macro_rules! post {
    ($world:expr, $method:ident, $request:expr) => {
        $world
            .points($world.own)
            .$method($request)
            .await
            .map(|reply| reply.into_inner().posting.unwrap())
            .map_err(fault)
    };
}
pub(crate) use post;

pub(crate) async fn points(world: &World, person_id: &str) -> GetPointsResponse {
    let request = GetPointsRequest { person_id: person_id.into(), months: 36 };
    world.points(world.own).get_points(request).await.unwrap().into_inner()
}

/// Available, pending, frozen, total.
pub(crate) async fn has(world: &World, person_id: &str) -> (i64, i64, i64, i64) {
    let points = points(world, person_id).await;
    (points.available, points.pending, points.frozen, points.total)
}

pub(crate) async fn lots(world: &World, person_id: &str) -> Vec<PointLot> {
    let mut request =
        ListPointLotsRequest { person_id: person_id.into(), page_size: 1, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let reply = world.points(world.own).list_point_lots(request.clone()).await.unwrap();
        let page = reply.into_inner();
        all.extend(page.lots);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

pub(crate) fn refused<T>(result: Result<T, Fault>) -> (Code, &'static str) {
    let Err(fault) = result else { panic!("it was taken") };
    (fault.code(), fault.reason())
}

#[tokio::test]
async fn what_expires_first_is_spent_first_and_comes_back_to_where_it_was() {
    // The vector points_fifo: 100 until 01-31, 50 and 200 until 03-31.
    let (world, anna) = start().await;
    world.clock.set("2025-01-01T00:00:00Z".parse().unwrap());
    for (n, (points, until)) in
        [(100, "2025-01-31T00:00:00Z"), (50, "2025-03-31T00:00:00Z"), (200, "2025-03-31T00:00:00Z")]
            .into_iter()
            .enumerate()
    {
        world.clock.advance(TimeDelta::seconds(1));
        let expire_time = Some(time(until));
        let request = GrantPointsRequest { expire_time, ..grant(&format!("g{n}"), &anna, points) };
        post!(world, grant_points, request).unwrap();
    }
    world.clock.set("2025-01-10T00:00:00Z".parse().unwrap());
    let spent = post!(world, spend_points, spend("s", &anna, 120)).unwrap();
    assert_eq!((spent.points, spent.balance_after), (120, 230));
    let left: Vec<i64> = lots(&world, &anna).await.iter().map(|lot| lot.remaining).collect();
    assert_eq!(left, [30, 200], "100 from the first lot, 20 from the second");
    world.clock.set("2025-02-10T00:00:00Z".parse().unwrap());
    let back = post!(world, revert_points, revert("r", &spent.transfer_id, 0)).unwrap();
    assert_eq!((back.points, back.balance_after), (120, 350));
    let left: Vec<(i64, i64)> = lots(&world, &anna)
        .await
        .iter()
        .map(|lot| (lot.remaining, lot.expire_time.unwrap().seconds))
        .collect();
    let at = |text: &str| time(text).seconds;
    let expected = [
        (100, at("2025-03-12T00:00:00Z")),
        (50, at("2025-03-31T00:00:00Z")),
        (200, at("2025-03-31T00:00:00Z")),
    ];
    assert_eq!(left, expected);
    let request = ListPointMovesRequest { transfer_id: spent.transfer_id, ..Default::default() };
    let reply = world.points(world.own).list_point_moves(request).await.unwrap().into_inner();
    let moves: Vec<(i32, i64)> = reply.moves.iter().map(|step| (step.kind, step.points)).collect();
    let draw = PointMoveKind::Draw.into();
    assert_eq!(moves, [(draw, -100), (draw, -20)]);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn all_that_is_asked_for_is_spent_or_nothing() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let refusal = post!(world, spend_points, spend("s", &anna, 101));
    assert_eq!(refused(refusal), (Code::FailedPrecondition, "INSUFFICIENT_BALANCE"));
    assert_eq!(has(&world, &anna).await, (100, 0, 0, 100));
    post!(world, spend_points, spend("s", &anna, 100)).unwrap();
    assert_eq!(has(&world, &anna).await, (0, 0, 0, 0));
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    let refusal = post!(world, spend_points, spend("t", &ben, 1));
    assert_eq!(refused(refusal), (Code::FailedPrecondition, "INSUFFICIENT_BALANCE"));
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_another_content_a_conflict() {
    let (world, anna) = start().await;
    let granted = post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let frozen = post!(world, freeze_points, freeze("f", &anna, 40)).unwrap();
    let consumed =
        post!(world, consume_frozen_points, consume("c", &frozen.transfer_id, 30)).unwrap();
    let back = post!(world, revert_points, revert("r", &consumed.transfer_id, 0)).unwrap();
    let more = post!(world, adjust_points, adjust("a", &anna, 5)).unwrap();
    // Times that follow from the instant of the call moved on: the answers are those of the first time.
    world.clock.advance(TimeDelta::hours(3));
    assert_eq!(post!(world, grant_points, grant("g", &anna, 100)).unwrap(), granted);
    assert_eq!(post!(world, freeze_points, freeze("f", &anna, 40)).unwrap(), frozen);
    let repeat = post!(world, consume_frozen_points, consume("c", &frozen.transfer_id, 30));
    assert_eq!(repeat.unwrap(), consumed);
    let repeat = post!(world, revert_points, revert("r", &consumed.transfer_id, 0));
    assert_eq!(repeat.unwrap(), back);
    assert_eq!(post!(world, adjust_points, adjust("a", &anna, 5)).unwrap(), more);
    assert_eq!(has(&world, &anna).await, (105, 0, 0, 105));
    let conflict = (Code::AlreadyExists, "REQUEST_ID_REUSED");
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    for other in [grant("g", &anna, 101), grant("g", &ben, 100)] {
        assert_eq!(refused(post!(world, grant_points, other)), conflict);
    }
    let reason = "another".to_owned();
    let other = GrantPointsRequest { reason, ..grant("g", &anna, 100) };
    assert_eq!(refused(post!(world, grant_points, other)), conflict);
    let other = consume("c", &frozen.transfer_id, 29);
    assert_eq!(refused(post!(world, consume_frozen_points, other)), conflict);
    // The same key of another method or of another merchant is another key.
    post!(world, spend_points, spend("g", &anna, 1)).unwrap();
    let theirs = world.people(world.other, &["anna"]).await.remove(0);
    world.points(world.other).grant_points(grant("g", &theirs, 7)).await.unwrap();
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_correction_downwards_may_leave_a_debt_that_later_points_settle() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 30)).unwrap();
    let down = post!(world, adjust_points, adjust("a", &anna, -100)).unwrap();
    assert_eq!((down.points, down.balance_after), (100, -70));
    assert_eq!(has(&world, &anna).await, (-70, 0, 0, -70));
    post!(world, grant_points, grant("h", &anna, 90)).unwrap();
    assert_eq!(has(&world, &anna).await, (20, 0, 0, 20));
    let request = ListEntriesRequest {
        person_id: anna.clone(),
        asset: Asset::Points.into(),
        ..Default::default()
    };
    let page = world.accounts(world.own).list_entries(request).await.unwrap().into_inner();
    let entries: Vec<(i64, &str, &str)> = page
        .entries
        .iter()
        .map(|entry| (entry.amount, entry.reason.as_str(), entry.note.as_str()))
        .collect();
    let expected = [(90, "granted", ""), (-100, "adjusted", "counted again"), (30, "granted", "")];
    assert_eq!(entries, expected);
    let request = AdjustPointsRequest { reason: String::new(), ..adjust("b", &anna, 1) };
    let Err(refusal) = post!(world, adjust_points, request) else { panic!("it was taken") };
    assert_eq!(fields(&refusal), ["reason"]);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn points_show_when_they_expire_and_are_gone_then_whether_the_job_has_come_round_or_not() {
    let (world, anna) = start().await;
    let until = |text| Some(time(text));
    // The first second of July in Shanghai is the end of June there, and still June in UTC.
    let june =
        GrantPointsRequest { expire_time: until("2024-06-30T16:00:00Z"), ..grant("1", &anna, 10) };
    let july = GrantPointsRequest {
        expire_time: until("2024-06-30T16:00:01Z"),
        available_time: until("2024-06-20T00:00:00Z"),
        ..grant("2", &anna, 20)
    };
    for request in [june, july, grant("3", &anna, 30)] {
        post!(world, grant_points, request).unwrap();
    }
    assert_eq!(has(&world, &anna).await, (40, 20, 0, 60));
    let expiring = |points: GetPointsResponse| -> Vec<(String, i64)> {
        points.expiring.into_iter().map(|of| (of.month, of.points)).collect()
    };
    let months = expiring(points(&world, &anna).await);
    assert_eq!(months, [("2024-06".to_owned(), 10), ("2024-07".to_owned(), 20)]);
    world.clock.set("2024-06-30T16:00:00Z".parse().unwrap());
    assert_eq!(has(&world, &anna).await, (50, 0, 0, 50));
    let refusal = post!(world, spend_points, spend("s", &anna, 51));
    assert_eq!(refused(refusal), (Code::FailedPrecondition, "INSUFFICIENT_BALANCE"));
    post!(world, spend_points, spend("t", &anna, 15)).unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    world.run("member.expire_lots").await;
    // Of the lot that was drawn on, only what was left lapsed (rule 47).
    assert_eq!(has(&world, &anna).await, (30, 0, 0, 30));
    assert_eq!(world.person(world.own, &anna).await.unwrap().points_total, 30);
    world.sound_ledger(world.own).await;
}
