//! What a call costs does not grow with the journal.

use siyu_ledger::{EntryPage, Movement, Transfer};
use siyu_pg::Tx;

use crate::books::{Books, CODE, LOTS};

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

#[tokio::test]
async fn a_call_reads_the_rows_it_is_about_however_old_the_statistics_are() {
    let books = Books::open().await;
    let tables = ["accounts", "transfers", "holds", "lots", "lot_moves"];
    for table in tables {
        // As just after a large import: the planner believes that the tables are empty.
        let off = format!("alter table ledger_{table} set (autovacuum_enabled = false)");
        let mut owner = books.database.owner().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(off)).execute(&mut owner).await.unwrap();
    }
    let mut members = Vec::new();
    for _ in 0..40 {
        let member = books.account(LOTS).await;
        let give = |_| {
            let movement = Movement::new(books.source, member, 10);
            Transfer::post(books.id(), CODE, movement)
        };
        let hold =
            Transfer::pending(books.id(), CODE, Movement::new(member, books.source, 1), None);
        let slice: Vec<_> = (0..50).map(give).chain([hold]).collect();
        books.post(&slice).await;
        books.done(books.spend(member, 485)).await;
        members.push((member, hold.id));
    }
    let (member, hold) = members[7];
    let spend = books.spend(member, 3);
    let done = Transfer::post_pending(books.id(), CODE, hold);
    let back = Transfer::reverse(books.id(), CODE, spend.id);

    let mut tx = books.db().tenant(books.merchant).await.unwrap();
    for transfer in [spend, done, back] {
        let before = rows_read(&mut tx).await;
        siyu_ledger::post_all(&mut tx, &[transfer], books.now).await.unwrap();
        let read = rows_read(&mut tx).await - before;
        assert!(read < 30, "{:?} read {read} rows", transfer.action);
    }
    let before = rows_read(&mut tx).await;
    siyu_ledger::available(&mut tx, &[member], books.now).await.unwrap();
    siyu_ledger::lots(&mut tx, &[member]).await.unwrap();
    let page = EntryPage { before: Some(30), limit: 5 };
    assert_eq!(siyu_ledger::entries(&mut tx, member, page).await.unwrap().len(), 5);
    let read = rows_read(&mut tx).await - before;
    assert!(read < 40, "queries read {read} rows");
}
