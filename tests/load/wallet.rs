//! Points of members through the gateway, with request ids, against `pgbench` on the same work: keep the request, lock two
//! accounts, write the transfer, change both balances, tell it, commit. Then all on one member, against all on one row; then
//! the read of a member against the same selects.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use siyu::host::services::Service;
use siyu_proto::member::v1::{
    GetPersonRequest, GrantPointsRequest, Identity, IdentityKind, IdentitySet,
    ResolvePersonsRequest, SpendPointsRequest,
};
use sqlx::PgPool;

use crate::{
    Bench, Result,
    limit::pgbench,
    measure::{Cpu, Row, Speed, as_f64, median},
};

const MEMBERS: usize = 20_000;
const CALLERS: usize = 16;
const HOT_CALLERS: usize = 64;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;
const MERCHANT: &str = "00000000-0000-0000-0000-000000000001";

static REQUESTS: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let persons = members(bench).await?;
    limit_tables(bench).await?;
    let (mut each, mut limit, mut hot, mut hot_limit, mut read, mut select) = Default::default();
    for _ in 0..ROUNDS {
        push(&mut each, post(bench, &persons, CALLERS).await?);
        push(&mut limit, pgbench(bench, Service::Member, &posting("random(1, 20000)"))?);
        push(&mut hot, post(bench, &persons[..1], HOT_CALLERS).await?);
        push(&mut hot_limit, pgbench(bench, Service::Member, &posting("1"))?);
        push(&mut read, get(bench, &persons).await?);
        push(&mut select, pgbench(bench, Service::Member, &selects())?);
    }
    Ok(vec![
        Row::speed("points, 16 callers : pgbench", "posts", median(each), median(limit), "≥ 0.7"),
        Row::speed(
            "points, one hot wallet : pgbench, one row",
            "posts",
            median(hot),
            median(hot_limit),
            "≥ 3",
        ),
        Row::speed(
            "a member read : the same selects",
            "reads",
            median(read),
            median(select),
            "≥ 0.6",
        ),
    ])
}

fn push(rounds: &mut Vec<Speed>, round: Speed) {
    rounds.push(round);
}

/// Members with points enough for the whole run.
async fn members(bench: &Bench) -> Result<Vec<String>> {
    let mut persons = Vec::with_capacity(MEMBERS);
    let set = |n: usize| IdentitySet {
        identities: vec![Identity {
            kind: IdentityKind::PlatformBuyer.into(),
            scope: "bench/wallet".into(),
            value: n.to_string(),
            ..Default::default()
        }],
    };
    for from in (0..MEMBERS).step_by(2_000) {
        let request = ResolvePersonsRequest { sets: (from..from + 2_000).map(set).collect() };
        let reply = bench.client.persons().resolve_persons(request).await?.into_inner();
        persons.extend(reply.persons.into_iter().map(|person| person.person_id));
    }
    let next = AtomicU64::new(0);
    let (next, all) = (&next, &persons);
    let callers = (0..HOT_CALLERS).map(|_| async move {
        let mut client = bench.client.points();
        loop {
            let n = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
            let Some(person_id) = all.get(n) else { return Ok::<(), tonic::Status>(()) };
            let request = GrantPointsRequest {
                request_id: request_id(),
                person_id: person_id.clone(),
                points: 1_000_000,
                ..Default::default()
            };
            client.grant_points(request).await?;
        }
    });
    try_join_all(callers).await?;
    Ok(persons)
}

fn request_id() -> String {
    format!("bench-{}", REQUESTS.fetch_add(1, Ordering::Relaxed))
}

async fn post(bench: &Bench, persons: &[String], callers: usize) -> Result<Speed> {
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let callers = (0..callers).map(|caller| async move {
        let (mut client, mut done) = (bench.client.points(), 0_usize);
        while start.elapsed() < ROUND {
            let person = &persons[(caller * 7_919 + done * 13) % persons.len()];
            let request = SpendPointsRequest {
                request_id: request_id(),
                person_id: person.clone(),
                points: 1,
                ..Default::default()
            };
            client.spend_points(request).await?;
            done += 1;
        }
        Ok::<usize, tonic::Status>(done)
    });
    let done: usize = try_join_all(callers).await?.into_iter().sum();
    Ok(speed(done, start, &cpu))
}

async fn get(bench: &Bench, persons: &[String]) -> Result<Speed> {
    let (cpu, start) = (Cpu::start(bench.suite.postgres_pid()), Instant::now());
    let callers = (0..CALLERS).map(|caller| async move {
        let (mut client, mut done) = (bench.client.persons(), 0_usize);
        while start.elapsed() < ROUND {
            let person = &persons[(caller * 7_919 + done * 13) % persons.len()];
            client.get_person(GetPersonRequest { person_id: person.clone(), brief: false }).await?;
            done += 1;
        }
        Ok::<usize, tonic::Status>(done)
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
        "create schema wallet;
        create table wallet.requests (merchant_id uuid, request_id text, reply bytea, primary key (merchant_id, request_id));
        create table wallet.persons (merchant_id uuid, id bigint, growth bigint, tier int, created_at timestamptz,
            primary key (merchant_id, id));
        create table wallet.keys (merchant_id uuid, person_id bigint, kind text, value text);
        create index on wallet.keys (merchant_id, person_id);
        create table wallet.accounts (merchant_id uuid, id bigint, debits bigint, credits bigint, primary key (merchant_id, id));
        create table wallet.lots (merchant_id uuid, account_id bigint, id bigint, remaining bigint, expires_at timestamptz,
            primary key (merchant_id, account_id, id));
        create table wallet.transfers (merchant_id uuid, id uuid, debit bigint, credit bigint, amount bigint, code smallint,
            debit_balance bigint, posted_at timestamptz, primary key (merchant_id, id));
        create index on wallet.transfers (merchant_id, debit, posted_at);
        create table wallet.events (id bigserial primary key, merchant_id uuid, subject text, data bytea);
        insert into wallet.persons select '00000000-0000-0000-0000-000000000001', n, 0, 1, now() from generate_series(1, 20000) n;
        insert into wallet.keys select '00000000-0000-0000-0000-000000000001', n, 'platform_buyer', n from generate_series(1, 20000) n;
        insert into wallet.accounts select '00000000-0000-0000-0000-000000000001', n, 0, 1000000 from generate_series(0, 20000) n;
        insert into wallet.lots select '00000000-0000-0000-0000-000000000001', n, n, 1000000, null from generate_series(1, 20000) n;
        analyze;",
    )
    .execute(&pool)
    .await?;
    pool.close().await;
    Ok(())
}

fn posting(person: &str) -> String {
    format!(
        "\\set p {person}\n\
        begin;\n\
        insert into wallet.requests values ('{MERCHANT}', gen_random_uuid()::text, null);\n\
        select debits, credits from wallet.accounts where merchant_id = '{MERCHANT}' and id = :p for update;\n\
        select id, remaining from wallet.lots where merchant_id = '{MERCHANT}' and account_id = :p and remaining > 0;\n\
        insert into wallet.transfers values ('{MERCHANT}', gen_random_uuid(), :p, 0, 1, 1, 0, now());\n\
        update wallet.accounts set debits = debits + 1 where merchant_id = '{MERCHANT}' and id = :p;\n\
        update wallet.lots set remaining = remaining - 1 where merchant_id = '{MERCHANT}' and account_id = :p and id = :p;\n\
        commit;\n"
    )
}

fn selects() -> String {
    format!(
        "\\set p random(1, 20000)\n\
        begin read only;\n\
        select id, growth, tier, created_at from wallet.persons where merchant_id = '{MERCHANT}' and id = :p;\n\
        select kind, value from wallet.keys where merchant_id = '{MERCHANT}' and person_id = :p;\n\
        select debits, credits from wallet.accounts where merchant_id = '{MERCHANT}' and id = :p;\n\
        select sum(remaining) from wallet.lots where merchant_id = '{MERCHANT}' and account_id = :p;\n\
        commit;\n"
    )
}
