//! The jobs that end what time has ended.

use chrono::TimeDelta;
use siyu_ledger::{
    AccountCode, AccountKey, LotExpiry, LotTerms, Movement, Transfer, expire_holds, expire_lots,
};
use siyu_testkit::merchant;
use uuid::Uuid;

use crate::books::{Books, CODE, KIND, LOTS, OWNED, POINTS};

const BREAKAGE: AccountCode = AccountCode::new(9);
const EXPIRY: LotExpiry = LotExpiry { of: KIND, into: BREAKAGE, code: CODE };

async fn run_holds(books: &Books, limit: u16) -> usize {
    let mut tx = books.db().system("test").await.unwrap();
    let done = expire_holds(&mut tx, &books.ids, CODE, books.now, limit).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn run_lots(books: &Books, limit: u16) -> usize {
    let mut tx = books.db().system("test").await.unwrap();
    let done = expire_lots(&mut tx, &books.ids, EXPIRY, books.now, limit).await.unwrap();
    tx.commit().await.unwrap();
    done
}

#[tokio::test]
async fn holds_are_released_when_their_time_is_over_in_every_merchants_books() {
    let mut books = Books::open().await;
    let mut accounts = Vec::new();
    for n in [1, 2] {
        books.merchant = merchant(n);
        books.source = books.account(siyu_ledger::Flags::NONE).await;
        let member = books.account_with(if n == 1 { OWNED } else { LOTS }, 10).await;
        for minutes in [15, 30] {
            let movement = Movement::new(member, books.source, 3);
            let end = books.now + TimeDelta::minutes(minutes);
            books.done(Transfer::pending(books.id(), CODE, movement, Some(end))).await;
        }
        accounts.push((merchant(n), member));
    }
    assert_eq!(run_holds(&books, 10).await, 0, "nothing is over yet");
    books.pass(TimeDelta::minutes(20));
    assert_eq!(run_holds(&books, 10).await, 2);
    assert_eq!(run_holds(&books, 10).await, 0, "each is released once");
    for &(merchant, member) in &accounts {
        books.merchant = merchant;
        assert_eq!(books.state(member).await.debits_pending, 3);
        assert_eq!(books.available(member).await, 7);
    }
    books.pass(TimeDelta::minutes(20));
    assert_eq!((run_holds(&books, 1).await, run_holds(&books, 1).await), (1, 1));
    assert_eq!(run_holds(&books, 1).await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn expiry_takes_only_the_unspent_part_of_a_lot_and_leaves_what_is_held() {
    let mut books = Books::open().await;
    let member = books.account(LOTS).await;
    let terms = LotTerms::from(books.now).expires_at(books.now + TimeDelta::days(1));
    let earn = Movement::new(books.source, member, 100).lot(terms);
    books.done(Transfer::post(books.id(), CODE, earn)).await;
    books.give(member, 7).await;
    books.done(books.spend(member, 30)).await;
    let movement = Movement::new(member, books.source, 20);
    let end = books.now + TimeDelta::days(3);
    let hold = Transfer::pending(books.id(), CODE, movement, Some(end));
    books.done(hold).await;

    books.pass(TimeDelta::days(2));
    assert_eq!(books.available(member).await, 7, "late as the job may be");
    assert_eq!((run_lots(&books, 10).await, run_lots(&books, 10).await), (1, 0));
    assert_eq!(books.lots(member).await, [(20, 20), (7, 0)]);
    // The hold is paid from what it reserved in time; what it frees has lapsed.
    books.done(Transfer::post_pending(books.id(), CODE, hold.id).part(15)).await;
    assert_eq!(books.available(member).await, 7);
    assert_eq!(run_lots(&books, 10).await, 1);
    assert_eq!(books.lots(member).await, [(7, 0)]);

    let key = AccountKey { owner: Uuid::nil(), code: BREAKAGE, asset: POINTS };
    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    let lapsed = siyu_ledger::find(&mut tx, &[key]).await.unwrap()[0].unwrap();
    assert_eq!(lapsed.balance(), 55);
    books.assert_sound().await;
}
