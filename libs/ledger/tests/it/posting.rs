//! Single-phase transfers, chains, limits, entries.

use siyu_kernel::Id;
use siyu_ledger::{
    AccountCode, AccountKey, Asset, Draw, EntryPage, Error, Failure, Flags, Movement, NewAccount,
    Outcome, Transfer,
};
use uuid::Uuid;

use crate::books::{Books, CODE, KIND, OWNED, POINTS};

#[tokio::test]
async fn a_transfer_moves_units_and_tells_the_running_balances() {
    let books = Books::open().await;
    let member = books.account(OWNED).await;
    let order = Uuid::from_u128(7);
    let earn = Transfer::post(books.id(), CODE, Movement::new(books.source, member, 100));
    let posted = books.done(earn.reference(order).user_data(3)).await;
    assert_eq!((posted.amount, posted.debit_balance, posted.credit_balance), (100, -100, 100));
    assert_eq!(posted.posted_at, books.now);
    let account = books.state(member).await;
    assert_eq!((account.credits_posted, account.debits_posted, account.entries), (100, 0, 1));

    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    let about = siyu_ledger::about(&mut tx, order).await.unwrap();
    assert_eq!(about.len(), 1);
    assert_eq!((about[0].id, about[0].code, about[0].user_data), (earn.id, CODE, 3));
    books.assert_sound().await;
}

#[tokio::test]
async fn the_same_transfer_again_changes_nothing_and_another_under_its_id_is_refused() {
    let books = Books::open().await;
    let member = books.account(OWNED).await;
    let movement = Movement::new(books.source, member, 100);
    let transfer = Transfer::post(books.id(), CODE, movement);
    let first = books.one(transfer).await;
    let again = books.post(&[transfer, transfer]).await;
    let Outcome::Created(posted) = first else { panic!("{first:?}") };
    assert_eq!(again, [Outcome::Exists(posted), Outcome::Exists(posted)]);

    let other = |movement| Transfer::post(transfer.id, CODE, movement);
    let cases = [
        ("amount", other(Movement::new(books.source, member, 101))),
        ("debit", other(Movement::new(member, books.source, 100))),
        ("draw", other(movement.draw(Draw::Covered))),
        ("user_data", transfer.user_data(1)),
        ("reference", transfer.reference(Uuid::nil())),
        ("expires_at", Transfer::pending(transfer.id, CODE, movement, Some(books.now))),
    ];
    for (field, other) in cases {
        let field = if field == "expires_at" { "action" } else { field };
        let refused = Outcome::Failed(Failure::ExistsWithDifferent { field });
        assert_eq!(books.one(other).await, refused);
    }
    assert_eq!(books.balance(member).await, 100);
}

#[tokio::test]
async fn a_chain_takes_effect_as_a_whole_or_not_at_all() {
    let books = Books::open().await;
    let (principal, bonus) =
        (books.account_with(OWNED, 70).await, books.account_with(OWNED, 20).await);
    // Paying 100 from both buckets, of which one is short (rules 56, 58).
    let pay = |first, second| [books.spend(principal, first).linked(), books.spend(bonus, second)];
    let outcomes = books.post(&pay(70, 30)).await;
    assert_eq!(outcomes[0], Outcome::Failed(Failure::LinkedFailed));
    assert_eq!(outcomes[1], Outcome::Failed(Failure::ExceedsCredits));
    assert_eq!((books.balance(principal).await, books.balance(bonus).await), (70, 20));

    let chain = pay(70, 20);
    assert!(books.post(&chain).await.iter().all(|o| matches!(o, Outcome::Created(_))));
    assert!(books.post(&chain).await.iter().all(|o| matches!(o, Outcome::Exists(_))));
    assert_eq!((books.balance(principal).await, books.balance(bonus).await), (0, 0));

    let longer = [chain[0], chain[1].linked(), books.spend(books.source, 1)];
    let outcomes = books.post(&longer[..2]).await;
    assert_eq!(outcomes[1], Outcome::Failed(Failure::LinkedChainOpen));
    let same = Transfer::post(books.id(), CODE, Movement::new(books.source, bonus, 1));
    let outcomes = books.post(&[chain[0], chain[1].linked(), same]).await;
    assert_eq!(outcomes[2], Outcome::Failed(Failure::LinkedFailed), "another chain than before");
    assert_eq!(books.balance(bonus).await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_refused_transfer_does_not_disturb_the_others() {
    let books = Books::open().await;
    let member = books.account_with(OWNED, 10).await;
    let slice = [books.spend(member, 11), books.spend(member, 4), books.spend(member, 7)];
    let outcomes = books.post(&slice).await;
    assert_eq!(outcomes[0], Outcome::Failed(Failure::ExceedsCredits));
    assert_eq!(outcomes[1].posted().unwrap().debit_balance, 6);
    assert_eq!(outcomes[2], Outcome::Failed(Failure::ExceedsCredits));
    // A refused id is free.
    assert!(matches!(books.one(books.spend(member, 6)).await, Outcome::Created(_)));

    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    let err = siyu_ledger::post_all(&mut tx, &[slice[1], slice[0]], books.now).await.unwrap_err();
    let Error::Refused { position: 1, failure: Failure::ExceedsCredits } = err else {
        panic!("{err:?}")
    };
}

#[tokio::test]
async fn limits_hold_on_either_side_and_only_where_they_are_set() {
    let books = Books::open().await;
    let free = books.account(Flags::NONE).await;
    assert_eq!(books.one(books.spend(free, 5)).await.posted().unwrap().debit_balance, -5);
    let covered = Failure::ExceedsCredits;
    assert_eq!(books.take_by(Draw::Covered, free, 1).await, Outcome::Failed(covered));

    let asset = books.account(Flags::CREDITS_MUST_NOT_EXCEED_DEBITS).await;
    let receive = |amount| Transfer::post(books.id(), CODE, Movement::new(free, asset, amount));
    assert_eq!(books.one(receive(1)).await, Outcome::Failed(Failure::ExceedsDebits));
    books.take(asset, free, 9).await;
    assert_eq!(books.one(receive(10)).await, Outcome::Failed(Failure::ExceedsDebits));
    assert_eq!(books.done(receive(9)).await.credit_balance, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let books = Books::open().await;
    let member = books.account(OWNED).await;
    let yuan = books.account_of(Asset::new("CNY"), Flags::NONE).await;
    let nobody = Id::from_uuid(Uuid::from_u128(404));
    let post = |debit, credit, amount| {
        Transfer::post(books.id(), CODE, Movement::new(debit, credit, amount))
    };
    let source = books.source;
    let cases = [
        (post(source, member, 0), Failure::AmountNotPositive),
        (post(source, member, -1), Failure::AmountNotPositive),
        (post(member, member, 1), Failure::SameAccount),
        (post(nobody, member, 1), Failure::DebitAccountNotFound),
        (post(member, nobody, 1), Failure::CreditAccountNotFound),
        (post(source, yuan, 1), Failure::AssetsDiffer),
        (Transfer::reverse(books.id(), CODE, books.id()), Failure::TargetNotFound),
        (Transfer::post_pending(books.id(), CODE, books.id()), Failure::TargetNotFound),
    ];
    let slice: Vec<_> = cases.iter().map(|(transfer, _)| *transfer).collect();
    let refused: Vec<_> = cases.iter().map(|(_, failure)| Outcome::Failed(*failure)).collect();
    assert_eq!(books.post(&slice).await, refused);
}

#[tokio::test]
async fn a_balance_that_would_leave_64_bits_is_refused() {
    let books = Books::open().await;
    let member = books.account(Flags::NONE).await;
    books.give(member, i64::MAX - 1).await;
    let give =
        |amount| Transfer::post(books.id(), CODE, Movement::new(books.source, member, amount));
    assert_eq!(books.one(give(2)).await, Outcome::Failed(Failure::Overflow));
    let hold = Transfer::pending(books.id(), CODE, Movement::new(books.source, member, 1), None);
    books.done(hold).await;
    // Posted and pending together fit exactly.
    assert_eq!(books.one(give(1)).await, Outcome::Failed(Failure::Overflow));
    books.done(Transfer::post_pending(books.id(), CODE, hold.id)).await;
    assert_eq!(books.balance(member).await, i64::MAX);
    assert_eq!(books.balance(books.source).await, -i64::MAX);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_account_is_opened_once_and_its_limits_never_change() {
    let books = Books::open().await;
    let key = AccountKey { owner: Uuid::from_u128(9), code: KIND, asset: POINTS };
    let new = |n: u128, flags| NewAccount { id: Id::from_uuid(Uuid::from_u128(n)), key, flags };
    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    let first =
        siyu_ledger::open(&mut tx, &[new(1, OWNED), new(2, OWNED)], books.now).await.unwrap();
    assert_eq!(first[0], first[1], "one key, one account");
    let again = siyu_ledger::open(&mut tx, &[new(3, OWNED)], books.now).await.unwrap();
    assert_eq!(again[0], first[0]);
    let other = siyu_ledger::open(&mut tx, &[new(4, Flags::NONE)], books.now).await.unwrap_err();
    assert!(matches!(other, Error::AccountDiffers { field: "flags", .. }), "{other:?}");

    let unknown = AccountKey { owner: Uuid::nil(), ..key };
    let found = siyu_ledger::find(&mut tx, &[unknown, key]).await.unwrap();
    assert_eq!(found, [None, Some(first[0])]);
    assert_eq!(siyu_ledger::accounts_of(&mut tx, key.owner).await.unwrap(), first[..1]);
    let missing = siyu_ledger::balances(&mut tx, &[Id::from_uuid(Uuid::nil())]).await.unwrap_err();
    assert!(matches!(missing, Error::AccountNotFound(_)));
}

#[tokio::test]
async fn entries_come_newest_first_with_the_balance_after_each() {
    let books = Books::open().await;
    let member = books.account_with(OWNED, 10).await;
    let hold = Transfer::pending(books.id(), CODE, Movement::new(member, books.source, 3), None);
    books.done(hold).await;
    books.done(Transfer::post_pending(books.id(), CODE, hold.id).part(2)).await;
    books.give(member, 5).await;

    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = EntryPage { before, limit: 3 };
        let entries = siyu_ledger::entries(&mut tx, member, page).await.unwrap();
        let Some(last) = entries.last() else { break };
        before = Some(last.number);
        seen.extend(entries.iter().map(|e| (e.number, e.change, e.balance)));
    }
    assert_eq!(seen, [(4, 5, 13), (3, -2, 8), (2, 0, 10), (1, 10, 10)]);
}

#[tokio::test]
async fn a_slice_beyond_the_bound_is_refused_as_a_whole() {
    let books = Books::open().await;
    let slice = vec![books.spend(books.source, 1); siyu_ledger::MAX_BATCH + 1];
    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    let err = siyu_ledger::post(&mut tx, &slice, books.now).await.unwrap_err();
    assert!(matches!(err, Error::TooMany { .. }), "{err:?}");
    assert_eq!(siyu_ledger::post(&mut tx, &[], books.now).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_opened_and_posted_at_once_stands_as_if_one_had_followed_the_other() {
    let books = Books::open().await;
    let own = Uuid::from_u128(9);
    let wanted = [(1_u8, Flags::NONE), (2, OWNED)].map(|(n, flags)| {
        let id = Id::from_uuid(Uuid::from_u128(n.into()));
        NewAccount::new(id, own, AccountCode::new(n.into()), POINTS).flags(flags)
    });
    let [from, to] = wanted.map(|account| account.id);
    let paid = Transfer::post(books.id(), CODE, Movement::new(from, to, 100));
    let too_much = Transfer::post(books.id(), CODE, Movement::new(to, from, 101));
    let run = async |transfers: &[Transfer]| {
        let mut tx = books.db().tenant(books.merchant).await.unwrap();
        let outcomes = siyu_ledger::open_and_post(&mut tx, &wanted, transfers, books.now).await;
        tx.commit().await.unwrap();
        outcomes.unwrap()
    };
    let first = run(&[paid, too_much]).await;
    let Outcome::Created(posted) = first[0] else { panic!("{first:?}") };
    assert_eq!((posted.debit_balance, posted.credit_balance), (-100, 100));
    assert_eq!(first[1], Outcome::Failed(Failure::ExceedsCredits));
    // Now they are open: a repeat finds what was posted, and another transfer goes on from there.
    let more = Transfer::post(books.id(), CODE, Movement::new(books.source, to, 7));
    assert_eq!(run(&[paid, more]).await[0], Outcome::Exists(posted));
    assert_eq!((books.balance(from).await, books.balance(to).await), (-100, 107));
    books.assert_sound().await;
}

#[tokio::test]
async fn first_transfers_with_an_account_that_was_open_go_the_usual_way() {
    let books = Books::open().await;
    let id = Id::from_uuid(Uuid::from_u128(3));
    let wanted = [NewAccount::new(id, Uuid::from_u128(9), KIND, POINTS).flags(OWNED)];
    let given = Transfer::post(books.id(), CODE, Movement::new(books.source, id, 5));
    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    siyu_ledger::open_and_post(&mut tx, &wanted, &[given], books.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((books.balance(id).await, books.balance(books.source).await), (5, -5));
    books.assert_sound().await;
}

#[tokio::test]
async fn first_transfers_of_accounts_with_lots_and_first_holds_go_the_usual_way() {
    let books = Books::open().await;
    let own = Uuid::from_u128(9);
    let wanted = [(1_u8, Flags::NONE), (2, Flags::LOTS)].map(|(n, flags)| {
        let id = Id::from_uuid(Uuid::from_u128(n.into()));
        NewAccount::new(id, own, AccountCode::new(n.into()), POINTS).flags(flags)
    });
    let [from, to] = wanted.map(|account| account.id);
    let given = Transfer::post(books.id(), CODE, Movement::new(from, to, 9));
    let held = Transfer::pending(books.id(), CODE, Movement::new(to, from, 4), None);
    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    let done = siyu_ledger::open_and_post(&mut tx, &wanted, &[given, held], books.now).await;
    tx.commit().await.unwrap();
    assert!(done.unwrap().iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
    assert_eq!((books.balance(to).await, books.lots(to).await.len()), (9, 1));
    books.assert_sound().await;
}
