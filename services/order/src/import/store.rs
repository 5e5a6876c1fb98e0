//! The SQL of imports and nothing else. Every statement takes a whole batch. Look-ups go key by key (`cross join lateral`):
//! a join or `= any` may be planned as a scan of everything that the merchant has while statistics lag behind, which is
//! just when much is imported.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{Merchant, Person, Quarantine},
};
use siyu_pg::{Lock, Tx};
use siyu_proto::order::v1::ExternalOrder;
use uuid::Uuid;

use super::{
    domain::{Change, Key, Known, Position},
    refund::Taken,
};
use crate::order::domain::{Line, OrderId, State};

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// An order that was put aside.
#[derive(Debug, sqlx::FromRow)]
pub struct QuarantinedRow {
    /// The row.
    pub id: Id<Quarantine>,
    /// The platform's version, or when the order came where it names no instant.
    pub version: DateTime<Utc>,
    /// The encoded order; without the buyer's id where the person's data were erased.
    pub payload: Vec<u8>,
    /// Who bought; none where nobody asked when it came.
    pub person_id: Option<Id<Person>>,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

/// A row to put aside.
#[derive(Debug)]
pub struct Aside {
    /// The row.
    pub id: Uuid,
    /// The order on its platform.
    pub key: Key,
    /// The word that nobody knows.
    pub status: String,
    /// The platform's version.
    pub version: DateTime<Utc>,
    /// Who bought.
    pub person_id: Id<Person>,
    /// The order.
    pub order: ExternalOrder,
}

#[derive(sqlx::FromRow)]
struct PositionRow {
    order_id: OrderId,
    #[sqlx(flatten)]
    position: Position,
}

/// The door of orders that come in.
const IMPORTED: Lock = Lock::new("order.imported");

/// Lets orders come in until the transaction ends: whoever [shuts](shut) the door waits so long.
pub async fn enter(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    IMPORTED.share(tx).await
}

/// Lets no order come in until the transaction ends, for what is kept of orders that may not be there yet: whoever writes it and
/// an order that comes at the same moment see one another.
pub async fn shut(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    IMPORTED.take(tx).await
}

/// Locks the orders that exist among `keys`, which are sorted, so that two imports never wait for each other.
pub async fn lock(tx: &mut Tx, keys: &[&Key]) -> Result<Vec<Known>, siyu_pg::Error> {
    let orders = sqlx::query_as(
        "select o.*
        from unnest($2::text[], $3::text[], $4::text[]) as k (platform, shop_id, order_no)
        cross join lateral (
            select id, platform, shop_id, platform_order_no, person_id, state, domain, channel, store_id, paid_at,
                paid_version, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at,
                platform_state
            from orders
            where merchant_id = $1 and platform = k.platform and shop_id = k.shop_id
                and platform_order_no = k.order_no
            limit 1
            for update
        ) as o",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|k| k.platform.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|k| k.shop_id.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|k| k.order_no.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(orders)
}

/// The lines of many orders, with what refunds took from them.
pub async fn positions(
    tx: &mut Tx,
    ids: &[OrderId],
) -> Result<HashMap<OrderId, Vec<Position>>, siyu_pg::Error> {
    let rows: Vec<PositionRow> = sqlx::query_as(
        "select l.*
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, line_no, sku, category, quantity, paid_minor, version, refunded_minor, refunded_quantity
            from order_lines
            where merchant_id = $1 and order_id = k.order_id
            offset 0
        ) as l",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    let mut positions: HashMap<OrderId, Vec<Position>> = HashMap::new();
    for row in rows {
        positions.entry(row.order_id).or_default().push(row.position);
    }
    Ok(positions)
}

/// Inserts orders; returns how many were new. Fewer than given: another import was faster, and the batch starts anew.
pub async fn insert(tx: &mut Tx, changes: &[&Change]) -> Result<u64, siyu_pg::Error> {
    let query = sqlx::query(
        "insert into orders (merchant_id, id, platform, shop_id, platform_order_no, person_id, state, domain, channel,
            store_id, paid_at, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at,
            paid_version, platform_state)
        select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[],
            $9::text[], $10::uuid[], $11::timestamptz[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[],
            $16::bigint[], $17::timestamptz[], $18::boolean[], $19::timestamptz[], $20::timestamptz[], $21::text[])
        on conflict on constraint orders_platform_order_no_key do nothing",
    );
    Ok(bind(query, tx.merchant(), changes).execute(&mut **tx).await?.rows_affected())
}

/// Binds the merchant and every column of the orders.
fn bind<'q>(query: Query<'q>, merchant: Id<Merchant>, changes: &'q [&Change]) -> Query<'q> {
    let orders = || changes.iter().map(|change| &change.order);
    query
        .bind(merchant)
        .bind(orders().map(|o| o.id).collect::<Vec<_>>())
        .bind(orders().map(|o| o.platform.as_str()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.shop_id.as_str()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.platform_order_no.as_str()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.person_id).collect::<Vec<_>>())
        .bind(orders().map(|o| o.state.as_str()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.domain.as_str()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.channel.as_str()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.store_id).collect::<Vec<_>>())
        .bind(orders().map(|o| o.paid_at).collect::<Vec<_>>())
        .bind(orders().map(|o| o.currency.0.code()).collect::<Vec<_>>())
        .bind(orders().map(|o| o.paid_minor).collect::<Vec<_>>())
        .bind(orders().map(|o| o.subsidy_minor).collect::<Vec<_>>())
        .bind(orders().map(|o| o.quantity).collect::<Vec<_>>())
        .bind(orders().map(|o| o.revision).collect::<Vec<_>>())
        .bind(orders().map(|o| o.version).collect::<Vec<_>>())
        .bind(orders().map(|o| o.told).collect::<Vec<_>>())
        .bind(orders().map(|o| o.created_at).collect::<Vec<_>>())
        .bind(orders().map(|o| o.paid_version).collect::<Vec<_>>())
        .bind(changes.iter().map(|c| c.platform_state).collect::<Vec<_>>())
}

/// Saves orders that were locked before. They exist: written as an upsert because an update from a list may be planned as
/// a scan of all orders of the merchant.
pub async fn save(tx: &mut Tx, changes: &[&Change]) -> Result<(), siyu_pg::Error> {
    let query = sqlx::query(
        "insert into orders (merchant_id, id, platform, shop_id, platform_order_no, person_id, state, domain, channel,
            store_id, paid_at, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at,
            paid_version, platform_state)
        select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[],
            $9::text[], $10::uuid[], $11::timestamptz[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[],
            $16::bigint[], $17::timestamptz[], $18::boolean[], $19::timestamptz[], $20::timestamptz[], $21::text[])
        on conflict on constraint orders_pkey do update
        set person_id = excluded.person_id, state = excluded.state, domain = excluded.domain,
            channel = excluded.channel, store_id = excluded.store_id, paid_at = excluded.paid_at,
            paid_minor = excluded.paid_minor, subsidy_minor = excluded.subsidy_minor,
            quantity = excluded.quantity, revision = excluded.revision, version = excluded.version,
            told = excluded.told, paid_version = excluded.paid_version, platform_state = excluded.platform_state
        where orders.revision = excluded.revision - 1",
    );
    let done = bind(query, tx.merchant(), changes).execute(&mut **tx).await?;
    assert_eq!(done.rows_affected(), changes.len() as u64, "locked orders keep their revision");
    Ok(())
}

/// Writes the lines that are new or other.
pub async fn save_lines(tx: &mut Tx, changes: &[Change]) -> Result<(), siyu_pg::Error> {
    let dirty: Vec<(OrderId, &Line, Taken)> = changes
        .iter()
        .flat_map(|change| {
            let is_dirty = |line: &&Line| change.dirty_lines.contains(&line.line_no);
            let of = |line: &Line| change.taken.get(&line.line_no).copied().unwrap_or_default();
            change.lines.iter().filter(is_dirty).map(move |line| (change.order.id, line, of(line)))
        })
        .collect();
    sqlx::query(
        "insert into order_lines (merchant_id, order_id, line_no, sku, category, quantity, paid_minor, version,
            refunded_minor, refunded_quantity)
        select $1, * from unnest($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
            $8::timestamptz[], $9::bigint[], $10::bigint[])
        on conflict on constraint order_lines_pkey do update
        set sku = excluded.sku, category = excluded.category, quantity = excluded.quantity,
            paid_minor = excluded.paid_minor, version = excluded.version, refunded_minor = excluded.refunded_minor,
            refunded_quantity = excluded.refunded_quantity",
    )
    .bind(tx.merchant())
    .bind(dirty.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(_, line, _)| line.line_no).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(_, line, _)| line.sku.as_str()).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(_, line, _)| line.category.as_str()).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(_, line, _)| line.quantity).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(_, line, _)| line.paid_minor).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(_, line, _)| line.version).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(.., taken)| taken.minor).collect::<Vec<_>>())
    .bind(dirty.iter().map(|(.., taken)| taken.quantity).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What the words of platforms mean to the merchant.
pub async fn mappings(tx: &mut Tx) -> Result<HashMap<(String, String), State>, siyu_pg::Error> {
    let rows: Vec<(String, String, State)> = sqlx::query_as(
        "select platform, status, state from status_mappings where merchant_id = $1",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|(platform, status, state)| ((platform, status), state)).collect())
}

/// Says what a word means.
pub async fn set_mapping(
    tx: &mut Tx,
    platform: &str,
    status: &str,
    state: State,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into status_mappings (merchant_id, platform, status, state) values ($1, $2, $3, $4)
        on conflict on constraint status_mappings_pkey do update set state = excluded.state",
    )
    .bind(tx.merchant())
    .bind(platform)
    .bind(status)
    .bind(state.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts orders aside, each with its encoded form; the same version of an order only once.
pub async fn put_aside(
    tx: &mut Tx,
    aside: &[&Aside],
    payloads: Vec<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into quarantined_orders
            (merchant_id, id, platform, shop_id, platform_order_no, status, version, payload, person_id, created_at)
        select $1, k.*, $10 from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[], $8::bytea[], $9::uuid[]) as k
        on conflict on constraint quarantined_orders_version_key
        do update set payload = excluded.payload, person_id = excluded.person_id",
    )
    .bind(tx.merchant())
    .bind(aside.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind(aside.iter().map(|row| row.key.platform.as_str()).collect::<Vec<_>>())
    .bind(aside.iter().map(|row| row.key.shop_id.as_str()).collect::<Vec<_>>())
    .bind(aside.iter().map(|row| row.key.order_no.as_str()).collect::<Vec<_>>())
    .bind(aside.iter().map(|row| row.status.as_str()).collect::<Vec<_>>())
    .bind(aside.iter().map(|row| row.version).collect::<Vec<_>>())
    .bind(payloads)
    .bind(aside.iter().map(|row| row.person_id).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was put aside after a cursor, oldest first.
pub async fn list_aside(
    tx: &mut Tx,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<QuarantinedRow>, siyu_pg::Error> {
    let (after_created, after_id) = after.unzip();
    let rows = sqlx::query_as(
        "select id, version, payload, person_id, created_at
        from quarantined_orders
        where merchant_id = $1 and ($2::timestamptz is null or (created_at, id) > ($2, $3::uuid))
        order by created_at, id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(after_created)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Locks what was put aside for one word of one platform after a place, by version.
pub async fn lock_aside(
    tx: &mut Tx,
    (platform, status): (&str, &str),
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<QuarantinedRow>, siyu_pg::Error> {
    let (after_version, after_id) = after.unzip();
    let rows = sqlx::query_as(
        "select id, version, payload, person_id, created_at
        from quarantined_orders
        where merchant_id = $1 and platform = $2 and status = $3
            and ($4::timestamptz is null or (version, id) > ($4, $5::uuid))
        order by version, id
        limit $6
        for update",
    )
    .bind(tx.merchant())
    .bind(platform)
    .bind(status)
    .bind(after_version)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Removes rows that were imported after all.
pub async fn release(tx: &mut Tx, ids: &[Id<Quarantine>]) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from quarantined_orders where merchant_id = $1 and id = any($2::uuid[])")
        .bind(tx.merchant())
        .bind(ids)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What was put aside of persons, locked in the order of the ids.
pub async fn lock_aside_of(
    tx: &mut Tx,
    persons: &[Id<Person>],
) -> Result<Vec<QuarantinedRow>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select q.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, version, payload, person_id, created_at
            from quarantined_orders
            where merchant_id = $1 and person_id = k.id and person_id is not null
            order by id
            for update
        ) as q",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Keeps another form of an order that was put aside.
pub async fn save_aside(
    tx: &mut Tx,
    id: Id<Quarantine>,
    payload: &[u8],
) -> Result<(), siyu_pg::Error> {
    sqlx::query("update quarantined_orders set payload = $3 where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .bind(payload)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
