//! The self-check finds every kind of damage.

use siyu_ledger::{Movement, Transfer, check};

use crate::books::{Books, CODE, LOTS, OWNED};

const DROP_CONSTRAINTS: &str = "do $$
    declare
        c record;
    begin
        for c in
            select conrelid::regclass as t, conname from pg_constraint
            where contype in ('c', 'u') and conrelid::regclass::text like 'ledger%'
        loop
            execute format('alter table %s drop constraint %I', c.t, c.conname);
        end loop;
    end
    $$";

async fn busy() -> Books {
    let books = Books::open().await;
    let (plain, lots) = (books.account_with(OWNED, 50).await, books.account_with(LOTS, 50).await);
    let other = books.account(LOTS).await;
    books.take(lots, other, 5).await;
    let spent = books.done(books.spend(lots, 10)).await.id;
    books.done(Transfer::reverse(books.id(), CODE, spent).part(4)).await;
    for from in [plain, lots] {
        let pending = || {
            let movement = Movement::new(from, books.source, 6);
            Transfer::pending(books.id(), CODE, movement, None)
        };
        let (open, posted, voided) = (pending(), pending(), pending());
        books.post(&[open, posted, voided]).await;
        books.done(Transfer::post_pending(books.id(), CODE, posted.id).part(2)).await;
        books.done(Transfer::void_pending(books.id(), CODE, voided.id)).await;
    }
    books.assert_sound().await;
    books
}

#[tokio::test]
async fn every_kind_of_damage_is_found_under_its_rule() {
    let damage = [
        (
            "update ledger_accounts set credits_posted = credits_posted + 1 where flags = 1",
            "trial balance",
        ),
        (
            "update ledger_accounts set credits_posted = credits_posted + 1 where flags = 1",
            "counters",
        ),
        (
            "update ledger_accounts set debits_pending = debits_pending + 1 where flags = 1",
            "counters",
        ),
        ("update ledger_accounts set entries = entries + 1 where flags = 1", "entry numbers"),
        (
            "update ledger_transfers set debit_entry = debit_entry + 1000 where kind = 'reverse'",
            "entry numbers",
        ),
        (
            "update ledger_transfers set credit_balance = credit_balance + 1 where kind = 'reverse'",
            "running balance",
        ),
        ("update ledger_transfers set amount = amount + 1 where kind = 'post'", "counters"),
        ("delete from ledger_transfers where kind = 'reverse'", "counters"),
        ("delete from ledger_transfers where kind = 'void_pending'", "holds"),
        ("delete from ledger_accounts where flags = 1", "counters"),
        ("delete from ledger_accounts where flags = 1", "assets"),
        ("update ledger_accounts set asset = 'CNY' where flags = 1", "assets"),
        ("update ledger_holds set state = 'voided' where state = 'posted'", "holds"),
        (
            "update ledger_holds set state = 'voided', ended_by_id = pending_id where state = 'open'",
            "holds",
        ),
        ("delete from ledger_holds where state = 'open'", "holds"),
        ("update ledger_transfers set until_at = now() where kind = 'pending'", "holds"),
        ("update ledger_transfers set amount = 1 where kind = 'void_pending'", "holds"),
        ("update ledger_transfers set amount = 11 where kind = 'reverse'", "reversals"),
        ("update ledger_transfers set reverses_id = id where kind = 'reverse'", "reversals"),
        ("update ledger_lots set remaining = remaining - 1 where held = 0", "lots"),
        ("update ledger_lots set remaining = remaining - 1 where held = 0", "lots of account"),
        ("update ledger_lots set held = held + 1", "lots of account"),
        ("delete from ledger_lots", "lots of account"),
        ("delete from ledger_lot_moves where kind = 'return'", "lots of transfer"),
        ("delete from ledger_lot_moves where kind = 'return'", "lots"),
        (
            "update ledger_lot_moves set remaining = remaining - 1 where kind = 'draw'",
            "lots of transfer",
        ),
        ("update ledger_lot_moves set account_id = lot_id", "lots of transfer"),
    ];
    let books = busy().await;
    let mut owner = books.database.owner().await;
    // Constraints would refuse some of it: damage does not ask.
    sqlx::raw_sql(DROP_CONSTRAINTS).execute(&mut owner).await.unwrap();
    for (statement, rule) in damage {
        sqlx::raw_sql("begin").execute(&mut owner).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut owner).await.unwrap();
        let report = check(&mut owner).await.unwrap();
        let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert!(rules.contains(&rule), "{statement} gave {rules:?}, not {rule}");
        assert!(!report.is_sound());
        sqlx::raw_sql("rollback").execute(&mut owner).await.unwrap();
    }
    let report = check(&mut owner).await.unwrap();
    assert!(report.is_sound() && report.totals.transfers > 10, "{report:?}");
}

#[tokio::test]
async fn a_tenant_checks_its_own_books_and_a_job_all_of_them() {
    let mut books = busy().await;
    books.merchant = siyu_testkit::merchant(2);
    let source = books.account(siyu_ledger::Flags::NONE).await;
    let member = books.account(OWNED).await;
    books.take(source, member, 1).await;
    let mut tx = books.db().tenant_read(books.merchant).await.unwrap();
    assert_eq!(check(&mut tx).await.unwrap().totals.transfers, 1);
    let mut tx = books.db().system("test").await.unwrap();
    assert!(check(&mut tx).await.unwrap().totals.transfers > 10);
}
