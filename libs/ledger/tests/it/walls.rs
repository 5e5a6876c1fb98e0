//! What the database itself keeps up, whatever the code above it does.

use siyu_ledger::{Error, Failure, Movement, Outcome, Transfer};
use siyu_pg::catalogue;
use siyu_testkit::merchant;

use crate::books::{Books, CODE, LOTS, OWNED};

#[tokio::test]
async fn the_schema_keeps_the_rules_of_every_schema() {
    let books = Books::open().await;
    let violations = catalogue::violations(&mut books.database.owner().await, &[]).await.unwrap();
    assert_eq!(violations, [""; 0]);
    let bare: Vec<String> = sqlx::query_scalar(
        "select c.relname || '.' || a.attname
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid and c.relkind = 'r' and c.relname like 'ledger%'
        where a.attnum > 0 and a.attname not in ('merchant_id', 'id')
            and col_description(a.attrelid, a.attnum) is null",
    )
    .fetch_all(&mut books.database.owner().await)
    .await
    .unwrap();
    assert_eq!(bare, [""; 0], "every column says what it is");
}

#[tokio::test]
async fn the_journal_is_append_only_and_accounts_change_their_counters_only() {
    let books = Books::open().await;
    books.account_with(LOTS, 10).await;
    let forbidden = [
        "update ledger_transfers set amount = 1",
        "delete from ledger_transfers",
        "update ledger_lot_moves set remaining = 1",
        "delete from ledger_lot_moves",
        "delete from ledger_accounts",
        "update ledger_accounts set flags = 0",
        "update ledger_accounts set owner_id = id",
        "delete from ledger_holds",
        "update ledger_holds set expires_at = null",
        "delete from ledger_lots",
        "update ledger_lots set expires_at = null",
        "truncate ledger_transfers",
    ];
    for statement in forbidden {
        let mut tx = books.db().tenant(books.merchant).await.unwrap();
        let err = sqlx::query(statement).execute(&mut *tx).await.unwrap_err().to_string();
        assert!(err.contains("permission denied"), "{statement}: {err}");
        let mut tx = books.db().system("test").await.unwrap();
        let err = sqlx::query(statement).execute(&mut *tx).await.unwrap_err().to_string();
        assert!(err.contains("permission denied"), "{statement} by a job: {err}");
    }
}

#[tokio::test]
async fn the_database_refuses_counters_beyond_the_limits() {
    let books = Books::open().await;
    books.account_with(OWNED, 10).await;
    books.account_with(LOTS, 10).await;
    books.account(OWNED).await;
    let broken = [
        ("update ledger_accounts set debits_posted = 11 where flags = 1", "debits_check"),
        ("update ledger_accounts set debits_pending = 11 where flags = 1", "debits_check"),
        ("update ledger_accounts set flags = 2 where flags = 1", "credits_check"),
        ("update ledger_accounts set flags = 3 where entries = 0", "flags_check"),
        ("update ledger_accounts set flags = 6 where entries = 0", "flags_check"),
        ("update ledger_accounts set flags = 8 where entries = 0", "flags_check"),
        ("update ledger_accounts set credits_pending = -1", "counters_check"),
        ("update ledger_lots set remaining = 11", "remaining_check"),
        ("update ledger_lots set remaining = -1", "remaining_check"),
        ("update ledger_lots set held = 11", "remaining_check"),
        ("update ledger_transfers set amount = 0", "amount_check"),
        ("update ledger_transfers set debit_entry = 0", "entries_check"),
        ("update ledger_transfers set debit_entry = 1", "debit_entry_key"),
        ("update ledger_transfers set kind = 'reverse'", "reverses_id_check"),
        ("update ledger_transfers set kind = 'void_pending'", "pending_id_check"),
    ];
    for (statement, constraint) in broken {
        let mut owner = books.database.owner().await;
        let err = sqlx::query(statement).execute(&mut owner).await.unwrap_err().to_string();
        assert!(err.contains(constraint), "{statement}: {err}");
    }
}

#[tokio::test]
async fn another_merchant_finds_nothing_and_touches_nothing() {
    let mut books = Books::open().await;
    let member = books.account_with(OWNED, 10).await;
    let own = Transfer::post(books.id(), CODE, Movement::new(member, books.source, 4));
    books.done(own).await;
    let (theirs, source) = (books.merchant, books.source);
    books.merchant = merchant(2);

    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    let err = siyu_ledger::balances(&mut tx, &[member]).await.unwrap_err();
    assert!(matches!(err, Error::AccountNotFound(_)), "as if it did not exist");
    drop(tx);
    let post = Transfer::post(books.id(), CODE, Movement::new(member, source, 1));
    assert_eq!(books.one(post).await, Outcome::Failed(Failure::DebitAccountNotFound));
    let reverse = Transfer::reverse(books.id(), CODE, own.id);
    assert_eq!(books.one(reverse).await, Outcome::Failed(Failure::TargetNotFound));
    // The same id is free in other books.
    let mine = books.account(OWNED).await;
    let source = books.account(siyu_ledger::Flags::NONE).await;
    let same = Transfer::post(own.id, CODE, Movement::new(source, mine, 1));
    assert!(matches!(books.one(same).await, Outcome::Created(_)));
    books.merchant = theirs;
    assert_eq!(books.balance(member).await, 6);
}
