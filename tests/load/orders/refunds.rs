//! Refunds, asked for and agreed to in one call, until the sandbox has given the cash back: of whole orders, then of one piece
//! each. `pgbench` does the same to rows like ours, one refund in two transactions.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use siyu::host::services::Service;
use siyu_proto::order::v1::{
    RefundAsk, RefundLine, RequestRefundRequest, refund_service_client::RefundServiceClient,
};
use tonic::Status;

use super::{CALLERS, REFUNDED, ROUNDS, Shop, base, buy};
use crate::{
    Bench, Result,
    limit::pgbench_with,
    measure::{Cpu, Row, Speed, median},
};

pub(super) async fn run(bench: &Bench, shop: &Shop, mut paid: Vec<String>) -> Result<Vec<Row>> {
    while paid.len() < 2 * REFUNDED * ROUNDS {
        paid.extend(buy(bench, shop, CALLERS).await?.1);
    }
    let (mut full, mut part, mut limit) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let orders = &paid[2 * REFUNDED * round..2 * REFUNDED * (round + 1)];
        let (whole, parts) = orders.split_at(REFUNDED);
        let ask = RefundAsk { whole: true, ..Default::default() };
        full.push(refund(bench, shop, whole, &ask).await?);
        let line = RefundLine { line_no: 1, quantity: 1, ..Default::default() };
        let ask = RefundAsk { lines: vec![line], ..Default::default() };
        part.push(refund(bench, shop, parts, &ask).await?);
        let [i, base] = base(round);
        let script = include_str!("refund.pgbench");
        limit.push(pgbench_with(bench, Service::Order, script, &["-D", &i, "-D", &base])?);
    }
    let limit = median(limit);
    let row = |name: &str, own| Row::speed(name, "refunds", median(own), limit, "≥ 0.6");
    Ok(vec![
        row("refunds of whole orders : pgbench", full),
        row("refunds of one piece : the same", part),
    ])
}

/// Refunds before the first round, of which nothing is measured.
pub(super) async fn warm_up(bench: &Bench, shop: &Shop, orders: &[String]) -> Result<()> {
    let ask = RefundAsk { whole: true, ..Default::default() };
    refund(bench, shop, orders, &ask).await?;
    Ok(())
}

async fn refund(bench: &Bench, shop: &Shop, orders: &[String], ask: &RefundAsk) -> Result<Speed> {
    let before = succeeded(bench).await?;
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let lanes = (0..CALLERS).map(|lane| async move {
        let mut client = RefundServiceClient::new(shop.channel.clone());
        for order_id in orders.iter().skip(lane).step_by(CALLERS) {
            let request = RequestRefundRequest {
                request_id: shop.request_id(),
                order_id: order_id.clone(),
                ask: Some(ask.clone()),
                reason: "too small".into(),
                agreed: true,
                ..Default::default()
            };
            client.request_refund(request).await?;
        }
        Ok::<(), Status>(())
    });
    try_join_all(lanes).await?;
    let wanted = before + i64::try_from(orders.len())?;
    while succeeded(bench).await? < wanted {
        if start.elapsed() > Duration::from_mins(1) {
            return Err("refunds do not come to an end".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(Speed::of(orders.len(), start, &cpu))
}

async fn succeeded(bench: &Bench) -> Result<i64> {
    let mut tx = bench.suite.db(Service::Order).tenant_read(bench.merchant_id.parse()?).await?;
    let sql = "select count(*) from refunds where state = 'succeeded'";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut *tx).await?)
}
