//! Concurrent calls share batches, within bounds.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use siyu_kernel::{Code, Fault};
use siyu_pg::coalesce::{Coalescer, Limits, Refused};
use siyu_testkit::{Database, merchant};
use tokio::sync::Semaphore;

use crate::{NOTES, texts};

const LIMITS: Limits = Limits { max_batch: 4, queue: 8, wait: Duration::from_secs(10) };

type Doubler = Coalescer<u32, u32, Refused>;

/// Doubles numbers, one batch for each permit, and keeps the batches.
struct Gate {
    batches: Arc<Mutex<Vec<Vec<u32>>>>,
    permits: Arc<Semaphore>,
}

fn gated(limits: Limits) -> (Doubler, Gate) {
    let batches = Arc::new(Mutex::new(Vec::new()));
    let permits = Arc::new(Semaphore::new(0));
    let (seen, gate) = (Arc::clone(&batches), Arc::clone(&permits));
    let (coalescer, worker) = Coalescer::new(limits, move |requests: Vec<u32>| {
        seen.lock().unwrap().push(requests.clone());
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            requests.into_iter().map(|n| Ok(2 * n)).collect()
        }
    });
    tokio::spawn(worker);
    (coalescer, Gate { batches, permits })
}

/// Starts calls one after the other and lets each get into the queue.
async fn start(
    coalescer: &Doubler,
    numbers: std::ops::Range<u32>,
) -> Vec<tokio::task::JoinHandle<Result<u32, Refused>>> {
    let mut calls = Vec::new();
    for n in numbers {
        let coalescer = coalescer.clone();
        calls.push(tokio::spawn(async move { coalescer.call(n).await }));
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
    calls
}

#[tokio::test]
async fn a_lone_call_runs_at_once_and_what_arrives_meanwhile_shares_the_next_batches() {
    let (coalescer, gate) = gated(LIMITS);
    let calls = start(&coalescer, 0..7).await;
    assert_eq!(*gate.batches.lock().unwrap(), [vec![0]]);
    gate.permits.add_permits(10);
    let replies = futures::future::join_all(calls).await;
    let replies: Vec<u32> = replies.into_iter().map(|r| r.unwrap().unwrap()).collect();
    assert_eq!(replies, [0, 2, 4, 6, 8, 10, 12]);
    assert_eq!(*gate.batches.lock().unwrap(), [vec![0], vec![1, 2, 3, 4], vec![5, 6]]);
}

#[tokio::test]
async fn a_full_queue_refuses_while_the_calls_in_it_still_finish() {
    let (coalescer, gate) = gated(LIMITS);
    let calls = start(&coalescer, 0..9).await;
    let fault = Fault::from(coalescer.call(9).await.unwrap_err());
    assert_eq!((fault.code(), fault.reason()), (Code::Unavailable, "OVERLOADED"));
    gate.permits.add_permits(10);
    assert!(futures::future::join_all(calls).await.into_iter().all(|r| r.unwrap().is_ok()));
}

#[tokio::test]
async fn a_call_that_waited_too_long_is_refused_without_an_effect() {
    let (coalescer, gate) = gated(Limits { wait: Duration::from_millis(20), ..LIMITS });
    let mut calls = start(&coalescer, 0..2).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    gate.permits.add_permits(10);
    assert_eq!(calls.pop().unwrap().await.unwrap(), Err(Refused::Overloaded));
    assert_eq!(calls.pop().unwrap().await.unwrap(), Ok(0));
    assert_eq!(*gate.batches.lock().unwrap(), [vec![0]]);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_is_left_out() {
    let (coalescer, gate) = gated(LIMITS);
    let calls = start(&coalescer, 0..3).await;
    calls[1].abort();
    tokio::task::yield_now().await;
    gate.permits.add_permits(10);
    let replies = futures::future::join_all(calls).await;
    assert_eq!(replies[2].as_ref().unwrap(), &Ok(4));
    assert_eq!(*gate.batches.lock().unwrap(), [vec![0], vec![2]]);
}

#[tokio::test]
async fn a_batch_that_panics_or_miscounts_fails_its_calls_and_no_others() {
    let (coalescer, worker) = Coalescer::new(LIMITS, async |requests: Vec<u32>| {
        assert!(requests != [13], "on purpose");
        let answered = requests.iter().filter(|n| **n != 14);
        answered.map(|n| Ok(2 * n)).collect::<Vec<Result<u32, Refused>>>()
    });
    tokio::spawn(worker);
    assert_eq!(coalescer.call(13).await, Err(Refused::Broken));
    assert_eq!(coalescer.call(14).await, Err(Refused::Broken));
    assert_eq!(coalescer.call(15).await, Ok(30));
    assert_eq!(Fault::from(Refused::Broken).code(), Code::Internal);
}

#[tokio::test]
async fn the_worker_answers_everything_before_it_ends() {
    let (coalescer, gate) = gated(LIMITS);
    let calls = start(&coalescer, 0..6).await;
    drop(coalescer);
    gate.permits.add_permits(10);
    assert!(futures::future::join_all(calls).await.into_iter().all(|r| r.unwrap().is_ok()));
}

#[tokio::test]
async fn calls_after_the_worker_was_stopped_are_told_so() {
    let (coalescer, worker) =
        Coalescer::<u32, u32, Refused>::new(LIMITS, |_| std::future::ready(Vec::new()));
    drop(worker);
    assert_eq!(coalescer.call(1).await, Err(Refused::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_concurrent_writes_share_few_commits_and_none_is_lost() {
    let database = Database::fresh(NOTES).await;
    let commits = Arc::new(AtomicUsize::new(0));
    let (db, count) = (database.db().clone(), Arc::clone(&commits));
    let limits = Limits { max_batch: 200, queue: 1000, wait: Duration::from_secs(10) };
    let (coalescer, worker) = Coalescer::new(limits, move |notes: Vec<String>| {
        let (db, count) = (db.clone(), Arc::clone(&count));
        async move {
            let mut tx = db.tenant(merchant(1)).await.unwrap();
            sqlx::query("insert into notes (merchant_id, text) select $1, unnest($2::text[])")
                .bind(merchant(1))
                .bind(&notes)
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            notes.into_iter().map(Ok).collect::<Vec<Result<String, Refused>>>()
        }
    });
    tokio::spawn(worker);
    let calls = (0..1000).map(|n| {
        let coalescer = coalescer.clone();
        tokio::spawn(async move { (n, coalescer.call(format!("{n:04}")).await) })
    });
    for call in futures::future::join_all(calls).await {
        let (n, reply) = call.unwrap();
        assert_eq!(reply, Ok(format!("{n:04}")));
    }
    assert_eq!(texts(&mut database.owner().await).await.len(), 1000);
    let commits = commits.load(Ordering::Relaxed);
    assert!((5..200).contains(&commits), "{commits} commits");
}
