use crate::books::*;
use futures::{StreamExt, stream};
use siyu_ledger::*;
use siyu_pg::coalesce::Limits;
use std::time::{Duration, Instant};
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let books = Books::open().await;
    let mut owner = books.database.owner().await;
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(&mut owner).await.unwrap();
    for set in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 50",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing=off",
        "auto_explain.log_buffers=on",
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("alter database {name} set {set}")))
            .execute(&mut owner)
            .await
            .unwrap();
    }
    sqlx::raw_sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()").execute(&mut owner).await.unwrap();
    let mut members = vec![];
    for _ in 0..200 {
        members.push(books.account(OWNED).await);
    }
    let sources = {
        let mut v = vec![];
        for _ in 0..200 {
            v.push(books.account(Flags::NONE).await);
        }
        v
    };
    let n = 3000usize;
    for round in 0..3 {
        for (name, hot) in [("spread", false), ("hot", true)] {
            let mk = |i: usize| {
                Transfer::post(
                    books.id(),
                    CODE,
                    Movement::new(
                        if hot { books.source } else { sources[i % 200] },
                        members[(i * 7) % 200],
                        1,
                    ),
                )
            };
            let t = Instant::now();
            stream::iter(0..n)
                .for_each_concurrent(16, |i| {
                    let tr = mk(i);
                    let books = &books;
                    async move {
                        books.one(tr).await.posted().unwrap();
                    }
                })
                .await;
            let single = t.elapsed();
            let (poster, worker) = Poster::new(
                books.db().clone(),
                Limits { max_batch: 256, queue: 1000, wait: Duration::from_secs(500) },
            );
            tokio::spawn(worker);
            let c0: i64 =
                sqlx::query_scalar("select count(distinct xmin::text) from ledger_transfers")
                    .fetch_one(&mut books.database.owner().await)
                    .await
                    .unwrap();
            let t = Instant::now();
            stream::iter(0..n)
                .for_each_concurrent(64, |i| {
                    let tr = mk(i);
                    let (books, poster) = (&books, &poster);
                    async move {
                        poster.post(books.merchant, vec![tr], books.now).await.unwrap()[0]
                            .posted()
                            .unwrap();
                    }
                })
                .await;
            let shared = t.elapsed();
            let c1: i64 =
                sqlx::query_scalar("select count(distinct xmin::text) from ledger_transfers")
                    .fetch_one(&mut books.database.owner().await)
                    .await
                    .unwrap();
            let commits = c1 - c0;
            let t = Instant::now();
            let all: Vec<_> = (0..n).map(mk).collect();
            for o in books.post(&all).await {
                o.posted().unwrap();
            }
            let slice = t.elapsed();
            let per = |d: Duration| (n as u128 * 1_000_000 / d.as_micros());
            std::fs::copy(siyu_testkit::postgres().await.log_file(), "/tmp/pg2.log").unwrap();
            eprintln!(
                "R{round} {name}: single c=16 {}/s, poster c=64 {}/s in {commits} commits, one slice of {n} {}/s",
                per(single),
                per(shared),
                per(slice)
            );
        }
    }
    std::fs::copy(siyu_testkit::postgres().await.log_file(), "/tmp/pg2.log").unwrap();
}
