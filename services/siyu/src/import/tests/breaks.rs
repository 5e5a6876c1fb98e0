//! Streams that break: nothing is lost, and what cannot be mended is said.

use std::time::Duration;

use tonic::Status;

use super::*;
use crate::import::stream::{Patience, send_all};

#[tokio::test]
async fn a_suite_that_breaks_off_again_and_again_still_gets_every_order_once() {
    let suite = Suite::new(|batch| (batch % 4 == 3).then(|| Status::unavailable("going down")));
    let summary = run(&suite, job(file(200), rejects_file("breaks"))).await.unwrap();
    assert_eq!(suite.stored(), (200, 2_010_000));
    assert!(summary.reconnects > 3, "{summary:?}");
    assert_eq!((summary.rows, summary.orders), (200, 200));
    // Orders whose answer was lost are known when they come again.
    assert_eq!(summary.created + summary.unchanged, 200);
    assert!(summary.unchanged > 0, "{summary:?}");
}

#[tokio::test]
async fn a_refusal_ends_the_import_with_the_words_of_the_suite() {
    let suite = Suite::new(|batch| {
        (batch == 2).then(|| Status::invalid_argument("orders[3].platform: is required"))
    });
    let error = run(&suite, job(file(200), rejects_file("refusal"))).await.unwrap_err();
    assert_eq!(error.to_string(), "orders[3].platform: is required");
    assert_eq!(Failure::from(error).exit, Exit::Failed);
}

#[tokio::test]
async fn a_token_that_is_revoked_in_the_middle_ends_the_import() {
    let suite = Suite::new(|batch| (batch == 2).then(|| Status::unauthenticated("revoked")));
    let error = run(&suite, job(file(200), rejects_file("revoked"))).await.unwrap_err();
    assert_eq!(Failure::from(error).exit, Exit::Unreachable);
}

#[tokio::test]
async fn a_suite_that_never_answers_is_given_up() {
    let suite = Suite::new(|_| Some(Status::unavailable("no database")));
    let reader = Reader::new(Cursor::new(file(30)), options()).unwrap();
    let batches = feed::start(reader, std::sync::Arc::default(), 10);
    let first_wait = Duration::from_millis(1);
    let patience = Patience { first_wait, longest_wait: first_wait, attempts: 4 };
    let away = &std::sync::atomic::AtomicU32::new(0);
    let mut hear = |news| {
        if let News::Away(words) = news {
            assert_eq!(words, "no database");
            away.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    };
    let ended = suite
        .serve(|client| async move { send_all(&client, batches, 2, patience, &mut hear).await })
        .await;
    assert_eq!(away.load(std::sync::atomic::Ordering::Relaxed), 1, "it is told once");
    let Err(stream::Error::Import(error)) = ended else { panic!("it was not given up") };
    assert!(error.to_string().ends_with("did not come back: no database"), "{error}");
    assert_eq!(Failure::from(error).exit, Exit::Unreachable);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_sent_up_to_the_break() {
    let mut text = file(25);
    text.push_str("B,\"");
    text.push_str(&"x".repeat(2 << 20));
    let suite = Suite::new(|_| None);
    let error = run(&suite, job(text, rejects_file("broken"))).await.unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("orders.csv: the row at line 27 is longer"), "{message}");
    assert_eq!(suite.stored().0, 25);
}

#[test]
fn waits_double_up_to_the_longest() {
    let patience = Patience::default();
    let waits: Vec<u128> =
        [1, 2, 3, 6, 30, u32::MAX].map(|attempt| patience.wait(attempt).as_millis()).to_vec();
    assert_eq!(waits, [200, 400, 800, 5000, 5000, 5000]);
}
