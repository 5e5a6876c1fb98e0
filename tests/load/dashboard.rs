//! The questions of a dashboard over one year, for merchants with a hundred thousand and with a million orders, against the
//! same questions asked of the facts in SQL. Facts are written straight into the store of metrics; asking goes by gRPC.

use std::time::Instant;

use siyu::host::services::Service;
use siyu_proto::{
    gateway::v1::CreateTokenRequest,
    member::v1::CreateMerchantRequest,
    metrics::v1::{GetCohortsRequest, GetDormancyRequest, GetRepeatRequest, GetSalesRequest},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Bench, Result, client,
    measure::{Row, median_f64},
};

const ASKED: usize = 21;
const FROM: &str = "2023-01-01";
const TO: &str = "2024-01-01";

/// One merchant with its orders.
struct Shop {
    client: siyu::client::Client,
    merchant: Uuid,
}

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let small = shop(bench, 100_000).await?;
    let large = shop(bench, 1_000_000).await?;
    let pool = PgPool::connect(&bench.suite.owner_url(Service::Metrics)).await?;
    sqlx::raw_sql("analyze order_facts").execute(&pool).await?;
    let (small_ms, large_ms) = (ask(&small).await?, ask(&large).await?);
    let (small_new, large_new) =
        (ask_after_change(&pool, &small).await?, ask_after_change(&pool, &large).await?);
    let sql_ms = sql(&pool, &large).await?;
    pool.close().await;
    let ms = |ms: f64| format!("{ms:.2} ms");
    let row = |name: &str, own: f64, limit: f64, ratio: f64, aim| Row {
        name: name.to_owned(),
        value: ms(own),
        limit: ms(limit),
        ratio: Some(ratio),
        aim,
        cpu_ms: None,
        limit_cpu_ms: None,
    };
    Ok(vec![
        row(
            "dashboard, 1 M orders : 0.1 M (time)",
            large_ms,
            small_ms,
            large_ms / small_ms,
            "flat, 1.0",
        ),
        row(
            "the same right after a new order (time)",
            large_new,
            small_new,
            large_new / small_new,
            "",
        ),
        row(
            "dashboard, 1 M orders: SQL on facts : ours",
            large_ms,
            sql_ms,
            sql_ms / large_ms,
            "more is better",
        ),
    ])
}

async fn shop(bench: &Bench, orders: i32) -> Result<Shop> {
    let operator = client(&bench.suite, bench.suite.operator_token()).await?;
    let request = CreateMerchantRequest {
        name: format!("{orders}"),
        zone: "UTC".into(),
        ..Default::default()
    };
    let merchant = operator.merchants().create_merchant(request).await?.into_inner().merchant;
    let merchant_id = merchant.ok_or("no merchant")?.id;
    let request = CreateTokenRequest {
        merchant_id: merchant_id.clone(),
        name: "b".into(),
        ..Default::default()
    };
    let token = operator.tokens().create_token(request).await?.into_inner().secret;
    let merchant = merchant_id.parse::<siyu_kernel::Id<siyu_kernel::kind::Merchant>>()?.uuid();
    let pool = PgPool::connect(&bench.suite.owner_url(Service::Metrics)).await?;
    let shop = Shop { client: client(&bench.suite, &token).await?, merchant };
    fill(&pool, &shop, orders).await?;
    pool.close().await;
    Ok(shop)
}

/// Orders over two years by a fifth as many persons, spread without a pattern that a bitmap could profit from.
async fn fill(pool: &PgPool, shop: &Shop, orders: i32) -> Result<()> {
    let statements = [
        "insert into merchants (merchant_id, zone, currency, facts_version, folded_version, persons)
            values ($1, 'UTC', 'CNY', 1, 0, $2 / 5) on conflict (merchant_id) do update set persons = excluded.persons",
        "insert into order_facts (merchant_id, order_id, revision, counts, person, day, paid_at, amount_minor, units,
                domain, categories)
            select $1, gen_random_uuid(), 1, true, hashint4(n) & 2147483647 % ($2 / 5), 18993 + (hashint4(n + 7) & 1048575) % 730,
                timestamptz '2022-01-01 12:00Z' + ((hashint4(n + 7) & 1048575) % 730) * interval '1 day',
                1000 + n % 9000, 1, 'private', '{}'
            from generate_series(1, $2) n",
        "insert into dirty_days (merchant_id, day) select distinct merchant_id, day from order_facts where merchant_id = $1
            and $2 > 0 on conflict do nothing",
    ];
    for statement in statements {
        let statement = statement.replace(
            "hashint4(n) & 2147483647 % ($2 / 5)",
            "(hashint4(n) & 2147483647) % ($2 / 5)",
        );
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(shop.merchant)
            .bind(orders)
            .execute(pool)
            .await?;
    }
    Ok(())
}

async fn ask(shop: &Shop) -> Result<f64> {
    questions(shop).await?;
    let mut times = Vec::new();
    for _ in 0..ASKED {
        let start = Instant::now();
        questions(shop).await?;
        times.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median_f64(times))
}

/// One order more before each question: the day is folded again before the answer.
async fn ask_after_change(pool: &PgPool, shop: &Shop) -> Result<f64> {
    let mut times = Vec::new();
    for n in 0..7 {
        sqlx::query("update order_facts set amount_minor = amount_minor + 1 where merchant_id = $1 and order_id = (
            select order_id from order_facts where merchant_id = $1 and day = 19500 + $2 limit 1)")
            .bind(shop.merchant)
            .bind(n)
            .execute(pool)
            .await?;
        sqlx::query("insert into dirty_days (merchant_id, day) values ($1, 19500 + $2) on conflict do nothing")
            .bind(shop.merchant)
            .bind(n)
            .execute(pool)
            .await?;
        let start = Instant::now();
        questions(shop).await?;
        times.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median_f64(times))
}

async fn questions(shop: &Shop) -> Result<()> {
    let (from_day, to_day) = (FROM.to_owned(), TO.to_owned());
    let client = &shop.client;
    let sales = GetSalesRequest { from_day: from_day.clone(), to_day: to_day.clone() };
    client.sales().get_sales(sales).await?;
    let repeat = GetRepeatRequest {
        from_day: from_day.clone(),
        to_day: to_day.clone(),
        ..Default::default()
    };
    client.retention().get_repeat(repeat).await?;
    let cohorts = GetCohortsRequest {
        from_day: from_day.clone(),
        to_day: to_day.clone(),
        ..Default::default()
    };
    client.retention().get_cohorts(cohorts).await?;
    let dormancy = GetDormancyRequest { from_day, to_day, ..Default::default() };
    client.retention().get_dormancy(dormancy).await?;
    Ok(())
}

/// The same year in SQL: totals, months, distinct buyers, who bought on two days, cohorts by month.
async fn sql(pool: &PgPool, shop: &Shop) -> Result<f64> {
    let statements = [
        "select count(*), sum(amount_minor), count(distinct person) from order_facts
            where merchant_id = $1 and day >= 19358 and day < 19723 and counts",
        "select date_trunc('month', paid_at), count(*), sum(amount_minor), count(distinct person) from order_facts
            where merchant_id = $1 and day >= 19358 and day < 19723 and counts group by 1",
        "select count(*) from (select person from order_facts where merchant_id = $1 and day >= 19358 and day < 19723
            and counts group by person having count(distinct day) > 1) as twice",
        "with firsts as (select person, min(day) as first from order_facts where merchant_id = $1 and counts group by person)
            select date_trunc('month', date '1970-01-01' + first), date_trunc('month', f.paid_at), count(distinct f.person)
            from firsts join order_facts f using (person) where f.merchant_id = $1 and f.counts and first >= 19358
            group by 1, 2",
        "select count(*) from (select person from order_facts where merchant_id = $1 and counts group by person
            having max(day) < 19358) as silent",
    ];
    let mut times = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        for statement in statements {
            sqlx::query(statement).bind(shop.merchant).fetch_all(pool).await?;
        }
        times.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median_f64(times))
}
