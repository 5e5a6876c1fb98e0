//! Many at the same moment: nothing is overdrawn, doubled or answered in two ways.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use siyu_grpc::fault;
use siyu_proto::member::v1::*;
use tokio::task::JoinSet;

use crate::value::{Till, charges};

/// The answers of calls that run at the same time: "ok" or the reason.
async fn all_at_once<F>(calls: impl IntoIterator<Item = F>) -> Vec<String>
where
    F: Future<Output = Result<(), siyu_kernel::Fault>> + Send + 'static,
{
    let mut set = JoinSet::new();
    calls.into_iter().for_each(|call| drop(set.spawn(call)));
    let answers = set.join_all().await.into_iter();
    answers.map(|a| a.err().map_or("ok".to_owned(), |f| f.reason().to_owned())).collect()
}

fn count(answers: &[String], answer: &str) -> usize {
    answers.iter().filter(|given| *given == answer).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_payments_at_once_never_overdraw_and_the_books_balance_all_the_while() {
    let till = Arc::new(Till::new().await);
    let card = till.filled(1_000, 500).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    readers.spawn({
        let (till, done) = (till.clone(), done.clone());
        async move {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) || reads == 0 {
                till.sound().await;
                reads += 1;
            }
            reads
        }
    });
    let call = |_| {
        let (till, card) = (till.clone(), card.clone());
        async move { till.pay(&[(&card, 100)]).await.map(drop) }
    };
    let answers = all_at_once((0..64).map(call)).await;
    done.store(true, Ordering::Relaxed);
    assert_eq!((count(&answers, "ok"), count(&answers, "INSUFFICIENT_BALANCE")), (15, 49));
    assert_eq!(till.has(&card).await, (0, 0));
    assert!(readers.join_all().await[0] > 0);
    till.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_refunds_of_sixty_of_a_hundred_one_is_refused() {
    let till = Arc::new(Till::new().await);
    let card = till.filled(100, 0).await;
    let payment = till.pay(&[(&card, 100)]).await.unwrap().id;
    let call = |_| {
        let (till, payment) = (till.clone(), payment.clone());
        async move { till.refund(&payment, 60).await.map(drop) }
    };
    let answers = all_at_once((0..2).map(call)).await;
    assert_eq!((count(&answers, "ok"), count(&answers, "EXCEEDS_ORIGINAL")), (1, 1));
    assert_eq!(till.has(&card).await, (60, 0));
    till.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_fifty_times_has_one_effect_and_one_answer() {
    let till = Arc::new(Till::new().await);
    let card = till.filled(1_000, 0).await;
    let request = |amount| PayValueRequest {
        request_id: "once".into(),
        charges: charges(&[(&card, amount)]),
        ..Default::default()
    };
    let mut set = JoinSet::new();
    for _ in 0..50 {
        let (mut values, request) = (till.values(), request(100));
        set.spawn(async move { values.pay_value(request).await.unwrap().into_inner() });
    }
    let replies = set.join_all().await;
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(till.has(&card).await, (900, 0));
    let other = fault(till.values().pay_value(request(101)).await.unwrap_err());
    assert_eq!(other.reason(), "REQUEST_ID_REUSED");
    till.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cards_that_pay_together_in_any_order_never_wait_for_each_other_for_ever() {
    let till = Arc::new(Till::new().await);
    let cards = [till.filled(10_000, 1_000).await, till.filled(10_000, 1_000).await];
    let call = |n: usize| {
        let (till, cards) = (till.clone(), cards.clone());
        async move {
            let (a, b) = (&cards[n % 2], &cards[(n + 1) % 2]);
            match n % 3 {
                0 => till.pay(&[(a, 10), (b, 5)]).await.map(drop),
                1 => {
                    let held = till.hold(&[(a, 20), (b, 10)]).await?;
                    till.capture(&held.id, 7).await.map(drop)
                }
                _ => {
                    let paid = till.pay(&[(a, 30), (b, 10)]).await?;
                    till.refund(&paid.id, 0).await.map(drop)
                }
            }
        }
    };
    let answers = all_at_once((0..30).map(call)).await;
    assert_eq!(count(&answers, "ok"), 30, "{answers:?}");
    let left = till.has(&cards[0]).await.0
        + till.has(&cards[0]).await.1
        + till.has(&cards[1]).await.0
        + till.has(&cards[1]).await.1;
    assert_eq!(left, 22_000 - 10 * 15 - 10 * 7);
    till.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_is_captured_or_voided_never_both() {
    let till = Arc::new(Till::new().await);
    let card = till.filled(1_000, 0).await;
    for _ in 0..5 {
        let held = till.hold(&[(&card, 100)]).await.unwrap().id;
        let before = till.look(&card).await.principal_minor;
        let call = |n: usize| {
            let (till, held) = (till.clone(), held.clone());
            async move {
                let done =
                    if n < 3 { till.capture(&held, 0).await } else { till.void(&held).await };
                done.map(drop)
            }
        };
        let answers = all_at_once((0..6).map(call)).await;
        assert_eq!(count(&answers, "ok"), 1, "{answers:?}");
        let after = till.look(&card).await;
        let is_taken = after.principal_minor == before - 100;
        assert_eq!(count(&answers, if is_taken { "HOLD_POSTED" } else { "HOLD_VOIDED" }), 5);
        assert_eq!(after.available_principal_minor, after.principal_minor);
    }
    till.sound().await;
}
