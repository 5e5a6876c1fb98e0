//! The schema's history.

use siyu_pg::{
    Db, Migration, MigrationError, Settings, base_migrations,
    embedded::{APP, OWNER},
    migrate, pending,
};
use siyu_testkit::{Database, postgres};

use crate::NOTES;

const ADD: Migration = Migration {
    version: 1001,
    name: "add_colour",
    sql: "alter table notes add column colour text",
};

async fn empty(name: &str, role: &str) -> String {
    let server = postgres().await;
    server.ensure_database(name).await.unwrap();
    server.url(role, name)
}

#[tokio::test]
async fn migrations_run_once_in_order_and_pending_ones_are_known() {
    let database = Database::fresh(NOTES).await;
    let mut all = NOTES.concat();
    assert_eq!(pending(database.db(), &all).await.unwrap(), []);
    let early = Migration { version: 999, name: "before", sql: "create sequence early" };
    all.extend([ADD, early]);
    assert_eq!(pending(database.db(), &all).await.unwrap(), [early, ADD]);
    let applied = migrate(&database.owner_url(), &all).await.unwrap();
    assert_eq!((applied.versions, applied.before), (vec![999, 1001], 4));
    let again = migrate(&database.owner_url(), &all).await.unwrap();
    assert_eq!((again.versions, again.before), (vec![], 6));
    assert_eq!(pending(database.db(), &all).await.unwrap(), []);
}

#[tokio::test]
async fn a_database_that_knows_more_than_the_program_is_fine() {
    let database = Database::fresh(NOTES).await;
    let applied = migrate(&database.owner_url(), base_migrations()).await.unwrap();
    assert_eq!((applied.versions, applied.before), (vec![], 3));
}

#[tokio::test]
async fn a_migration_that_was_changed_after_the_fact_is_refused() {
    let database = Database::fresh(NOTES).await;
    let changed = [Migration { sql: "select 1", ..NOTES[1][0] }];
    let err = migrate(&database.owner_url(), &changed).await.unwrap_err();
    assert!(matches!(err, MigrationError::Changed { version: 1000, .. }), "{err}");
    let err = pending(database.db(), &changed).await.unwrap_err();
    assert!(matches!(err, MigrationError::Changed { version: 1000, .. }), "{err}");
}

#[tokio::test]
async fn two_migrations_of_one_version_are_refused() {
    let database = Database::fresh(NOTES).await;
    let other = Migration { name: "other", ..ADD };
    let err = migrate(&database.owner_url(), &[ADD, other]).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "the migrations \"add_colour\" and \"other\" have the same version"
    );
}

#[tokio::test]
async fn a_migration_that_fails_leaves_no_trace_and_names_itself() {
    let database = Database::fresh(NOTES).await;
    let broken = Migration { sql: "create table half (n int); select nonsense", ..ADD };
    let later = Migration { version: 1002, ..ADD };
    let err = migrate(&database.owner_url(), &[broken, later]).await.unwrap_err();
    assert!(err.to_string().starts_with("migration 1001 \"add_colour\" failed: "), "{err}");
    let half: bool = sqlx::query_scalar("select to_regclass('half') is null")
        .fetch_one(&mut database.owner().await)
        .await
        .unwrap();
    assert!(half);
    assert_eq!(pending(database.db(), &[broken, later]).await.unwrap(), [broken, later]);
}

#[tokio::test]
async fn an_empty_database_has_everything_pending() {
    // The role of services exists in the server once any database was migrated.
    Database::fresh(NOTES).await;
    let db = Db::connect(&Settings::new(empty("unmigrated", APP).await)).await.unwrap();
    assert_eq!(pending(&db, base_migrations()).await.unwrap().len(), base_migrations().len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrations_of_one_database_wait_for_each_other() {
    let url = empty("contended", OWNER).await;
    let runs = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { migrate(&url, &NOTES.concat()).await.unwrap() })
    });
    let runs = futures::future::join_all(runs).await;
    let mut counts: Vec<usize> = runs.into_iter().map(|run| run.unwrap().versions.len()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 4]);
}
