use std::sync::atomic::AtomicUsize;

use super::*;

const QUICK: Backoff = Backoff { first: Duration::from_millis(1), max: Duration::from_millis(20) };
const DRAIN: Duration = Duration::from_secs(5);

/// A task's error.
fn refused(text: &str) -> Result<(), BoxError> {
    Err(text.into())
}

async fn until_empty(tasks: &Tasks) {
    while !tasks.running().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_task_that_fails_or_panics_starts_again_until_it_succeeds() {
    let tasks = Tasks::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    tasks.spawn("flaky", Policy::Restart(QUICK), move |_| {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            match run {
                0 => refused("not yet"),
                1 => panic!("a panic is an error too"),
                _ => Ok(()),
            }
        }
    });
    until_empty(&tasks).await;
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    assert_eq!(tasks.shutdown(DRAIN).await, Report::default());
}

#[tokio::test]
async fn the_first_failure_under_shutdown_is_told_with_its_name() {
    let tasks = Tasks::new();
    tasks.spawn("order.sequencer", Policy::Shutdown, |_| async { refused("the log is gone") });
    let failure = tasks.failure().await;
    assert_eq!(failure.to_string(), "task order.sequencer failed: the log is gone");
    tasks.spawn("later", Policy::Shutdown, |_| async { refused("too late") });
    until_empty(&tasks).await;
    assert_eq!(tasks.shutdown(DRAIN).await.failure, Some(failure));
}

#[tokio::test]
async fn a_logged_failure_ends_only_its_task() {
    let tasks = Tasks::new();
    tasks.spawn("optional", Policy::Log, |_| async { refused("no matter") });
    until_empty(&tasks).await;
    assert_eq!(tasks.shutdown(DRAIN).await, Report::default());
}

#[tokio::test]
async fn shutdown_lets_tasks_end_and_cuts_off_those_that_do_not() {
    let tasks = Tasks::new();
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = ended.clone();
    tasks.spawn("polite", Policy::restart(), move |cancel| {
        let ended = counted.clone();
        async move {
            cancel.cancelled().await;
            ended.fetch_add(1, Ordering::SeqCst);
            Ok::<_, BoxError>(())
        }
    });
    tasks.spawn("stubborn", Policy::restart(), |_| std::future::pending::<Result<(), BoxError>>());
    assert_eq!(tasks.running().len(), 2);
    let report = tasks.shutdown(Duration::from_millis(50)).await;
    assert_eq!(report.aborted, ["stubborn"]);
    assert_eq!(ended.load(Ordering::SeqCst), 1);
    assert!(tasks.running().is_empty());
}

#[tokio::test]
async fn a_task_that_waits_for_its_next_start_stops_at_once() {
    let tasks = Tasks::new();
    let slow = Backoff { first: Duration::from_hours(1), max: Duration::from_hours(1) };
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let own = tasks.spawn("waiting", Policy::Restart(slow), move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { refused("again in an hour") }
    });
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    own.cancel();
    tokio::time::timeout(DRAIN, until_empty(&tasks)).await.expect("it stops");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_error_after_the_cancellation_neither_restarts_nor_fails_the_process() {
    let tasks = Tasks::new();
    for policy in [Policy::Restart(QUICK), Policy::Shutdown] {
        tasks.spawn("closing", policy, |cancel| async move {
            cancel.cancelled().await;
            refused("the connection was closed")
        });
    }
    assert_eq!(tasks.shutdown(DRAIN).await, Report::default());
}

#[test]
fn waits_double_up_to_the_longest_and_start_over_after_a_long_run() {
    let short = Duration::ZERO;
    let mut wait = None;
    let mut waits = Vec::new();
    for _ in 0..7 {
        wait = Some(next_wait(wait, short, QUICK));
        waits.push(wait.unwrap().as_millis());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 20, 20]);
    assert_eq!(next_wait(wait, Duration::from_secs(1), QUICK), QUICK.first);
}
