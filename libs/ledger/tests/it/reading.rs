//! What a call costs does not grow with the journal, however old the statistics of the planner are.

use siyu_kernel::Id;
use siyu_ledger::{AccountKey, EntryPage, Movement, NewAccount, Transfer};
use siyu_pg::{Db, Settings, Tx};
use uuid::Uuid;

use crate::books::{Books, CODE, KIND, LOTS, POINTS};

/// How many rows the transaction has read so far.
async fn rows_read(tx: &mut Tx) -> i64 {
    sqlx::query_scalar(
        "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
        from pg_stat_xact_user_tables
        where relname like 'ledger%'",
    )
    .fetch_one(&mut **tx)
    .await
    .unwrap()
}

/// Everything that a service asks for, about one member, by a connection that plans in a way; gives the most rows that one call
/// read.
async fn everything(books: &Books, (db, plans): (&Db, &str)) -> i64 {
    let member = books.account_with(LOTS, 10).await;
    let owner = books.state(member).await.key.owner;
    let about = Uuid::from_u128(5);
    let spend = books.spend(member, 3).reference(about);
    let hold = Transfer::pending(books.id(), CODE, Movement::new(member, books.source, 1), None);
    let done = Transfer::post_pending(books.id(), CODE, hold.id);
    let back = Transfer::reverse(books.id(), CODE, spend.id);
    let now = books.now;

    let mut tx = db.tenant(books.merchant).await.unwrap();
    let plan = format!("set local plan_cache_mode = {plans}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(plan)).execute(&mut *tx).await.unwrap();
    let mut most = 0;
    for transfer in [spend, hold, done, back] {
        let before = rows_read(&mut tx).await;
        siyu_ledger::post_all(&mut tx, &[transfer], now).await.unwrap();
        most = most.max(rows_read(&mut tx).await - before);
    }
    let before = rows_read(&mut tx).await;
    let key = AccountKey { owner, code: KIND, asset: POINTS };
    assert!(siyu_ledger::find(&mut tx, &[key]).await.unwrap()[0].is_some());
    assert_eq!(siyu_ledger::accounts_of(&mut tx, owner).await.unwrap().len(), 1);
    assert_eq!(siyu_ledger::available(&mut tx, &[member], now).await.unwrap(), [9]);
    assert_eq!(siyu_ledger::lots(&mut tx, &[member]).await.unwrap().len(), 1);
    assert_eq!(siyu_ledger::moves(&mut tx, &[spend.id]).await.unwrap().len(), 1);
    let page = EntryPage { before: Some(4), limit: 2 };
    assert_eq!(siyu_ledger::entries(&mut tx, member, page).await.unwrap().len(), 2);
    assert_eq!(siyu_ledger::about(&mut tx, about).await.unwrap().len(), 1);
    most.max(rows_read(&mut tx).await - before)
}

async fn change(books: &Books, statement: String) {
    let mut owner = books.database.owner().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
}

/// One connection, which keeps the plans that it makes.
async fn connection(books: &Books) -> Db {
    let mut settings = Settings::new(books.database.app_url());
    settings.max_connections = 1;
    Db::connect(&settings).await.unwrap()
}

#[tokio::test]
async fn a_call_reads_the_rows_it_is_about_however_old_the_statistics_are() {
    let books = Books::open().await;
    for table in ["accounts", "transfers", "holds", "lots", "lot_moves"] {
        change(&books, format!("alter table ledger_{table} set (autovacuum_enabled = false)"))
            .await;
    }
    let mut connections = Vec::new();
    for plans in ["auto", "force_generic_plan"] {
        // Plans for tables that are nearly empty.
        let db = connection(&books).await;
        for _ in 0..8 {
            assert!(everything(&books, (&db, plans)).await < 30);
        }
        connections.push((db, plans));
    }
    for _ in 0..20 {
        let member = books.account(LOTS).await;
        let give = |_| {
            let movement = Movement::new(books.source, member, 10);
            Transfer::post(books.id(), CODE, movement)
        };
        let movement = Movement::new(member, books.source, 1);
        let hold = |_| Transfer::pending(books.id(), CODE, movement, None);
        let slice: Vec<_> = (0..100).map(give).chain((0..10).map(hold)).collect();
        books.post(&slice).await;
        let spent = books.done(books.spend(member, 485)).await.id;
        books.done(Transfer::reverse(books.id(), CODE, spent).part(5)).await;
    }
    let new: Vec<_> = (0..300)
        .map(|_| NewAccount::new(Id::from_uuid(books.id().uuid()), books.id().uuid(), KIND, POINTS))
        .collect();
    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    siyu_ledger::open(&mut tx, &new, books.now).await.unwrap();
    tx.commit().await.unwrap();
    // Plans of now that know as little.
    for plans in ["force_custom_plan", "force_generic_plan"] {
        connections.push((connection(&books).await, plans));
    }
    for (i, (db, plans)) in connections.iter().enumerate() {
        for _ in 0..8 {
            let read = everything(&books, (db, plans)).await;
            assert!(read < 30, "a call on connection {i} read {read} rows");
        }
    }
}
