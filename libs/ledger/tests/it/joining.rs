//! Accounts joined to another, and parted again.

use chrono::TimeDelta;
use siyu_ledger::{
    AccountId, Draw, Failure, Flags, Joint, LotTerms, Movement, Outcome, Transfer, TransferCode,
};
use uuid::Uuid;

use crate::books::{Books, CODE, LOTS, OWNED};

const JOIN: TransferCode = TransferCode::new(40);

impl Books {
    async fn join(&self, n: u128, from: AccountId, to: AccountId) {
        let mut tx = self.db().tenant(self.merchant).await.unwrap();
        let joint = [Joint { from, to }];
        siyu_ledger::join(&mut tx, &joint, Uuid::from_u128(n), JOIN, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn part(&self, account: AccountId) {
        let mut tx = self.db().tenant(self.merchant).await.unwrap();
        siyu_ledger::part(&mut tx, &[account], self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Gives points that expire after so many days.
    async fn give_for(&self, to: AccountId, amount: i64, days: i64) -> Transfer {
        let terms = LotTerms::from(self.now).expires_at(self.now + TimeDelta::days(days));
        let give = Movement::new(self.source, to, amount).lot(terms);
        let transfer = Transfer::post(self.id(), CODE, give);
        self.done(transfer).await;
        transfer
    }

    async fn both(&self, one: AccountId, other: AccountId) -> (i64, i64) {
        (self.balance(one).await, self.balance(other).await)
    }
}

#[tokio::test]
async fn lots_keep_their_times_and_are_spent_over_both_accounts() {
    let mut books = Books::open().await;
    let (old, new) = (books.account(LOTS).await, books.account(LOTS).await);
    books.give_for(old, 10, 30).await;
    books.give_for(new, 20, 10).await;
    let later = LotTerms::from(books.now).available_at(books.now + TimeDelta::days(5));
    let vesting = Movement::new(books.source, old, 7).lot(later);
    books.done(Transfer::post(books.id(), CODE, vesting)).await;
    books.join(1, old, new).await;
    assert_eq!((books.both(old, new).await, books.available(new).await), ((0, 37), 30));
    assert_eq!(books.lots(new).await, [(20, 0), (10, 0), (7, 0)], "earliest expiry first");
    books.done(books.spend(new, 25)).await;
    books.pass(TimeDelta::days(12));
    assert_eq!((books.lots(new).await, books.available(new).await), (vec![(5, 0), (7, 0)], 12));
    books.part(old).await;
    // Of the 25, the survivor's own 20 went first; it owes what it took from the others.
    assert_eq!(
        (books.lots(old).await, books.both(old, new).await),
        (vec![(10, 0), (7, 0)], (17, -5))
    );
    books.assert_sound().await;
}

#[tokio::test]
async fn what_either_owes_is_settled_by_the_other_and_owed_again_after_the_parting() {
    let books = Books::open().await;
    for (gift, own) in [(-30, 100), (100, -30), (-5, -7)] {
        let (old, new) = (books.account(LOTS).await, books.account(LOTS).await);
        for (account, amount) in [(old, gift), (new, own)] {
            if amount > 0 {
                books.give(account, amount).await;
            } else {
                books.take_by(Draw::Overdraft, account, -amount).await.posted().unwrap();
            }
        }
        books.join(old.uuid().as_u128(), old, new).await;
        assert_eq!(books.both(old, new).await, (0, gift + own));
        assert_eq!(books.available(new).await, gift + own);
        books.part(old).await;
        assert_eq!(books.both(old, new).await, (gift, own));
        books.assert_sound().await;
    }
}

#[tokio::test]
async fn an_open_hold_survives_and_what_it_frees_goes_over() {
    let mut books = Books::open().await;
    let (old, new) = (books.account_with(LOTS, 100).await, books.account_with(LOTS, 1).await);
    let hold = |amount| {
        Transfer::pending(books.id(), CODE, Movement::new(old, books.source, amount), None)
    };
    let holds = [hold(10), hold(20), hold(30)];
    let until = books.now + TimeDelta::hours(1);
    let last =
        Transfer::pending(books.id(), CODE, Movement::new(old, books.source, 5), Some(until));
    for hold in holds.into_iter().chain([last]) {
        books.done(hold).await;
    }
    books.join(1, old, new).await;
    assert_eq!(books.both(old, new).await, (65, 36));
    books.done(Transfer::post_pending(books.id(), CODE, holds[0].id)).await;
    books.done(Transfer::void_pending(books.id(), CODE, holds[1].id)).await;
    assert_eq!(books.both(old, new).await, (35, 56));
    books.pass(TimeDelta::hours(2));
    books.done(Transfer::expire_pending(books.id(), CODE, last.id)).await;
    assert_eq!((books.both(old, new).await, books.available(new).await), ((30, 61), 61));
    books.part(old).await;
    assert_eq!((books.both(old, new).await, books.available(old).await), ((90, 1), 60));
    books.done(Transfer::post_pending(books.id(), CODE, holds[2].id)).await;
    assert_eq!(books.both(old, new).await, (60, 1));
    books.assert_sound().await;
}

#[tokio::test]
async fn old_earnings_and_spendings_are_taken_back_as_if_there_were_one_account() {
    let books = Books::open().await;
    let (old, new) = (books.account(LOTS).await, books.account(LOTS).await);
    let earned = books.give_for(old, 100, 30).await;
    let other = books.give_for(new, 40, 10).await;
    let spent = books.spend(old, 30);
    books.done(spent).await;
    books.join(1, old, new).await;
    assert_eq!(books.lots(new).await, [(40, 0), (70, 0)]);
    books.done(Transfer::reverse(books.id(), CODE, spent.id)).await;
    assert_eq!((books.both(old, new).await, books.available(new).await), ((0, 140), 140));
    // The lot that the old one has become gives first, though another one expires earlier.
    let back = Transfer::reverse(books.id(), CODE, earned.id);
    books.done(back).await;
    assert_eq!((books.both(old, new).await, books.available(new).await), ((0, 40), 40));
    assert!(matches!(books.one(back).await, Outcome::Exists(_)));
    books.part(old).await;
    assert_eq!(books.both(old, new).await, (0, 40));
    books.done(Transfer::reverse(books.id(), CODE, other.id)).await;
    books.assert_sound().await;
}

#[tokio::test]
async fn who_has_not_heard_of_the_join_still_finds_one_account() {
    let books = Books::open().await;
    for flags in [LOTS, OWNED, Flags::NONE] {
        let (old, new) = (books.account_with(flags, 10).await, books.account_with(flags, 20).await);
        let known = Transfer::post(books.id(), CODE, Movement::new(books.source, old, 1));
        books.done(known).await;
        books.join(old.uuid().as_u128(), old, new).await;
        books.give(old, 5).await;
        assert_eq!(books.both(old, new).await, (0, 36));
        books.done(books.spend(old, 30)).await;
        assert_eq!(books.both(old, new).await, (0, 6));
        if flags != Flags::NONE {
            let outcome = books.one(books.spend(old, 7)).await;
            let refused = [Failure::ExceedsLots, Failure::ExceedsCredits];
            assert!(matches!(outcome, Outcome::Failed(f) if refused.contains(&f)), "{outcome:?}");
        }
        let again = Transfer::post(known.id, CODE, Movement::new(books.source, new, 1));
        assert!(matches!(books.one(again).await, Outcome::Exists(_)));
        books.assert_sound().await;
    }
}

#[tokio::test]
async fn joins_follow_each_other_and_are_undone_in_any_order() {
    let books = Books::open().await;
    for flags in [LOTS, Flags::NONE] {
        let mut accounts = Vec::new();
        for amount in [1, 20, 300] {
            accounts.push(books.account_with(flags, amount).await);
        }
        let [a, b, c] = accounts[..] else { unreachable!() };
        let base = a.uuid().as_u128();
        books.join(base, a, b).await;
        books.join(base + 1, b, c).await;
        assert_eq!((books.both(a, b).await, books.balance(c).await), ((0, 0), 321));
        books.give(a, 4_000).await;
        assert_eq!((books.both(a, b).await, books.balance(c).await), ((0, 0), 4_321));
        books.part(a).await;
        assert_eq!((books.both(a, b).await, books.balance(c).await), ((4_001, 0), 320));
        books.part(b).await;
        assert_eq!((books.both(a, b).await, books.balance(c).await), ((4_001, 20), 300));
        books.assert_sound().await;
    }
}

#[tokio::test]
async fn a_wallet_that_may_not_owe_gives_back_what_it_still_has() {
    let books = Books::open().await;
    let (old, new) = (books.account_with(OWNED, 100).await, books.account_with(OWNED, 50).await);
    books.join(1, old, new).await;
    books.done(books.spend(new, 80)).await;
    books.part(old).await;
    assert_eq!(books.both(old, new).await, (70, 0));
    books.assert_sound().await;
}
