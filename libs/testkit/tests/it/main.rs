//! Databases of tests are apart from each other, and gone when their tests are.
use siyu_pg::{Migration, base_migrations, embedded::OWNER};
use siyu_testkit::{Database, Scratch, merchant, postgres};
use sqlx::{Connection, PgConnection};

static BASE: &[&[Migration]] = &[base_migrations()];
static SHELVES: &[&[Migration]] = &[
    base_migrations(),
    &[Migration {
        version: 1000,
        name: "create_shelves",
        sql: "create table shelves (merchant_id uuid primary key);
            select siyu_tenant_table('shelves');",
    }],
];

async fn count(conn: &mut PgConnection, table: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(conn)
        .await
}

#[tokio::test]
async fn two_databases_of_one_schema_share_nothing() {
    let (one, two) = (Database::fresh(SHELVES).await, Database::fresh(SHELVES).await);
    let mut tx = one.db().tenant(merchant(1)).await.unwrap();
    sqlx::query("insert into shelves values ($1)")
        .bind(merchant(1))
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&mut one.owner().await, "shelves").await.unwrap(), 1);
    assert_eq!(count(&mut two.owner().await, "shelves").await.unwrap(), 0);
}

#[tokio::test]
async fn each_set_of_migrations_has_its_own_template() {
    let (base, shelves) = (Database::fresh(BASE).await, Database::fresh(SHELVES).await);
    assert!(count(&mut base.owner().await, "shelves").await.is_err());
    assert!(count(&mut shelves.owner().await, "shelves").await.is_ok());
    assert!(count(&mut base.owner().await, "idempotency").await.is_ok());
}

#[tokio::test]
async fn the_database_of_a_finished_test_is_dropped_by_a_later_one() {
    let database = Database::fresh(BASE).await;
    let url = database.app_url();
    assert!(PgConnection::connect(&url).await.is_ok());
    drop(database);
    let _later = Database::fresh(BASE).await;
    let err = PgConnection::connect(&url).await.unwrap_err();
    assert!(err.to_string().contains("does not exist"), "{err}");
}

#[tokio::test]
async fn a_test_may_use_the_server_directly() {
    let server = postgres().await;
    server.ensure_database("direct").await.unwrap();
    assert!(PgConnection::connect(&server.url(OWNER, "direct")).await.is_ok());
}

#[test]
fn a_scratch_directory_is_gone_after_its_test() {
    let scratch = Scratch::new();
    let path = scratch.path().to_path_buf();
    std::fs::write(path.join("file"), "content").unwrap();
    drop(scratch);
    assert!(!path.exists());
}
