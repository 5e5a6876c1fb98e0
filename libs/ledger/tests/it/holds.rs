//! Two-phase transfers: how a hold begins and how it may end (rule 5).

use chrono::TimeDelta;
use siyu_ledger::{AccountId, Failure, Movement, Outcome, Transfer, TransferId};

use crate::books::{Books, CODE, LOTS, OWNED};

fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}

async fn hold(books: &Books, from: AccountId, amount: i64) -> TransferId {
    let movement = Movement::new(from, books.source, amount);
    let hold = Transfer::pending(books.id(), CODE, movement, Some(books.now + minutes(15)));
    books.done(hold).await.id
}

#[tokio::test]
async fn a_hold_reserves_and_its_end_moves_a_part_and_frees_the_rest() {
    let books = Books::open().await;
    for flags in [OWNED, LOTS] {
        let member = books.account_with(flags, 100).await;
        let held = hold(&books, member, 80).await;
        let account = books.state(member).await;
        assert_eq!((account.balance(), account.debits_pending), (100, 80));
        assert_eq!(books.available(member).await, 20);
        let short = books.one(books.spend(member, 21)).await.posted().unwrap_err();
        assert!(matches!(short, Failure::ExceedsCredits | Failure::ExceedsLots), "{short:?}");

        let post = Transfer::post_pending(books.id(), CODE, held).part(50);
        assert_eq!(books.done(post).await.debit_balance, 50);
        let account = books.state(member).await;
        assert_eq!((account.balance(), account.debits_pending), (50, 0));
        assert_eq!(books.available(member).await, 50);
        books.done(books.spend(member, 50)).await;
    }
    books.assert_sound().await;
}

#[tokio::test]
async fn a_hold_that_has_ended_does_not_end_again() {
    let mut books = Books::open().await;
    let member = books.account_with(OWNED, 100).await;
    let ends = ["post", "void", "expire"];
    let end = |books: &Books, how: &str, hold| match how {
        "post" => Transfer::post_pending(books.id(), CODE, hold),
        "void" => Transfer::void_pending(books.id(), CODE, hold),
        _ => Transfer::expire_pending(books.id(), CODE, hold),
    };
    let table = [
        ("post", Failure::AlreadyPosted),
        ("void", Failure::AlreadyVoided),
        ("expire", Failure::HoldExpired),
    ];
    for (first, failure) in table {
        let held = hold(&books, member, 1).await;
        if first == "expire" {
            let early = books.one(end(&books, "expire", held)).await;
            assert_eq!(early, Outcome::Failed(Failure::HoldNotExpired));
            books.pass(minutes(15));
            // At the very instant of its expiry the hold can neither be posted nor voided, though no job has come round.
            for late in ["post", "void"] {
                let late = books.one(end(&books, late, held)).await;
                assert_eq!(late, Outcome::Failed(Failure::HoldExpired));
            }
        }
        let ending = end(&books, first, held);
        books.done(ending).await;
        assert!(matches!(books.one(ending).await, Outcome::Exists(_)), "a repeat of {first}");
        for second in ends {
            let second = books.one(end(&books, second, held)).await;
            assert_eq!(second, Outcome::Failed(failure), "after {first}");
        }
    }
    let account = books.state(member).await;
    assert_eq!((account.balance(), account.debits_pending), (99, 0));
    books.assert_sound().await;
}

#[tokio::test]
async fn a_hold_is_refused_where_it_cannot_be_kept() {
    let books = Books::open().await;
    let (owned, lots) = (books.account_with(OWNED, 10).await, books.account_with(LOTS, 10).await);
    let pending = |movement, expires_at| Transfer::pending(books.id(), CODE, movement, expires_at);
    let overdraw = Movement::new(lots, books.source, 1).draw(siyu_ledger::Draw::Overdraft);
    let cases = [
        (pending(Movement::new(owned, books.source, 11), None), Failure::ExceedsCredits),
        (pending(Movement::new(lots, books.source, 11), None), Failure::ExceedsLots),
        (pending(overdraw, None), Failure::HoldOverdraws),
        (pending(Movement::new(owned, lots, 1), Some(books.now)), Failure::HoldTooShort),
    ];
    for (transfer, failure) in cases {
        assert_eq!(books.one(transfer).await, Outcome::Failed(failure));
    }
    let plain = books.give(owned, 1).await;
    let post = Transfer::post_pending(books.id(), CODE, plain);
    assert_eq!(books.one(post).await, Outcome::Failed(Failure::TargetOfOtherKind));
    let held = hold(&books, owned, 5).await;
    for (part, failure) in [(6, Failure::ExceedsHold), (0, Failure::AmountNotPositive)] {
        let post = Transfer::post_pending(books.id(), CODE, held).part(part);
        assert_eq!(books.one(post).await, Outcome::Failed(failure));
    }
}

#[tokio::test]
async fn a_hold_begins_and_ends_in_one_slice() {
    let books = Books::open().await;
    let member = books.account_with(LOTS, 10).await;
    let hold = Transfer::pending(books.id(), CODE, Movement::new(member, books.source, 6), None);
    let post = Transfer::post_pending(books.id(), CODE, hold.id).part(4);
    let back = Transfer::reverse(books.id(), CODE, post.id).part(1);
    for outcome in books.post(&[hold, post, back]).await {
        assert!(matches!(outcome, Outcome::Created(_)), "{outcome:?}");
    }
    assert_eq!(books.lots(member).await, [(7, 0)]);
    books.assert_sound().await;
}
