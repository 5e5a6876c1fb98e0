//! How long an order takes at half of the service's own peak, when orders come at their own pace and wait for nobody: from
//! the instant at which it should have begun to its payment. `pgbench` begins as many orders a second.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use siyu::host::services::Service;
use tokio::sync::Semaphore;
use tonic::Status;

use super::{Shop, Way, base};
use crate::{
    Bench, Result, limit,
    measure::{Row, as_f64, median_f64, percentile},
};

/// Calls at once at most: fewer than the gateway refuses. Who waits for a place is late all the same.
const IN_FLIGHT: usize = 128;
const SECONDS: u32 = 8;
const ROUNDS: usize = 3;
/// Orders before those of the other parts, so that every one is another.
const FIRST: usize = 10_000_000;

pub(super) async fn run(bench: &Bench, shop: &Shop, rate: f64, dir: &Path) -> Result<Row> {
    let (mut own, mut limit) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        own.push(percentile(&orders(shop, rate, round).await?, 99));
        let [i, base] = base(10 + round);
        let script = (Service::Order, include_str!("order.pgbench"));
        let more = ["-D", i.as_str(), "-D", base.as_str()];
        let took = limit::paced(bench, script, (rate, SECONDS), &more, &dir.join("paced"))?;
        limit.push(percentile(&took, 99));
    }
    let (own, limit) = (median_f64(own), median_f64(limit));
    Ok(Row {
        name: format!("p99 of an order at {rate:.0} orders/s (time)"),
        value: format!("{own:.1} ms"),
        limit: format!("{limit:.1} ms"),
        ratio: Some(own / limit),
        aim: "≤ 2",
        cpu_ms: None,
        limit_cpu_ms: None,
    })
}

/// Places and pays orders at a rate; gives how long each took in milliseconds, sorted.
async fn orders(shop: &Shop, rate: f64, round: usize) -> Result<Vec<f64>> {
    let count = (0..u32::MAX).take_while(|n| f64::from(*n) < rate * f64::from(SECONDS)).count();
    let start = Instant::now();
    let places = &Semaphore::new(IN_FLIGHT);
    let order = |n: usize| async move {
        let due = as_f64(u64::try_from(n).unwrap_or(0)) / rate;
        let due = start + Duration::from_secs_f64(due);
        tokio::time::sleep_until(due.into()).await;
        let _place = places.acquire().await;
        shop.buy(FIRST * (round + 1) + n, Way::Sandbox).await?;
        Ok::<f64, Status>(due.elapsed().as_secs_f64() * 1_000.0)
    };
    let mut took = try_join_all((0..count).map(order)).await?;
    took.sort_by(f64::total_cmp);
    Ok(took)
}
