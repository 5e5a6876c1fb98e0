//! The library against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "tests spawn and wait on their own")]

mod catalogue;
mod coalescing;
mod errors;
mod idempotency;
mod migrations;
mod recovery;
mod roles;
mod server;
mod transactions;

use siyu_pg::{Migration, base_migrations};

/// A schema with one table of tenants and one of the machinery.
static NOTES: &[&[Migration]] = &[
    base_migrations(),
    &[Migration {
        version: 1000,
        name: "create_notes",
        sql: "create table notes (
                merchant_id uuid not null,
                note_id bigserial not null,
                text text not null,
                constraint notes_pkey primary key (merchant_id, note_id),
                constraint notes_merchant_id_text_key unique (merchant_id, text),
                constraint notes_text_check check (text <> '')
            );
            select siyu_tenant_table('notes');
            create table ticks (tick_id bigserial primary key, merchant_id uuid);
            select siyu_system_table('ticks');",
    }],
];

async fn write(conn: &mut sqlx::PgConnection, text: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into notes (merchant_id, text)
        values (nullif(current_setting('siyu.merchant_id', true), '')::uuid, $1)",
    )
    .bind(text)
    .execute(conn)
    .await
    .map(drop)
}

async fn texts(conn: &mut sqlx::PgConnection) -> Vec<String> {
    sqlx::query_scalar("select text from notes order by text").fetch_all(conn).await.unwrap()
}
