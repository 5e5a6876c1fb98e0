//! Lots: drawn by earliest expiry, returned to where they came from (rules 46-49, reference §2.5).

use chrono::{DateTime, TimeDelta, Utc};
use siyu_ledger::{
    AccountId, Action, Draw, Expired, Failure, LotTerms, Movement, Outcome, Transfer, TransferId,
};

use crate::books::{Books, CODE, LOTS, at};

fn days(n: i64) -> TimeDelta {
    TimeDelta::days(n)
}

async fn earn(books: &Books, to: AccountId, amount: i64, terms: LotTerms) -> TransferId {
    let movement = Movement::new(books.source, to, amount).lot(terms);
    books.done(Transfer::post(books.id(), CODE, movement)).await.id
}

/// Units that are earned and available at once.
fn until(books: &Books, expires_at: DateTime<Utc>) -> LotTerms {
    LotTerms::from(books.now).expires_at(expires_at)
}

fn reverse(books: &Books, of: TransferId, draw: Draw, expired: Expired) -> Transfer {
    let action = Action::Reverse { of, amount: None, draw, expired };
    Transfer { action, ..Transfer::reverse(books.id(), CODE, of) }
}

/// The vector `points_fifo` of the domain reference.
#[tokio::test]
async fn points_are_spent_by_earliest_expiry_and_come_back_to_their_lots() {
    let mut books = Books::open().await;
    let member = books.account(LOTS).await;
    // The lots as they are drawn; earned in another order.
    let third = earn(&books, member, 200, until(&books, at("2025-03-31T00:00:00Z"))).await;
    books.now -= days(1);
    let second = earn(&books, member, 50, until(&books, at("2025-03-31T00:00:00Z"))).await;
    books.now += days(1);
    let first = earn(&books, member, 100, until(&books, at("2025-01-31T00:00:00Z"))).await;
    assert_eq!(books.lots(member).await, [(100, 0), (50, 0), (200, 0)]);

    books.now = at("2025-01-10T00:00:00Z");
    let spent = books.done(books.spend(member, 120)).await.id;
    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    let moves = siyu_ledger::moves(&mut tx, &[spent]).await.unwrap();
    let moves: Vec<_> = moves.iter().map(|step| (step.lot.uuid(), step.remaining)).collect();
    assert_eq!(moves, [(first.uuid(), -100), (second.uuid(), -20)]);
    drop(tx);

    books.now = at("2025-02-10T00:00:00Z");
    let grace = Expired::restore_days(books.now, 30);
    let back = reverse(&books, spent, Draw::ByLimits, grace);
    books.done(back).await;
    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    let lots = siyu_ledger::lots(&mut tx, &[member]).await.unwrap();
    let lots: Vec<_> =
        lots.iter().map(|lot| (lot.id.uuid(), lot.remaining, lot.terms.expires_at)).collect();
    let expected = [
        (back.id.uuid(), 100, Some(at("2025-03-12T00:00:00Z"))),
        (second.uuid(), 50, Some(at("2025-03-31T00:00:00Z"))),
        (third.uuid(), 200, Some(at("2025-03-31T00:00:00Z"))),
    ];
    assert_eq!(lots, expected);
    books.assert_sound().await;
}

#[tokio::test]
async fn the_worked_example_of_the_readme_comes_out() {
    let mut books = Books::open().await;
    let member = books.account(LOTS).await;
    earn(&books, member, 100, until(&books, at("2025-01-31T00:00:00Z"))).await;
    earn(&books, member, 50, until(&books, at("2025-03-31T00:00:00Z"))).await;
    let movement = Movement::new(member, books.source, 120);
    let hold = Transfer::pending(books.id(), CODE, movement, None);
    books.done(hold).await;
    assert_eq!(books.lots(member).await, [(100, 100), (50, 20)]);
    assert_eq!((books.balance(member).await, books.available(member).await), (150, 30));
    let taken = Transfer::post_pending(books.id(), CODE, hold.id).part(110);
    books.done(taken).await;
    assert_eq!(books.lots(member).await, [(40, 0)]);
    books.now = at("2025-02-10T00:00:00Z");
    let grace = Expired::restore_days(books.now, 30);
    books.done(reverse(&books, taken.id, Draw::ByLimits, grace)).await;
    assert_eq!(books.lots(member).await, [(100, 0), (50, 0)]);
    assert_eq!((books.balance(member).await, books.available(member).await), (150, 150));
}

#[tokio::test]
async fn units_that_return_to_an_expired_lot_may_be_forfeited() {
    let mut books = Books::open().await;
    let member = books.account(LOTS).await;
    earn(&books, member, 100, until(&books, books.now + days(5))).await;
    let spent = books.done(books.spend(member, 30)).await.id;
    books.pass(days(6));
    books.done(Transfer::reverse(books.id(), CODE, spent)).await;
    assert_eq!(books.lots(member).await, [(100, 0)]);
    assert_eq!((books.balance(member).await, books.available(member).await), (100, 0));
    books.assert_sound().await;
}

#[tokio::test]
async fn earned_points_cannot_be_spent_before_they_vest_or_once_they_expired() {
    let mut books = Books::open().await;
    let member = books.account(LOTS).await;
    let vests = books.now + days(7);
    earn(&books, member, 10, until(&books, vests + days(7)).available_at(vests)).await;
    for (wait, available) in [(0, 0), (6, 0), (7, 10), (13, 10), (14, 0), (400, 0)] {
        let start = books.now;
        books.pass(days(wait));
        assert_eq!(books.available(member).await, available, "after {wait} days");
        let spend = books.spend(member, 10).linked();
        // Refused as a chain in any case, so that the next round finds what this one found.
        let never = books.spend(member, 11);
        let expected = if available == 10 { Failure::LinkedFailed } else { Failure::ExceedsLots };
        assert_eq!(books.post(&[spend, never]).await[0], Outcome::Failed(expected), "{wait}");
        books.now = start;
    }
    assert_eq!(books.balance(member).await, 10);
}

#[tokio::test]
async fn a_refund_takes_back_what_was_earned_from_its_own_lot_then_from_others_then_as_debt() {
    let mut books = Books::open().await;
    let member = books.account(LOTS).await;
    let soon = earn(&books, member, 40, until(&books, books.now + days(5))).await;
    let late = earn(&books, member, 100, until(&books, books.now + days(90))).await;
    books.done(books.spend(member, 60)).await;
    assert_eq!(books.lots(member).await, [(80, 0)], "40 of the first, 20 of the second");

    // Of the 40 none is left in their own lot: the other one gives, though it expires later.
    books.done(reverse(&books, soon, Draw::Overdraft, Expired::Forfeit)).await;
    assert_eq!(books.lots(member).await, [(40, 0)]);
    let take_back = reverse(&books, late, Draw::ByLimits, Expired::Forfeit);
    assert_eq!(books.one(take_back).await, Outcome::Failed(Failure::ExceedsLots));
    books.done(reverse(&books, late, Draw::Overdraft, Expired::Forfeit)).await;
    assert_eq!((books.balance(member).await, books.available(member).await), (-60, -60));
    assert_eq!(books.lots(member).await, [(-60, 0)]);
    assert_eq!(books.one(books.spend(member, 1)).await, Outcome::Failed(Failure::ExceedsLots));

    // What comes in next settles the debt first, even what has yet to vest.
    books.pass(days(1));
    let terms = until(&books, books.now + days(9)).available_at(books.now + days(1));
    earn(&books, member, 50, terms).await;
    assert_eq!(books.lots(member).await, [(-10, 0)]);
    earn(&books, member, 25, until(&books, books.now + days(9))).await;
    assert_eq!(books.lots(member).await, [(15, 0)]);
    assert_eq!(books.available(member).await, 15);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_claw_back_takes_what_has_yet_to_vest_before_the_account_owes() {
    let books = Books::open().await;
    let member = books.account(LOTS).await;
    let first = earn(&books, member, 30, LotTerms::from(books.now)).await;
    books.done(books.spend(member, 30)).await;
    let vests = books.now + days(7);
    earn(&books, member, 20, LotTerms::from(books.now).available_at(vests)).await;
    books.done(reverse(&books, first, Draw::Overdraft, Expired::Forfeit)).await;
    assert_eq!(books.lots(member).await, [(-10, 0)]);
    books.assert_sound().await;
}

#[tokio::test]
async fn partial_refunds_of_points_sum_to_what_was_spent() {
    let books = Books::open().await;
    let member = books.account(LOTS).await;
    for (amount, end) in [(10, 10), (20, 20), (30, 30)] {
        earn(&books, member, amount, until(&books, books.now + days(end))).await;
    }
    let spent = books.done(books.spend(member, 45)).await.id;
    assert_eq!(books.lots(member).await, [(15, 0)]);
    // Last drawn, first back: the units that last longest.
    for (part, lots) in
        [(10, vec![(25, 0)]), (10, vec![(5, 0), (30, 0)]), (16, vec![(1, 0), (20, 0), (30, 0)])]
    {
        books.done(Transfer::reverse(books.id(), CODE, spent).part(part)).await;
        assert_eq!(books.lots(member).await, lots);
    }
    let rest = Transfer::reverse(books.id(), CODE, spent);
    assert_eq!(books.done(rest).await.amount, 9);
    assert_eq!(books.lots(member).await, [(10, 0), (20, 0), (30, 0)]);
    let more = Transfer::reverse(books.id(), CODE, spent).part(1);
    assert_eq!(books.one(more).await, Outcome::Failed(Failure::ExceedsOriginal));
    books.assert_sound().await;
}

#[tokio::test]
async fn what_a_hold_drew_comes_back_to_its_lots_when_it_is_posted_in_part() {
    let books = Books::open().await;
    let member = books.account(LOTS).await;
    for end in [10, 20] {
        earn(&books, member, 10, until(&books, books.now + days(end))).await;
    }
    let movement = Movement::new(member, books.source, 15);
    let hold = Transfer::pending(books.id(), CODE, movement, None);
    books.done(hold).await;
    assert_eq!(books.lots(member).await, [(10, 10), (10, 5)]);
    let post = Transfer::post_pending(books.id(), CODE, hold.id).part(12);
    books.done(post).await;
    assert_eq!(books.lots(member).await, [(8, 0)]);
    books.done(Transfer::reverse(books.id(), CODE, post.id).part(3)).await;
    assert_eq!(books.lots(member).await, [(1, 0), (10, 0)]);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_gift_between_members_draws_one_lot_and_makes_another() {
    let books = Books::open().await;
    let (giver, taker) = (books.account_with(LOTS, 10).await, books.account(LOTS).await);
    let gift = books.take(giver, taker, 6).await;
    assert_eq!((books.lots(giver).await, books.lots(taker).await), (vec![(4, 0)], vec![(6, 0)]));
    books.done(books.spend(taker, 5)).await;
    books.done(reverse(&books, gift, Draw::Overdraft, Expired::Forfeit)).await;
    assert_eq!((books.lots(giver).await, books.lots(taker).await), (vec![(10, 0)], vec![(-5, 0)]));
    books.assert_sound().await;
}

#[tokio::test]
async fn lots_are_refused_where_an_account_keeps_none() {
    let books = Books::open().await;
    let (plain, other) = (books.account(crate::books::OWNED).await, books.account(LOTS).await);
    let lot = books.give(other, 5).await;
    let named = Draw::Lot(siyu_ledger::LotId::from_uuid(lot.uuid()));
    let terms = LotTerms::from(books.now);
    let post = |movement| Transfer::post(books.id(), CODE, movement);
    let source = books.source;
    let unknown = Draw::Lot(siyu_ledger::LotId::from_uuid(other.uuid()));
    let cases = [
        (Movement::new(source, plain, 1).lot(terms), Failure::NoLots),
        (Movement::new(source, plain, 1).draw(named), Failure::NoLots),
        (Movement::new(other, source, 1).draw(unknown), Failure::LotNotFound),
        (Movement::new(other, source, 6).draw(named), Failure::ExceedsLots),
    ];
    for (movement, failure) in cases {
        assert_eq!(books.one(post(movement)).await, Outcome::Failed(failure));
    }
}
