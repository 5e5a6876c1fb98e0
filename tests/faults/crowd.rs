//! Far more callers than connections to the database, and a lock that stops them all.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::member::v1::{
    PayValueRequest, SpendPointsRequest, ValueCharge, points_service_client::PointsServiceClient,
    stored_value_service_client::StoredValueServiceClient,
};
use siyu_runtime::pause;
use siyu_tests::support::{HEAVY, lock_table, story};
use sqlx::Connection;
use tonic_types::StatusExt;

use crate::bank::{Bank, Line};

const CROWD: usize = 500;
/// How long callers wait for an answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// What a call may take beyond its deadline, on a machine that is busy with all of them.
const SLACK: Duration = Duration::from_secs(2);
/// Longer than a call waits for a connection, so that some give up.
const JAM: Duration = Duration::from_secs(6);
const RUN: Duration = Duration::from_secs(10);
/// From the end of the load until a call is answered at once.
const RECOVERY: Duration = Duration::from_secs(1);

/// What callers were told, how often.
type Told = BTreeMap<String, usize>;

#[test]
fn five_hundred_callers_on_ten_connections_are_all_answered_in_time_and_it_is_over_when_they_go() {
    story(async {
        let _alone = HEAVY.lock().await;
        let bank = Bank::open(4, &[("SIYU__DATABASE__MAX_CONNECTIONS", "10")]).await;
        let before = owned(&bank).await;
        let lines: Vec<Line> = (0..8).map(|_| bank.line()).collect();
        let start = Instant::now();
        let callers = (0..CROWD).map(|n| caller(n, &bank, &lines[n % lines.len()], start));
        let (told, ()) = tokio::join!(join_all(callers), jam(&bank));

        let mut sum = Told::new();
        for (answer, times) in told.iter().flatten() {
            *sum.entry(answer.clone()).or_default() += times;
        }
        let of = |answer: &str| sum.get(answer).copied().unwrap_or_default();
        assert!(of("ok") > 0, "{sum:?}");
        assert!(of("OVERLOADED") > 0, "some found no place: {sum:?}");
        assert!(of("STORE_UNAVAILABLE") > 0, "some found no connection: {sum:?}");

        let calm = Instant::now();
        for n in 0..2 {
            assert_eq!(call(n, &bank, bank.own(), format!("after-{n}")).await, "ok");
        }
        assert!(calm.elapsed() < RECOVERY, "{:?}", calm.elapsed());
        // Who was told that nothing happened may be wrong, who was told that it happened is not.
        let done = i64::try_from(of("ok")).unwrap() + 2;
        let gone = before - owned(&bank).await;
        assert!(gone >= done, "{gone} went, {done} were answered");
        bank.assert_sound().await;
        bank.alone.stop().await;
    });
}

/// Takes a point or a cent again and again, with a new request each time; gives what it was told, by the reason of a refusal.
async fn caller(n: usize, bank: &Bank, line: &Line, start: Instant) -> Told {
    let (mut told, mut turn) = (Told::new(), 0);
    while start.elapsed() < RUN {
        turn += 1;
        let answer = call(n, bank, line, format!("c{n}-{turn}")).await;
        if answer != "ok" {
            // As it was told to.
            pause(siyu_grpc::limits::RETRY_AFTER).await;
        }
        *told.entry(answer).or_default() += 1;
    }
    told
}

/// Points are posted for many callers at once, payments with cards one by one: each holds a connection.
async fn call(n: usize, bank: &Bank, line: &Line, request_id: String) -> String {
    let (holder, start) = (&bank.holders[n % bank.holders.len()], Instant::now());
    let to = line.call().timeout(DEADLINE);
    let answer = if n.is_multiple_of(2) {
        let charge = ValueCharge { card_id: holder.card_id.clone(), amount_minor: 1 };
        let charges = vec![charge];
        let request = PayValueRequest { request_id, charges, ..Default::default() };
        StoredValueServiceClient::new(to).pay_value(request).await.map(drop)
    } else {
        let person_id = holder.person_id.clone();
        let request = SpendPointsRequest { request_id, person_id, points: 1, ..Default::default() };
        PointsServiceClient::new(to).spend_points(request).await.map(drop)
    };
    let took = start.elapsed();
    assert!(took < DEADLINE + SLACK, "{took:?}");
    let Err(status) = answer else { return "ok".to_owned() };
    let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let fault = fault(status.clone());
    assert!(matches!(fault.code(), Code::Unavailable | Code::ResourceExhausted), "{status:?}");
    assert!(wait.is_some_and(|wait| !wait.is_zero()), "when to come again: {status:?}");
    fault.reason().to_owned()
}

/// All points and all money.
async fn owned(bank: &Bank) -> i64 {
    let mut sum = 0;
    for holder in &bank.holders {
        let card = bank.card(&holder.card_id).await;
        sum += card.principal_minor + card.bonus_minor;
        sum += bank.points(&holder.person_id).await.total;
    }
    sum
}

/// Somebody else holds what all of them need.
async fn jam(bank: &Bank) {
    pause(Duration::from_secs(1)).await;
    let mut owner = bank.alone.owner().await;
    let mut tx = owner.begin().await.unwrap();
    lock_table(&mut tx, "ledger_accounts").await;
    pause(JAM).await;
    tx.commit().await.unwrap();
}
