//! Corrections are transfers that move back, with a link, and never more than was moved (rules 6, 11).

use siyu_ledger::{Draw, Failure, Flags, Kind, Movement, Outcome, Transfer};

use crate::books::{Books, CODE, OWNED};

#[tokio::test]
async fn a_reversal_names_its_original_and_moves_the_same_units_back() {
    let books = Books::open().await;
    let member = books.account(OWNED).await;
    let earned = books.give(member, 10).await;
    let back = Transfer::reverse(books.id(), CODE, earned);
    let posted = books.done(back).await;
    assert_eq!((posted.amount, posted.debit_balance, posted.credit_balance), (10, 0, 0));
    assert!(matches!(books.one(back).await, Outcome::Exists(_)), "a repeat asks for what was done");
    let part = books.one(back.part(9)).await;
    assert_eq!(part, Outcome::Failed(Failure::ExistsWithDifferent { field: "amount" }));

    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    let page = siyu_ledger::EntryPage { before: None, limit: 1 };
    let entry = siyu_ledger::entries(&mut tx, member, page).await.unwrap()[0];
    assert_eq!((entry.record.kind, entry.record.target), (Kind::Reverse, Some(earned)));
    books.assert_sound().await;
}

#[tokio::test]
async fn reversals_together_never_exceed_the_original_however_many_run_at_once() {
    let books = Books::open().await;
    let shop = books.account(Flags::NONE).await;
    let paid = books.take(books.source, shop, 100).await;
    let refund = || books.one(Transfer::reverse(books.id(), CODE, paid).part(60));
    let (first, second) = futures::join!(refund(), refund());
    let failed = [first, second].into_iter().filter_map(|outcome| outcome.posted().err());
    assert_eq!(failed.collect::<Vec<_>>(), [Failure::ExceedsOriginal]);
    assert_eq!(books.done(Transfer::reverse(books.id(), CODE, paid)).await.amount, 40);
    assert_eq!(books.balance(shop).await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn only_what_moved_units_can_be_reversed_and_within_the_limits() {
    let books = Books::open().await;
    let member = books.account_with(OWNED, 10).await;
    let hold = Transfer::pending(books.id(), CODE, Movement::new(member, books.source, 4), None);
    books.done(hold).await;
    let reverse = |of| Transfer::reverse(books.id(), CODE, of);
    let other = Outcome::Failed(Failure::TargetOfOtherKind);
    assert_eq!(books.one(reverse(hold.id)).await, other);
    let post = Transfer::post_pending(books.id(), CODE, hold.id);
    books.done(post).await;
    let back = reverse(post.id);
    assert_eq!(books.done(back).await.credit_balance, 10);
    assert_eq!(
        books.one(reverse(back.id)).await,
        other,
        "a correction is not corrected but redone"
    );
    let void = Transfer::void_pending(books.id(), CODE, hold.id);
    assert_eq!(books.one(void).await, Outcome::Failed(Failure::AlreadyPosted));

    let earned = books.give(member, 5).await;
    books.done(books.spend(member, 12)).await;
    assert_eq!(books.one(reverse(earned)).await, Outcome::Failed(Failure::ExceedsCredits));
}

#[tokio::test]
async fn a_commission_that_was_paid_out_is_clawed_back_as_debt_and_offset_by_the_next() {
    let books = Books::open().await;
    let promoter = books.account(Flags::NONE).await;
    let earned = books.give(promoter, 1198).await;
    assert!(books.take_by(Draw::Covered, promoter, 1198).await.posted().is_ok(), "paid out");
    let claw_back = Transfer::reverse(books.id(), CODE, earned).part(399);
    assert_eq!(books.done(claw_back).await.debit_balance, -399);
    books.give(promoter, 400).await;
    let most = books.take_by(Draw::Covered, promoter, 2).await;
    assert_eq!(most, Outcome::Failed(Failure::ExceedsCredits));
    assert_eq!(books.take_by(Draw::Covered, promoter, 1).await.posted().unwrap().debit_balance, 0);
}
