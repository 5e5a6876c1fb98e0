use siyu_pg::catalogue;

use crate::world::World;

#[tokio::test]
async fn every_table_belongs_to_a_tenant() {
    let world = World::new().await;
    let mut owner = world.database.owner().await;
    let breaches = catalogue::violations(&mut owner, siyu_events::SYSTEM_TABLES).await.unwrap();
    assert_eq!(breaches, Vec::<String>::new());
}

#[tokio::test]
async fn every_column_says_what_it_holds() {
    let world = World::new().await;
    let mut owner = world.database.owner().await;
    let mute: Vec<String> = sqlx::query_scalar(
        "select c.relname || '.' || a.attname
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relname in ('campaigns', 'messages', 'receipts', 'sandbox_messages')
            and col_description(c.oid, a.attnum) is null",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(mute, Vec::<String>::new());
}
