//! Orders through the gateway, from their placing to their payment: two lines, stock, a payment, the guarantee in the ledger,
//! facts. They are paid with the sandbox, whose books are in the same database and count in full, or at a till. The limit is
//! `pgbench` on tables like ours with the same rows, one order in two transactions.
//!
//! What follows the orders is held back while they are measured alone; then it is let go, and the time counts until member,
//! distribution and metrics have given points, bound and folded.

mod flash;
mod pace;
mod plans;
mod refunds;
mod shop;

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use siyu::host::services::Service;
use sqlx::PgPool;
use tonic::Status;

use crate::{
    Bench, Result,
    import::{caught_up, hold_followers},
    limit::pgbench_with,
    measure::{Cpu, Row, Speed, median, timed},
};
use shop::{Shop, Way};

const CALLERS: usize = 16;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;
/// Orders that refunds of a round take from.
const REFUNDED: usize = 400;

pub(crate) async fn run(bench: &Bench, dir: &Path) -> Result<Vec<Row>> {
    let shop = Shop::open(bench).await?;
    limit_tables(bench).await?;
    know_tables(bench, Service::Member).await?;
    let held = hold_followers(bench).await?;
    let mut warm = buy(bench, &shop, CALLERS).await?.1;
    refunds::warm_up(bench, &shop, &warm.split_off(warm.len() / 2)).await?;
    know_tables(bench, Service::Order).await?;
    let mut rows = one_by_one(bench, &shop).await?;
    rows.push(quotes(bench, &shop).await?);
    rows.extend(refunds::run(bench, &shop, warm).await?);
    rows.extend(flash::run(bench, &shop).await?);
    let peak = buy(bench, &shop, CALLERS).await?.0.per_second;
    rows.push(pace::run(bench, &shop, peak / 2.0, dir).await?);
    for pool in held {
        pool.close().await;
    }
    rows.push(followed(bench, &shop).await?);
    rows.extend(plans::run()?);
    Ok(rows)
}

/// Orders against `pgbench`, in turn.
async fn one_by_one(bench: &Bench, shop: &Shop) -> Result<Vec<Row>> {
    let (mut own, mut till, mut limit) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        own.push(buy(bench, shop, CALLERS).await?.0);
        till.push(buy_by(bench, shop, CALLERS, Way::Till).await?.0);
        limit.push(order_limit(bench, round)?);
    }
    let limit = median(limit);
    let row = |name: &str, own| Row::speed(name, "orders", median(own), limit, "≥ 0.6");
    Ok(vec![
        row("orders placed and paid : pgbench", own),
        row("orders placed and paid at a till : the same", till),
    ])
}

/// Which variables make the ids of a round its own.
fn base(round: usize) -> [String; 2] {
    ["i=0".to_owned(), format!("base={}", round * 500_000)]
}

fn order_limit(bench: &Bench, round: usize) -> Result<Speed> {
    let [i, base] = base(round);
    let script = include_str!("orders/order.pgbench");
    pgbench_with(bench, Service::Order, script, &["-D", &i, "-D", &base])
}

/// So many callers place orders and pay them with the sandbox, one after the other; gives their ids, too.
async fn buy(bench: &Bench, shop: &Shop, callers: usize) -> Result<(Speed, Vec<String>)> {
    buy_by(bench, shop, callers, Way::Sandbox).await
}

async fn buy_by(
    bench: &Bench,
    shop: &Shop,
    callers: usize,
    way: Way,
) -> Result<(Speed, Vec<String>)> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let callers = (0..callers).map(|_| async move {
        let mut ids = Vec::new();
        while start.elapsed() < ROUND {
            ids.push(shop.buy(NEXT.fetch_add(1, Ordering::Relaxed), way).await?);
        }
        Ok::<Vec<String>, Status>(ids)
    });
    let ids = try_join_all(callers).await?.concat();
    Ok((Speed::of(ids.len(), start, &cpu), ids))
}

/// Orders until everybody who follows them has done so, against the same limit.
async fn followed(bench: &Bench, shop: &Shop) -> Result<Row> {
    caught_up(bench).await?;
    let (mut own, mut limit) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
        let (_, ids) = buy(bench, shop, CALLERS).await?;
        caught_up(bench).await?;
        own.push(Speed::of(ids.len(), start, &cpu));
        limit.push(order_limit(bench, 20 + round)?);
    }
    let (own, limit) = (median(own), median(limit));
    Ok(Row::speed("orders followed by three services : the same", "orders", own, limit, ""))
}

/// Prices of carts, against the same selects.
async fn quotes(bench: &Bench, shop: &Shop) -> Result<Row> {
    const QUOTES: usize = 3_000;
    let (mut own, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let lanes = (0..CALLERS).map(|lane| async move {
            for n in (lane..QUOTES).step_by(CALLERS) {
                shop.quote(n).await?;
            }
            Ok::<(), Status>(())
        });
        let all = async { try_join_all(lanes).await.map(drop) };
        own.push(timed(bench.suite.postgres_pid(), QUOTES, all).await?);
        let script = include_str!("orders/quote.pgbench");
        limit.push(pgbench_with(bench, Service::Order, script, &[])?);
    }
    Ok(Row::speed(
        "quotes of two lines : the same selects",
        "quotes",
        median(own),
        median(limit),
        "",
    ))
}

/// Gathers statistics of tables that were empty until now, as PostgreSQL does by itself within a minute. Those of the limit have
/// theirs, too.
async fn know_tables(bench: &Bench, service: Service) -> Result<()> {
    let pool = PgPool::connect(&bench.suite.owner_url(service)).await?;
    sqlx::raw_sql("analyze").execute(&pool).await?;
    pool.close().await;
    Ok(())
}

/// Tables with the columns, constraints and indexes of ours, in a schema of their own.
async fn limit_tables(bench: &Bench) -> Result<()> {
    let pool = PgPool::connect(&bench.suite.owner_url(Service::Order)).await?;
    sqlx::raw_sql(include_str!("orders/limit.sql")).execute(&pool).await?;
    pool.close().await;
    Ok(())
}
