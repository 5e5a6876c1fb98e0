//! A flash sale: 1,000 pieces of one SKU, 5,000 buyers who want one each. Exactly 1,000 are sold, whatever the speed. The
//! limit is `pgbench` counting one row down, one transaction a piece.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Instant, SystemTime},
};

use futures::future::try_join_all;
use prost_types::Timestamp;
use siyu::host::services::Service;
use siyu_proto::order::v1::{
    CartLine, FlashSale, FlashSaleEntry, PlaceOrderRequest, SetBucketsRequest, StockBucket,
    UpsertFlashSalesRequest, checkout_service_client::CheckoutServiceClient,
    flash_sale_service_client::FlashSaleServiceClient, place_order_request::Activity,
    stock_service_client::StockServiceClient,
};
use tonic::{Code, Status};

use super::{ROUNDS, Shop, shop};
use crate::{
    Bench, Result,
    limit::pgbench,
    measure::{Cpu, Row, Speed, median},
};

const PIECES: i64 = 1_000;
const CALLERS: usize = 128;

pub(super) async fn run(bench: &Bench, shop: &Shop) -> Result<Vec<Row>> {
    let (mut answered, mut sold, mut limit) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let code = format!("flash-{round}");
        prepare(shop, &code).await?;
        let (all, until) = rush(bench, shop, &code).await?;
        answered.push(all);
        sold.push(until);
        limit.push(pgbench(bench, Service::Order, include_str!("hot.pgbench"))?);
    }
    let (answered, sold, limit) = (median(answered), median(sold), median(limit));
    Ok(vec![
        Row::speed("flash sale, pieces sold : pgbench, one row", "pieces", sold, limit, "≥ 0.7"),
        Row::speed("flash sale, buyers answered : the same", "buyers", answered, limit, "≥ 5"),
    ])
}

/// A SKU whose pieces are all set aside for its sale.
async fn prepare(shop: &Shop, code: &str) -> Result<()> {
    shop.sell(&[code.to_owned()]).await?;
    shop.receive(code, PIECES).await?;
    let bucket = StockBucket { channel: format!("flash:{code}"), quantity: PIECES };
    let request = SetBucketsRequest {
        request_id: shop.request_id(),
        sku: code.to_owned(),
        location: shop::LOCATION.into(),
        buckets: vec![bucket],
    };
    StockServiceClient::new(shop.channel.clone()).set_buckets(request).await?;
    let now = SystemTime::now();
    let sale = FlashSale {
        code: code.to_owned(),
        name: "at noon".into(),
        sku: code.to_owned(),
        unit_minor: 9_900,
        per_person: 1,
        pay_minutes: 30,
        valid_time_from: Some(Timestamp::from(now)),
        valid_time_to: Some(Timestamp::from(now + std::time::Duration::from_hours(1))),
        paused: false,
    };
    let request = UpsertFlashSalesRequest { sales: vec![sale] };
    FlashSaleServiceClient::new(shop.channel.clone()).upsert_flash_sales(request).await?;
    Ok(())
}

/// Every buyer wants a piece. Gives how fast buyers were answered, and how fast pieces went until the last one was sold.
async fn rush(bench: &Bench, shop: &Shop, code: &str) -> Result<(Speed, Speed)> {
    let pieces = usize::try_from(PIECES)?;
    let (sold, until) = (AtomicUsize::new(0), std::sync::Mutex::new(None));
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let (sold_ref, until_ref, cpu_ref) = (&sold, &until, &cpu);
    let lanes = (0..CALLERS).map(|lane| async move {
        let mut client = CheckoutServiceClient::new(shop.channel.clone());
        for person_id in shop.buyers.iter().skip(lane).step_by(CALLERS) {
            let entry = FlashSaleEntry { sale_code: code.to_owned() };
            let request = PlaceOrderRequest {
                request_id: shop.request_id(),
                person_id: person_id.clone(),
                lines: vec![CartLine { sku: code.to_owned(), quantity: 1 }],
                activity: Some(Activity::FlashSale(entry)),
                ..Default::default()
            };
            match client.place_order(request).await {
                Ok(_) if sold_ref.fetch_add(1, Ordering::Relaxed) + 1 == pieces => {
                    let speed = Speed::of(pieces, start, cpu_ref);
                    *until_ref.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                        Some(speed);
                }
                Ok(_) => {}
                Err(refused) if refused.code() == Code::FailedPrecondition => {}
                Err(status) => return Err(status),
            }
        }
        Ok::<(), Status>(())
    });
    try_join_all(lanes).await?;
    let all = Speed::of(shop.buyers.len(), start, &cpu);
    let until = until.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if sold.into_inner() != pieces {
        return Err("a flash sale sold another number of pieces than there were".into());
    }
    Ok((all, until.ok_or("not every piece was sold")?))
}
