//! Transfers through the ledger against `pgbench` on the same work: lock two accounts, write the transfer, change both
//! balances, commit. One transfer per transaction, then concurrent callers sharing a commit, then all on one hot account.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use siyu::host::services::Service;
use siyu_kernel::{Id, Ids as _};
use siyu_ledger::{
    AccountCode, AccountId, Asset, Movement, NewAccount, Poster, Transfer, TransferCode,
};
use siyu_pg::coalesce::Limits;
use siyu_runtime::SystemIds;
use sqlx::PgPool;

use crate::{
    Bench, Result,
    limit::pgbench as pgbench_on,
    measure::{Cpu, Row, Speed, as_f64, median},
};

const ACCOUNTS: usize = 2_000;
const CALLERS: usize = 16;
const COALESCED_CALLERS: usize = 64;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
const ASSET: Asset = Asset::new("bench");
const HELD: AccountCode = AccountCode::new(1);
const PAID: TransferCode = TransferCode::new(1);

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let accounts = Arc::new(open(bench).await?);
    limit_tables(bench).await?;
    let db = bench.suite.db(Service::Member).clone();
    let limits = Limits { max_batch: 256, queue: 1_024, wait: Duration::from_secs(5) };
    let (poster, worker) = Poster::new(db, limits);
    let worker = tokio::spawn(worker);
    let (mut single, mut shared, mut hot, mut limit, mut hot_limit) = Default::default();
    for _ in 0..ROUNDS {
        push(&mut single, one_by_one(bench, &accounts).await?);
        push(&mut limit, pgbench(bench, Hot::No)?);
        push(&mut shared, coalesced(bench, &poster, &accounts, Hot::No).await?);
        push(&mut hot_limit, pgbench(bench, Hot::Yes)?);
        push(&mut hot, coalesced(bench, &poster, &accounts, Hot::Yes).await?);
    }
    worker.abort();
    let (limit, hot_limit) = (median(limit), median(hot_limit));
    Ok(vec![
        Row::speed(
            "ledger, one transfer a commit : pgbench",
            "transfers",
            median(single),
            limit,
            "≥ 0.7",
        ),
        Row::speed(
            "ledger, callers share a commit : pgbench",
            "transfers",
            median(shared),
            limit,
            "> 1",
        ),
        Row::speed(
            "ledger, one hot account : pgbench, the same",
            "transfers",
            median(hot),
            hot_limit,
            "> 1",
        ),
    ])
}

#[derive(Clone, Copy, PartialEq)]
enum Hot {
    No,
    Yes,
}

fn push(rounds: &mut Vec<Speed>, round: Speed) {
    rounds.push(round);
}

async fn open(bench: &Bench) -> Result<Vec<AccountId>> {
    let account =
        || NewAccount::new(Id::from_uuid(SystemIds.uuid()), SystemIds.uuid(), HELD, ASSET);
    let wanted: Vec<NewAccount> = (0..ACCOUNTS).map(|_| account()).collect();
    let mut tx = bench.suite.db(Service::Member).tenant(bench.merchant_id.parse()?).await?;
    let open = siyu_ledger::open(&mut tx, &wanted, chrono::Utc::now()).await?;
    tx.commit().await?;
    Ok(open.into_iter().map(|account| account.id).collect())
}

fn transfer(accounts: &[AccountId], caller: usize, n: usize, hot: Hot) -> Transfer {
    // Each caller walks its own way through the accounts; nobody transfers to itself.
    let from = if hot == Hot::Yes { 0 } else { (caller * 7_919 + n * 13) % ACCOUNTS };
    let to = (from + 1 + (caller * 31 + n) % (ACCOUNTS - 1)) % ACCOUNTS;
    let movement = Movement::new(accounts[from], accounts[to], 1);
    Transfer::post(Id::from_uuid(SystemIds.uuid()), PAID, movement)
}

async fn one_by_one(bench: &Bench, accounts: &[AccountId]) -> Result<Speed> {
    let (db, merchant) = (bench.suite.db(Service::Member), bench.merchant_id.parse()?);
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let callers = (0..CALLERS).map(|caller| async move {
        let mut done = 0;
        while start.elapsed() < ROUND {
            let mut tx = db.tenant(merchant).await?;
            let transfers = [transfer(accounts, caller, done, Hot::No)];
            match siyu_ledger::post_all(&mut tx, &transfers, chrono::Utc::now()).await {
                Ok(_) => tx.commit().await?,
                // Two callers that met in a circle: one of them starts over, as a service would.
                Err(siyu_ledger::Error::Store(siyu_pg::Error::Conflict(_))) => continue,
                Err(error) => return Err(error),
            }
            done += 1;
        }
        Ok::<usize, siyu_ledger::Error>(done)
    });
    let done: usize = try_join_all(callers).await?.into_iter().sum();
    Ok(speed(done, start, &cpu))
}

async fn coalesced(
    bench: &Bench,
    poster: &Poster,
    accounts: &Arc<Vec<AccountId>>,
    hot: Hot,
) -> Result<Speed> {
    let merchant = bench.merchant_id.parse()?;
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let callers = (0..COALESCED_CALLERS).map(|caller| async move {
        let mut done = 0;
        while start.elapsed() < ROUND {
            let outcomes = poster
                .post(merchant, vec![transfer(accounts, caller, done, hot)], chrono::Utc::now())
                .await?;
            done += outcomes.iter().filter(|outcome| outcome.posted().is_ok()).count();
        }
        Ok::<usize, siyu_ledger::Error>(done)
    });
    let done: usize = try_join_all(callers).await?.into_iter().sum();
    Ok(speed(done, start, &cpu))
}

fn speed(done: usize, start: Instant, cpu: &Cpu) -> Speed {
    let done = as_f64(u64::try_from(done).unwrap_or(0));
    Speed { per_second: done / start.elapsed().as_secs_f64(), cpu_ms: cpu.ms() / done }
}

/// Tables of the same shape, small enough to read: the work is the same, the columns are fewer.
async fn limit_tables(bench: &Bench) -> Result<()> {
    let pool = PgPool::connect(&bench.suite.owner_url(Service::Member)).await?;
    sqlx::raw_sql(
        "create schema bench;
        create table bench.accounts (merchant_id uuid, id bigint, debits bigint, credits bigint, primary key (merchant_id, id));
        create table bench.transfers (merchant_id uuid, id uuid, debit bigint, credit bigint, amount bigint,
            code smallint, reference uuid, debit_balance bigint, credit_balance bigint, posted_at timestamptz,
            primary key (merchant_id, id));
        create index on bench.transfers (merchant_id, debit, posted_at);
        create index on bench.transfers (merchant_id, credit, posted_at);
        insert into bench.accounts select '00000000-0000-0000-0000-000000000001', n, 0, 0 from generate_series(0, 1999) n;",
    )
    .execute(&pool)
    .await?;
    pool.close().await;
    Ok(())
}

fn pgbench(bench: &Bench, hot: Hot) -> Result<Speed> {
    let from = if hot == Hot::Yes { "\\set from 0" } else { "\\set from random(0, 1998)" };
    let script = format!(
        "{from}\n\\set to :from + 1\n\\set m '''00000000-0000-0000-0000-000000000001'''\n\
        begin;\n\
        select debits, credits from bench.accounts where merchant_id = '00000000-0000-0000-0000-000000000001' and id in (:from, :to) order by id for update;\n\
        insert into bench.transfers values ('00000000-0000-0000-0000-000000000001', gen_random_uuid(), :from, :to, 1, 1, null, 0, 0, now());\n\
        update bench.accounts set debits = debits + 1 where merchant_id = '00000000-0000-0000-0000-000000000001' and id = :from;\n\
        update bench.accounts set credits = credits + 1 where merchant_id = '00000000-0000-0000-0000-000000000001' and id = :to;\n\
        commit;\n"
    )
    .replace("\\set m '''00000000-0000-0000-0000-000000000001'''\n", "");
    pgbench_on(bench, Service::Member, &script)
}
