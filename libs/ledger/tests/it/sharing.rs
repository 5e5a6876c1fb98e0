//! Concurrent callers share a transaction, and nothing else.

use std::time::Duration;

use futures::future::join_all;
use siyu_ledger::{Error, Failure, Flags, Movement, Outcome, Poster, Transfer};
use siyu_pg::coalesce::Limits;
use siyu_testkit::merchant;

use crate::books::{Books, CODE, OWNED};

const LIMITS: Limits = Limits { max_batch: 64, queue: 1000, wait: Duration::from_secs(20) };

fn poster(books: &Books) -> Poster {
    let (poster, worker) = Poster::new(books.db().clone(), LIMITS);
    tokio::spawn(worker);
    poster
}

/// In how many transactions the journal was written.
async fn commits(books: &Books) -> i64 {
    sqlx::query_scalar("select count(distinct xmin::text) from ledger_transfers")
        .fetch_one(&mut books.database.owner().await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_few_commits_and_nobody_overdraws() {
    let books = Books::open().await;
    let member = books.account_with(OWNED, 100).await;
    let poster = poster(&books);
    let before = commits(&books).await;
    let debits = (0..64).map(|_| {
        let transfer = books.spend(member, 3);
        poster.post(books.merchant, vec![transfer], books.now)
    });
    let outcomes = join_all(debits).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap()[0]).collect();
    let done = outcomes.iter().filter(|o| matches!(o, Outcome::Created(_))).count();
    assert_eq!((done, books.balance(member).await), (33, 1));
    let shared = commits(&books).await - before;
    assert!(shared < 20, "64 calls took {shared} commits");
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_gets_its_own_outcome_in_its_own_books() {
    let mut books = Books::open().await;
    let poster = poster(&books);
    let mut members = Vec::new();
    for n in 1..=3 {
        books.merchant = merchant(n);
        let source = books.account(Flags::NONE).await;
        for _ in 0..5 {
            members.push((merchant(n), source, books.account(OWNED).await));
        }
    }
    let calls = members.iter().enumerate().map(|(i, (merchant, source, member))| {
        let amount = i64::try_from(i).unwrap();
        let give = Transfer::post(books.id(), CODE, Movement::new(*source, *member, amount));
        // An open chain of one caller does not reach into the transfers of the next.
        let spend = Transfer::post(books.id(), CODE, Movement::new(*member, *source, 3)).linked();
        poster.post(*merchant, vec![give, spend], books.now)
    });
    for (i, outcomes) in join_all(calls).await.into_iter().enumerate() {
        let outcomes = outcomes.unwrap();
        assert_eq!(outcomes[1], Outcome::Failed(Failure::LinkedChainOpen));
        match i {
            0 => assert_eq!(outcomes[0], Outcome::Failed(Failure::AmountNotPositive)),
            _ => assert_eq!(outcomes[0].posted().unwrap().amount, i64::try_from(i).unwrap()),
        }
    }
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_the_database_refuses_does_not_take_the_others_with_it() {
    let books = Books::open().await;
    let member = books.account(OWNED).await;
    let poster = poster(&books);
    // The database refuses this amount, which the ledger does not know.
    sqlx::raw_sql("alter table ledger_transfers add constraint unlucky check (amount <> 13)")
        .execute(&mut books.database.owner().await)
        .await
        .unwrap();
    let calls = (1..=20).map(|amount| {
        let give = Transfer::post(books.id(), CODE, Movement::new(books.source, member, amount));
        poster.post(books.merchant, vec![give], books.now)
    });
    for (i, outcome) in join_all(calls).await.into_iter().enumerate() {
        match (i + 1, outcome) {
            (13, Err(Error::Store(siyu_pg::Error::Constraint { name, .. }))) => {
                assert_eq!(name, "unlucky");
            }
            (_, outcome) => assert!(matches!(outcome.unwrap()[0], Outcome::Created(_))),
        }
    }
    assert_eq!(books.balance(member).await, (1..=20).sum::<i64>() - 13);
    books.assert_sound().await;
}

#[tokio::test]
async fn callers_learn_that_the_database_went_away_and_may_ask_again() {
    let books = Books::open().await;
    let member = books.account(OWNED).await;
    let give = Transfer::post(books.id(), CODE, Movement::new(books.source, member, 1));
    let poster = poster(&books);
    books.db().close().await;
    let calls = (0..3).map(|_| poster.post(books.merchant, vec![give], books.now));
    for outcome in join_all(calls).await {
        let err = outcome.unwrap_err();
        assert!(matches!(err, Error::Lost(_)), "{err:?}");
        assert_eq!(siyu_kernel::Fault::from(err).code(), siyu_kernel::Code::Unavailable);
    }
}
