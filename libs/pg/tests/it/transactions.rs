//! What a transaction shows, and what it leaves on its connection.

use std::time::Duration;

use siyu_pg::{Db, Settings};
use siyu_testkit::{Database, merchant};
use sqlx::Connection;
use uuid::Uuid;

use crate::{NOTES, texts, write};

/// A pool of one connection: whatever a transaction leaves behind, the next one finds.
async fn one_connection(database: &Database) -> Db {
    let mut settings = Settings::new(database.app_url());
    settings.max_connections = 1;
    Db::connect(&settings).await.unwrap()
}

async fn setting(db: &Db) -> (String, String) {
    sqlx::query_as(
        "select coalesce(current_setting('siyu.merchant_id', true), ''), current_user::text",
    )
    .fetch_one(db.pool())
    .await
    .unwrap()
}

async fn backend(db: &Db) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(db.pool()).await.unwrap()
}

fn clean() -> (String, String) {
    (String::new(), "siyu_app".to_owned())
}

#[tokio::test]
async fn a_tenant_sees_and_writes_its_own_rows_only() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    for (n, text) in [(1, "one"), (2, "two")] {
        let mut tx = db.tenant(merchant(n)).await.unwrap();
        assert_eq!(tx.merchant(), merchant(n));
        write(&mut tx, text).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    assert_eq!(texts(&mut tx).await, ["one"]);
    let foreign = sqlx::query("insert into notes (merchant_id, text) values ($1, 'x')")
        .bind(merchant(2))
        .execute(&mut *tx)
        .await;
    assert!(foreign.unwrap_err().to_string().contains("row-level security"));
    drop(tx);
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    for foreign in
        ["delete from notes where text = 'two'", "update notes set text = 'x' where text = 'two'"]
    {
        let done = sqlx::query(foreign).execute(&mut *tx).await.unwrap();
        assert_eq!(done.rows_affected(), 0, "{foreign}");
    }
    drop(tx);
    assert_eq!(texts(&mut db.pool().acquire().await.unwrap()).await, [""; 0], "no tenant, no rows");
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_and_leaves_no_tenant() {
    let database = Database::fresh(NOTES).await;
    let db = one_connection(&database).await;
    let before = backend(&db).await;
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    write(&mut tx, "lost").await.unwrap();
    drop(tx);
    assert_eq!(setting(&db).await, clean());
    assert_eq!(texts(&mut database.owner().await).await, [""; 0]);
    let mut tx = db.system("test").await.unwrap();
    write(&mut tx, "lost").await.unwrap_err();
    drop(tx);
    assert_eq!(setting(&db).await, clean());
    assert_eq!(backend(&db).await, before, "the connection is used again");
}

#[tokio::test]
async fn a_panic_in_a_transaction_leaves_no_tenant() {
    let database = Database::fresh(NOTES).await;
    let db = one_connection(&database).await;
    let other = db.clone();
    let task = tokio::spawn(async move {
        let mut tx = other.tenant(merchant(1)).await.unwrap();
        write(&mut tx, "lost").await.unwrap();
        panic!("on purpose");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(setting(&db).await, clean());
    assert_eq!(texts(&mut database.owner().await).await, [""; 0]);
}

#[tokio::test]
async fn a_transaction_that_is_cancelled_at_any_point_leaves_no_tenant_and_no_role() {
    let database = Database::fresh(NOTES).await;
    let db = one_connection(&database).await;
    // Each round lets the transaction run for one poll more before it is cancelled.
    for polls in 0..40 {
        let work = async {
            let mut tx = db.system("test").await.unwrap();
            tx.become_tenant(merchant(1)).await.unwrap();
            write(&mut tx, "lost").await.unwrap();
            tx.become_job().await.unwrap();
        };
        let mut work = Box::pin(work);
        for _ in 0..polls {
            if futures::poll!(&mut work).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(work);
        assert_eq!(setting(&db).await, clean(), "cancelled after {polls} polls");
        let mut tx = db.tenant(merchant(2)).await.unwrap();
        let role: String =
            sqlx::query_scalar("select current_user::text").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(role, "siyu_app", "cancelled after {polls} polls");
        assert_eq!(texts(&mut tx).await, [""; 0]);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_statement_does_not_poison_the_connection() {
    let database = Database::fresh(NOTES).await;
    let db = one_connection(&database).await;
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    write(&mut tx, "lost").await.unwrap();
    let slow = sqlx::query("select pg_sleep(0.2)").execute(&mut *tx);
    assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
    drop(tx);
    assert_eq!(setting(&db).await, clean());
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    assert_eq!(texts(&mut tx).await, [""; 0]);
}

#[tokio::test]
async fn a_reading_transaction_refuses_to_write() {
    let database = Database::fresh(NOTES).await;
    let mut tx = database.db().tenant_read(merchant(1)).await.unwrap();
    assert_eq!(texts(&mut tx).await, [""; 0]);
    assert!(write(&mut tx, "x").await.unwrap_err().to_string().contains("read-only"));
}

#[tokio::test]
async fn a_transaction_that_looks_up_reads_one_tenant_by_plans_that_last() {
    let database = Database::fresh(NOTES).await;
    let db = one_connection(&database).await;
    let mut tx = db.tenant(merchant(2)).await.unwrap();
    write(&mut tx, "of another").await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.tenant_lookup(merchant(1)).await.unwrap();
    assert_eq!(texts(&mut tx).await, [""; 0]);
    assert!(write(&mut tx, "x").await.unwrap_err().to_string().contains("read-only"));
}

/// How the statements of a transaction are planned.
async fn plans(tx: &mut sqlx::PgConnection) -> String {
    let settings =
        "select current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan')";
    sqlx::query_scalar(settings).fetch_one(tx).await.unwrap()
}

#[tokio::test]
async fn what_goes_by_keys_is_planned_once_and_what_searches_for_its_values() {
    let database = Database::fresh(NOTES).await;
    let db = one_connection(&database).await;
    let (once, each) = ("force_generic_plan off", "auto on");
    for _ in 0..2 {
        let mut tx = db.tenant(merchant(1)).await.unwrap();
        assert_eq!(plans(&mut tx).await, once);
        tx.plan_by_value().await.unwrap();
        assert_eq!(plans(&mut tx).await, each);
        tx.commit().await.unwrap();
        assert_eq!(plans(&mut db.tenant_lookup(merchant(1)).await.unwrap()).await, once);
        assert_eq!(plans(&mut db.tenant_read(merchant(1)).await.unwrap()).await, each);
        let mut job = db.system("plans").await.unwrap();
        assert_eq!(plans(&mut job).await, each);
        assert_eq!(plans(job.become_tenant(merchant(1)).await.unwrap()).await, once);
        job.become_job().await.unwrap();
        assert_eq!(plans(&mut job).await, each);
    }
}

#[tokio::test]
async fn a_transaction_shares_a_lock_of_its_tenant_from_its_first_moment() {
    const NOTED: siyu_pg::Lock = siyu_pg::Lock::new("notes");
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    let sharing = db.tenant_sharing(merchant(1), NOTED).await.unwrap();
    let mut another = db.tenant(merchant(1)).await.unwrap();
    NOTED.share(&mut another).await.unwrap();
    let mut elsewhere = db.tenant(merchant(2)).await.unwrap();
    NOTED.take(&mut elsewhere).await.unwrap();
    drop(another);

    let mut taking = db.tenant(merchant(1)).await.unwrap();
    sqlx::raw_sql("set local lock_timeout = '200ms'").execute(&mut *taking).await.unwrap();
    assert!(NOTED.take(&mut taking).await.is_err(), "it is shared");
    drop(taking);
    sharing.commit().await.unwrap();
    let mut taking = db.tenant(merchant(1)).await.unwrap();
    NOTED.take(&mut taking).await.unwrap();
}

#[tokio::test]
async fn a_job_sees_all_tenants_and_can_act_as_one() {
    let database = Database::fresh(NOTES).await;
    let mut tx = database.db().system("it's a test").await.unwrap();
    assert_eq!(tx.tenant(), None);
    for (n, text) in [(1, "one"), (2, "two")] {
        tx.become_tenant(merchant(n)).await.unwrap();
        assert_eq!(tx.tenant(), Some(merchant(n)));
        write(&mut tx, text).await.unwrap();
        assert_eq!(texts(&mut tx).await, [text]);
    }
    tx.become_job().await.unwrap();
    assert_eq!(tx.tenant(), None);
    assert_eq!(texts(&mut tx).await, ["one", "two"]);
    let name: String = sqlx::query_scalar("select current_setting('application_name')")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(name, "siyu job it's a test");
    tx.commit().await.unwrap();
    assert_eq!(texts(&mut database.owner().await).await, ["one", "two"]);
}

#[tokio::test]
async fn a_job_lends_a_transaction_of_the_tenant_it_acts_as() {
    let database = Database::fresh(NOTES).await;
    let mut job = database.db().system("test").await.unwrap();
    for n in [1, 2, 2, 1] {
        let tx = job.become_tenant(merchant(n)).await.unwrap();
        assert_eq!(tx.merchant(), merchant(n));
        let tenant: Uuid = sqlx::query_scalar("select current_setting('siyu.merchant_id')::uuid")
            .fetch_one(&mut **tx)
            .await
            .unwrap();
        assert_eq!(tenant, merchant(n).uuid());
    }
}

#[tokio::test]
async fn a_commit_wakes_those_who_wait_for_one_that_asked_for_it() {
    let database = Database::fresh(NOTES).await;
    let db = database.db();
    let woken = async || {
        let committed = db.committed();
        tokio::time::timeout(Duration::from_millis(20), committed.notified()).await.is_ok()
    };
    db.tenant(merchant(1)).await.unwrap().commit().await.unwrap();
    assert!(!woken().await, "nobody asked");
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    tx.signal_on_commit();
    drop(tx);
    assert!(!woken().await, "it was rolled back");
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    tx.signal_on_commit();
    tx.commit().await.unwrap();
    assert!(woken().await);
    let mut job = db.system("test").await.unwrap();
    job.become_tenant(merchant(1)).await.unwrap().signal_on_commit();
    job.become_job().await.unwrap();
    job.commit().await.unwrap();
    assert!(woken().await);
}

#[tokio::test]
async fn a_savepoint_undoes_a_part() {
    let database = Database::fresh(NOTES).await;
    let mut tx = database.db().tenant(merchant(1)).await.unwrap();
    write(&mut tx, "kept").await.unwrap();
    let mut part = tx.begin().await.unwrap();
    write(&mut part, "undone").await.unwrap();
    part.rollback().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(texts(&mut database.owner().await).await, ["kept"]);
}
