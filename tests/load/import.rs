//! Orders through gRPC against raw multi-row INSERTs of the same rows into tables like ours, in batches of the same size. The
//! import also finds the buyers, compares versions and publishes; while it runs, member, distribution and metrics follow.

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use prost_types::Timestamp;
use siyu::host::services::Service;
use siyu_proto::{
    order::v1::{ExternalOrder, ImportOrdersRequest, OrderLine},
    r#type::v1::Money,
};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::{
    Bench, Result,
    measure::{Row, median, timed},
};

const ORDERS: usize = 15_000;
const BATCH: usize = 500;
const AT_ONCE: usize = 4;
const ROUNDS: usize = 3;

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let (mut own, mut limit) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let orders = orders(round);
        own.push(timed(bench.suite.postgres_pid(), ORDERS, import(bench, &orders)).await?);
        let pool = owner(bench).await?;
        let rows = copy(&pool).await?;
        limit.push(timed(bench.suite.postgres_pid(), ORDERS, insert(&pool, &rows)).await?);
        pool.close().await;
    }
    Ok(vec![Row::speed(
        "import of orders, gRPC : raw INSERT",
        "orders",
        median(own),
        median(limit),
        "≥ 0.5",
    )])
}

fn orders(round: usize) -> Vec<ExternalOrder> {
    let order = |n: usize| ExternalOrder {
        platform: "bench".into(),
        shop_id: format!("round-{round}"),
        order_no: format!("{n:06}"),
        buyer_id: format!("{}", n % 5_000),
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

async fn owner(bench: &Bench) -> Result<PgPool> {
    let pool = PgPool::connect(&bench.suite.owner_url(Service::Order)).await?;
    let statements = [
        "create schema if not exists bench",
        "drop table if exists bench.orders, bench.order_lines, bench.event_log",
        "create table bench.orders (like public.orders including all)",
        "create table bench.order_lines (like public.order_lines including all)",
        "create table bench.event_log (like public.event_log including all)",
    ];
    for statement in statements {
        sqlx::raw_sql(statement).execute(&pool).await?;
    }
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

async fn insert(pool: &PgPool, batches: &[Columns]) -> Result<()> {
    let merchant = Uuid::from_u128(1);
    let lanes = (0..AT_ONCE).map(|lane| async move {
        for batch in batches.iter().skip(lane).step_by(AT_ONCE) {
            let mut tx = pool.begin().await?;
            insert_batch(&mut tx, merchant, batch).await?;
            tx.commit().await?;
        }
        Ok::<(), sqlx::Error>(())
    });
    try_join_all(lanes).await?;
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
