//! Roles belong to the server: databases create them at the same time, as different owners.

use siyu_pg::{
    Db, Settings, base_migrations,
    embedded::{APP, Durability, OWNER, Options, Server},
    migrate,
};
use siyu_testkit::{Database, Scratch, merchant, pristine_cache};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{NOTES, texts, write};

async fn server(scratch: &Scratch) -> Server {
    let mut options = Options::new(scratch.path().join("pg"), Durability::Volatile);
    options.pristine_cache = Some(pristine_cache());
    Server::start(options).await.unwrap()
}

async fn run(server: &Server, database: &str, sql: &str) {
    let mut conn = PgConnection::connect(&server.url(OWNER, database)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn databases_of_one_server_can_be_migrated_at_the_same_time() {
    let scratch = Scratch::new();
    let server = server(&scratch).await;
    for round in 0..5 {
        let names: Vec<String> = (0..6).map(|n| format!("d{round}_{n}")).collect();
        for name in &names {
            server.ensure_database(name).await.unwrap();
        }
        let runs = names.iter().map(|name| {
            let url = server.url(OWNER, name);
            tokio::spawn(async move { migrate(&url, base_migrations()).await.unwrap() })
        });
        for run in futures::future::join_all(runs).await {
            assert_eq!(run.unwrap().versions.len(), base_migrations().len());
        }
        for name in &names {
            run(&server, "postgres", &format!("drop database {name}")).await;
        }
        run(&server, "postgres", "drop role siyu_app, siyu_job").await;
    }
    server.stop().await.unwrap();
}

/// What a hosted PostgreSQL gives: an owner that may create roles, and is no superuser.
#[tokio::test]
async fn an_owner_that_is_no_superuser_can_migrate_and_fill_columns() {
    let scratch = Scratch::new();
    let server = server(&scratch).await;
    run(&server, "postgres", "create role hosted login createrole").await;
    run(&server, "postgres", "create database hosted owner hosted").await;
    let url = server.url("hosted", "hosted");
    migrate(&url, &NOTES.concat()).await.unwrap();
    let db = Db::connect(&Settings::new(server.url(APP, "hosted"))).await.unwrap();
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    write(&mut tx, "before").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.tenant(merchant(2)).await.unwrap();
    assert_eq!(texts(&mut tx).await, [""; 0]);
    drop(tx);
    let fill = siyu_pg::Migration {
        version: 1001,
        name: "fill",
        sql: "update notes set text = text || ' and after'",
    };
    migrate(&url, &[fill]).await.unwrap();
    let mut owner = PgConnection::connect(&server.url(OWNER, "hosted")).await.unwrap();
    assert_eq!(texts(&mut owner).await, ["before and after"]);
    db.close().await;
    server.stop().await.unwrap();
}

/// What a careful operator gives: an owner that may not even create roles, with the roles made before.
#[tokio::test]
async fn an_owner_without_any_privilege_can_use_roles_that_exist() {
    let scratch = Scratch::new();
    let server = server(&scratch).await;
    run(
        &server,
        "postgres",
        "create role plain login; create role siyu_app login noinherit; create role siyu_job;
        grant siyu_job to siyu_app, plain",
    )
    .await;
    run(&server, "postgres", "create database plain owner plain").await;
    migrate(&server.url("plain", "plain"), &NOTES.concat()).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_role_that_could_see_all_tenants_stops_the_migration() {
    let scratch = Scratch::new();
    let server = server(&scratch).await;
    run(&server, "postgres", "create role siyu_app login superuser").await;
    server.ensure_database("unsafe").await.unwrap();
    let err = migrate(&server.url(OWNER, "unsafe"), base_migrations()).await.unwrap_err();
    let said = err.to_string();
    assert!(said.contains("siyu_app must be noinherit, siyu_app must be nosuperuser"), "{said}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn services_cannot_change_the_schema_or_bypass_its_rules() {
    let database = Database::fresh(NOTES).await;
    let refused = [
        "create table mine (n int)",
        "alter table notes disable row level security",
        "drop policy tenant on notes",
        "truncate notes",
        "set role siyu",
        "set session authorization siyu",
        "alter role siyu_app superuser",
        "insert into siyu_migrations (version, name, checksum) values (1, 'x', '')",
        "create database mine",
    ];
    for sql in refused {
        let done = sqlx::raw_sql(sql).execute(database.db().pool()).await;
        let code = done.unwrap_err().as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{sql}");
    }
}
