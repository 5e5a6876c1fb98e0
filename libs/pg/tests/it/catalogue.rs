//! The check of the catalogue finds each breach, and nothing in a schema that is right.

use siyu_pg::catalogue::violations;
use siyu_testkit::Database;

use crate::NOTES;

#[tokio::test]
async fn a_schema_that_keeps_the_rules_has_no_violations() {
    let database = Database::fresh(NOTES).await;
    let found = violations(&mut database.owner().await, &["ticks"]).await.unwrap();
    assert_eq!(found, [""; 0]);
}

#[tokio::test]
async fn each_breach_is_named() {
    let cases = [
        ("select 1", "ticks", "merchant_id uuid not null"),
        (
            "create table a (merchant_id uuid not null, id int); select siyu_tenant_table('a')",
            "a",
            "primary key",
        ),
        (
            "create table a (id int, merchant_id uuid, primary key (id, merchant_id));
            select siyu_tenant_table('a')",
            "a",
            "primary key",
        ),
        ("create table a (merchant_id uuid primary key)", "a", "is not enabled"),
        ("alter table notes no force row level security", "notes", "not forced"),
        ("alter table notes owner to siyu_app", "notes", "belongs to a role of the services"),
        ("drop policy tenant on notes", "notes", "policies"),
        ("create policy all_of_them on notes using (true)", "notes", "policies"),
        ("alter policy tenant on notes using (true)", "notes", "policies"),
        ("alter policy tenant on notes to public", "notes", "policies"),
        ("create unique index notes_text_key on notes (text)", "notes", "notes_text_key"),
        ("create unique index on notes (text, merchant_id)", "notes", "does not lead"),
        (
            "create table a (merchant_id uuid, n bigint, m uuid, primary key (merchant_id, n),
            constraint a_fkey foreign key (m, n) references notes (merchant_id, note_id));
            select siyu_tenant_table('a')",
            "a",
            "a_fkey",
        ),
        ("create view peep as select * from notes", "peep", "security_invoker"),
        ("create materialized view peep as select * from notes", "peep", "security_invoker"),
        (
            "create function peep() returns bigint language sql security definer
            as 'select count(*) from notes'",
            "peep",
            "security definer",
        ),
        ("drop table ticks", "ticks", "does not exist"),
    ];
    for (breach, table, fault) in cases {
        let database = Database::fresh(NOTES).await;
        let mut conn = database.owner().await;
        sqlx::raw_sql(breach).execute(&mut conn).await.unwrap();
        let listed: &[&str] = if breach == "select 1" { &[] } else { &["ticks"] };
        let found = violations(&mut conn, listed).await.unwrap();
        let named = found.iter().any(|v| v.starts_with(&format!("{table}: ")) && v.contains(fault));
        assert!(named, "{breach}: {found:?}");
    }
}
