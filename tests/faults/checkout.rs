//! Many clients place, pay, cancel and give back orders while the order service, the member service and PostgreSQL are killed
//! under them. Nothing that was acknowledged is lost, and nothing happens twice.

mod audit;
mod books;
mod call;
mod client;
mod killer;

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use siyu::host::services::Service;
use siyu_pg::embedded::{Durability, Options, Server};
use siyu_runtime::random_bytes;
use siyu_testkit::Scratch;
use siyu_tests::support::{Buyer, HEAVY, Shop, Six, story};

use call::Line;
use client::{Clients, Told};
use killer::Killer;

/// Checkouts in an ordinary run; `make chaos` makes more.
const CHECKOUTS: u64 = 200;
/// After so many minutes no more are begun, however slow the machine is.
const MINUTES: u64 = 120;
const CLIENTS: usize = 16;
const BUYERS: u32 = 24;
/// More than all checkouts together can want of a SKU.
const PIECES: i64 = 1_000_000;
/// The shortest time that orders can be given to be paid, so that those that nobody pays end within the test.
const PAY_MINUTES: i32 = 1;

#[test]
fn checkouts_under_processes_that_are_killed_lose_nothing_and_double_nothing() {
    story(async {
        let _alone = HEAVY.lock().await;
        let (checkouts, seed) = (number("CHECKOUTS", CHECKOUTS), number("SEED", drawn()));
        let (minutes, start) = (number("MINUTES", MINUTES), Instant::now());
        say(&format!("CHECKOUTS={checkouts} SEED={seed}"));
        let scratch = Scratch::new();
        let options = Options::new(scratch.path().join("pg"), Durability::Durable);
        let server = Server::start(options).await.unwrap();
        let six = Six::start_on(&server).await;
        let shop = Shop::open(&six.place(), PIECES, PAY_MINUTES).await;
        let buyers = buyers(&shop, BUYERS).await;
        let line = Line::new(&shop.merchant);
        let clients = Clients { line: &line, buyers: &buyers, seed, checkouts };
        let done = Cell::new(false);
        let work = async {
            let in_time = |_: &u64| start.elapsed() < Duration::from_mins(minutes);
            let told = work(&clients, (0..checkouts).take_while(in_time)).await;
            done.set(true);
            told
        };
        let mut killer = Killer::new(six, server, seed);
        let (told, ()) = tokio::join!(work, killer.run(&line, &done));
        let (checked, killed) = (told.len(), killer.figures());
        say(&format!("{checked} checkouts in {:?}; {killed}; {}", start.elapsed(), line.figures()));
        let found = audit::settled(&shop, &line, &told).await;
        books::check(&shop, &buyers, &found, PIECES).await;
        say(&found.figures());
        assert_eq!(line.odd(), Vec::<String>::new(), "no answer was an error of ours");
        killer.stop().await;
    });
}

#[test]
fn a_rolling_update_of_every_process_under_checkouts_fails_no_call() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut six = Six::start().await;
        let shop = Shop::open(&six.place(), PIECES, 15).await;
        let buyers = buyers(&shop, 6).await;
        let line = Line::new(&shop.merchant);
        // None of them waits for a time.
        let clients = Clients { line: &line, buyers: &buyers, seed: drawn(), checkouts: 0 };
        let updated = Cell::new(false);
        let update = async {
            for service in Service::ALL {
                six.terminate(service).await;
                six.start_one(service);
                six.wait_for(service).await;
            }
            updated.set(true);
        };
        let (told, ()) = tokio::join!(work(&clients, (0..).take_while(|_| !updated.get())), update);
        say(&format!("{} checkouts; {}", told.len(), line.figures()));
        let found = audit::settled(&shop, &line, &told).await;
        books::check(&shop, &buyers, &found, PIECES).await;
        assert_eq!(line.odd(), Vec::<String>::new(), "no answer was an error of ours");
        six.stop().await;
    });
}

async fn buyers(shop: &Shop, count: u32) -> Vec<Buyer> {
    let each = stream::iter(0..count);
    let each = each.map(async |n| shop.buyer(&format!("buyer-{n}"), 1_000_000, 5, 4).await);
    each.buffered(2).collect().await
}

/// Does so many checkouts, some at a time.
async fn work(clients: &Clients<'_>, numbers: impl Iterator<Item = u64>) -> Vec<Told> {
    let mut told = Vec::new();
    let mut ended = stream::iter(numbers).map(|n| clients.checkout(n)).buffer_unordered(CLIENTS);
    while let Some(one) = ended.next().await {
        told.push(one);
        if told.len().is_multiple_of(100) {
            say(&format!("{} checkouts, {}", told.len(), clients.line.figures()));
        }
    }
    told
}

/// A number that the environment names, or another.
#[expect(clippy::disallowed_methods, reason = "a long run is asked for by the environment")]
fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// A seed that was not there before, small enough to be typed.
fn drawn() -> u64 {
    u32::from_le_bytes(random_bytes()).into()
}

#[expect(clippy::print_stderr, reason = "what a run was like; the harness shows it on failure")]
fn say(words: &str) {
    eprintln!("{words}");
}
