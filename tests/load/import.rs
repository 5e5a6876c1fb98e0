//! Orders through gRPC against raw multi-row INSERTs of the same rows into tables like ours, in batches of the same size:
//! orders, lines and facts, and the persons, keys and facts of the buyers who are new. The import also reads the messages,
//! finds the buyers and compares versions. First with those who follow the orders held back, so that the import is measured
//! alone; then they are let go, and the time counts until member, distribution and metrics have posted, bound and folded.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use prost_types::Timestamp;
use siyu::host::services::Service;
use siyu_proto::{
    metrics::v1::GetSalesRequest,
    order::v1::{ExternalOrder, ImportOrdersRequest, OrderLine},
    r#type::v1::Money,
};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::{
    Bench, Result,
    measure::{Row, median, timed},
};

const ORDERS: usize = 15_000;
const BUYERS: usize = 5_000;
const BATCH: usize = 500;
const AT_ONCE: usize = 4;
const ROUNDS: usize = 3;

/// Those who follow what orders tell, or what follows from it.
const FOLLOWERS: [Service; 3] = [Service::Member, Service::Distribution, Service::Metrics];

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let (mut own, mut followed, mut limit) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let orders = orders(round);
        let held = hold_followers(bench).await?;
        own.push(timed(bench.suite.postgres_pid(), ORDERS, import(bench, &orders)).await?);
        let rest = async {
            for pool in held {
                pool.close().await;
            }
            caught_up(bench).await
        };
        followed.push(timed(bench.suite.postgres_pid(), ORDERS, rest).await?);
        let (order, member) =
            (tables(bench, Service::Order).await?, tables(bench, Service::Member).await?);
        let rows = copy(&order).await?;
        let raw = insert(&order, &member, &rows);
        limit.push(timed(bench.suite.postgres_pid(), ORDERS, raw).await?);
        order.close().await;
        member.close().await;
    }
    let limit = median(limit);
    Ok(vec![
        Row::speed("import of orders, gRPC : raw INSERT", "orders", median(own), limit, "≥ 0.5"),
        Row::speed(
            "orders followed by three services : the same",
            "orders",
            median(followed),
            limit,
            "",
        ),
    ])
}

/// Locks the cursors of those who follow, each in a transaction that ends with its pool. The lock is of the table: a lock of
/// rows would give the transaction a number, and nothing that died after it would be cleared from any table.
pub(crate) async fn hold_followers(bench: &Bench) -> Result<Vec<PgPool>> {
    let mut held = Vec::new();
    for service in FOLLOWERS {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect(&bench.suite.owner_url(service))
            .await?;
        sqlx::raw_sql("begin; lock table event_cursors in exclusive mode").execute(&pool).await?;
        held.push(pool);
    }
    Ok(held)
}

/// Waits until everybody has handled what stood in the logs of the others, and metrics has folded it.
pub(crate) async fn caught_up(bench: &Bench) -> Result<()> {
    let mut order = PgConnection::connect(&bench.suite.owner_url(Service::Order)).await?;
    let sql = "select count(*) from event_log";
    let told: i64 = sqlx::query_scalar(sql).fetch_one(&mut order).await?;
    for service in FOLLOWERS {
        let mut own = PgConnection::connect(&bench.suite.owner_url(service)).await?;
        let sql = "select coalesce(min(position), 0) from event_cursors where source = 'order'";
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut own).await? < told {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    bench.client.sales().get_sales(GetSalesRequest::default()).await?;
    Ok(())
}

fn orders(round: usize) -> Vec<ExternalOrder> {
    let order = |n: usize| ExternalOrder {
        platform: "bench".into(),
        shop_id: format!("round-{round}"),
        order_no: format!("{n:06}"),
        buyer_id: format!("{}", n % BUYERS),
        pay_time: Some(Timestamp {
            seconds: 1_600_000_000 + i64::try_from(n * 1_000).unwrap_or(0),
            nanos: 0,
        }),
        lines: vec![OrderLine {
            line_no: 1,
            quantity: 1,
            paid: Some(Money { currency_code: "CNY".into(), minor_units: 1_990 }),
            ..Default::default()
        }],
        ..Default::default()
    };
    (0..ORDERS).map(order).collect()
}

async fn import(bench: &Bench, orders: &[ExternalOrder]) -> Result<()> {
    let batches: Vec<&[ExternalOrder]> = orders.chunks(BATCH).collect();
    let lanes = (0..AT_ONCE).map(|lane| {
        let mine: Vec<&[ExternalOrder]> =
            batches.iter().skip(lane).step_by(AT_ONCE).copied().collect();
        async move {
            for batch in mine {
                let request = ImportOrdersRequest { orders: batch.to_vec() };
                bench.client.imports().import_orders(request).await?;
            }
            Ok::<(), tonic::Status>(())
        }
    });
    try_join_all(lanes).await?;
    Ok(())
}

/// Empty tables like those that an import writes to in the database of a service.
async fn tables(bench: &Bench, service: Service) -> Result<PgPool> {
    let pool = PgPool::connect(&bench.suite.owner_url(service)).await?;
    let order = "drop table if exists bench.orders, bench.order_lines, bench.event_log;
        create table bench.orders (like public.orders including all);
        create table bench.order_lines (like public.order_lines including all);
        create table bench.event_log (like public.event_log including all)";
    let member = "drop table if exists bench.persons, bench.identities, bench.event_log;
        create table bench.persons (like public.persons including all);
        create table bench.identities (like public.identities including all);
        create table bench.event_log (like public.event_log including all)";
    sqlx::raw_sql("create schema if not exists bench").execute(&pool).await?;
    let sql = if service == Service::Order { order } else { member };
    sqlx::raw_sql(sql).execute(&pool).await?;
    Ok(pool)
}

/// The rows that an import wrote, one batch of columns after the other.
struct Columns {
    ids: Vec<Uuid>,
    numbers: Vec<String>,
    persons: Vec<Uuid>,
    paid: Vec<DateTime<Utc>>,
    data: Vec<Vec<u8>>,
}

async fn copy(pool: &PgPool) -> Result<Vec<Columns>> {
    let rows = sqlx::query(
        "select o.id, o.platform_order_no, o.person_id, o.paid_at, e.data
        from public.orders o
        join public.event_log e on e.event_seq <= 15000 and e.event_seq = (
            select min(event_seq) from public.event_log)
        order by o.id desc
        limit $1",
    )
    .bind(i64::try_from(ORDERS)?)
    .fetch_all(pool)
    .await?;
    let columns = |rows: &[sqlx::postgres::PgRow]| Columns {
        ids: rows.iter().map(|row| row.get(0)).collect(),
        numbers: rows.iter().map(|row| row.get(1)).collect(),
        persons: rows.iter().map(|row| row.get(2)).collect(),
        paid: rows.iter().map(|row| row.get(3)).collect(),
        data: rows.iter().map(|row| row.get(4)).collect(),
    };
    Ok(rows.chunks(BATCH).map(columns).collect())
}

async fn insert(order: &PgPool, member: &PgPool, batches: &[Columns]) -> Result<()> {
    let merchant = Uuid::from_u128(1);
    let lanes = (0..AT_ONCE).map(|lane| async move {
        for (n, batch) in batches.iter().enumerate().skip(lane).step_by(AT_ONCE) {
            // The first orders are of buyers whom nobody knows yet.
            if n * BATCH < BUYERS {
                let mut tx = member.begin().await?;
                insert_buyers(&mut tx, merchant, batch).await?;
                tx.commit().await?;
            }
            let mut tx = order.begin().await?;
            insert_batch(&mut tx, merchant, batch).await?;
            tx.commit().await?;
        }
        Ok::<(), sqlx::Error>(())
    });
    try_join_all(lanes).await?;
    Ok(())
}

async fn insert_buyers(
    conn: &mut sqlx::PgConnection,
    merchant: Uuid,
    batch: &Columns,
) -> sqlx::Result<()> {
    let statements = [
        "insert into bench.persons (merchant_id, id, growth, tier, created_at)
        select $1, n.id, 0, 1, now() from unnest($2::uuid[], $3::text[]) as n (id, no)",
        "insert into bench.identities (merchant_id, kind, scope, value, person_id, created_at)
        select $1, 'platform_buyer', 'bench/raw', n.no, n.id, now() from unnest($2::uuid[], $3::text[]) as n (id, no)",
        "insert into bench.event_log (event_id, merchant_id, type, subject, occurred_at, trace_parent, data)
        select n.id, $1, 'siyu.member.v1.PersonCreated', n.id::text, now(), '', n.no::bytea
        from unnest($2::uuid[], $3::text[]) as n (id, no)",
    ];
    for statement in statements {
        sqlx::query(statement)
            .bind(merchant)
            .bind(&batch.ids)
            .bind(&batch.numbers)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn insert_batch(
    conn: &mut sqlx::PgConnection,
    merchant: Uuid,
    batch: &Columns,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into bench.orders (merchant_id, id, platform, shop_id, platform_order_no, person_id, state, domain, channel,
            paid_at, currency, paid_minor, subsidy_minor, quantity, revision, version, told, created_at)
        select $1, n.id, 'bench', 'raw', n.no, n.person, 'paid', 'private', '', n.paid, 'CNY', 1990, 0, 1, 1, n.paid,
            true, now()
        from unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[]) as n (id, no, person, paid)",
    )
    .bind(merchant)
    .bind(&batch.ids)
    .bind(&batch.numbers)
    .bind(&batch.persons)
    .bind(&batch.paid)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into bench.order_lines (merchant_id, order_id, line_no, sku, category, quantity, paid_minor, version)
        select $1, n.id, 1, '', '', 1, 1990, n.paid from unnest($2::uuid[], $3::timestamptz[]) as n (id, paid)",
    )
    .bind(merchant)
    .bind(&batch.ids)
    .bind(&batch.paid)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into bench.event_log (event_id, merchant_id, type, subject, occurred_at, trace_parent, data)
        select n.id, $1, 'siyu.order.v1.OrderPaid', n.id::text, n.paid, '', n.data
        from unnest($2::uuid[], $3::timestamptz[], $4::bytea[]) as n (id, paid, data)",
    )
    .bind(merchant)
    .bind(&batch.ids)
    .bind(&batch.paid)
    .bind(&batch.data)
    .execute(&mut *conn)
    .await?;
    Ok(())
}
