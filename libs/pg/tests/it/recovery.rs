//! A database that goes away and comes back.

use std::time::{Duration, Instant};

use siyu_kernel::{Code, Fault};
use siyu_pg::{
    Db, Settings,
    embedded::{APP, Durability, OWNER, Options, Server},
    migrate,
};
use siyu_testkit::{Scratch, merchant, pristine_cache};

use crate::{NOTES, texts, write};

async fn start(scratch: &Scratch, durability: Durability) -> (Server, Db) {
    let mut options = Options::new(scratch.path().join("pg"), durability);
    options.pristine_cache = Some(pristine_cache());
    let server = Server::start(options).await.unwrap();
    server.ensure_database("notes").await.unwrap();
    migrate(&server.url(OWNER, "notes"), &NOTES.concat()).await.unwrap();
    let db = Db::connect(&Settings::new(server.url(APP, "notes"))).await.unwrap();
    (server, db)
}

/// Opens several connections, so that several are dead later.
async fn spread(db: &Db) {
    let txs = futures::future::join_all((0..8).map(|_| db.tenant(merchant(1)))).await;
    assert!(txs.into_iter().all(|tx| tx.is_ok()));
}

#[tokio::test]
async fn a_restart_between_transactions_costs_no_error() {
    let scratch = Scratch::new();
    let (server, db) = start(&scratch, Durability::Volatile).await;
    for _ in 0..3 {
        spread(&db).await;
        server.restart().await.unwrap();
        let start = Instant::now();
        // More at once than there are connections: some meet several dead ones.
        let txs = (0..20).map(|n| {
            let db = db.clone();
            async move {
                let mut tx = db.tenant(merchant(1)).await?;
                write(&mut tx, &n.to_string()).await?;
                Ok::<_, siyu_pg::Error>(())
            }
        });
        for done in futures::future::join_all(txs).await {
            done.unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_begins_while_the_database_is_away_waits_for_it() {
    let scratch = Scratch::new();
    let (server, db) = start(&scratch, Durability::Volatile).await;
    spread(&db).await;
    kill(&server);
    let mut exits = server.watch();
    exits.wait_for(Option::is_some).await.unwrap();
    let restart = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.restart().await.unwrap();
    };
    let (tx, ()) = futures::join!(db.tenant(merchant(1)), restart);
    tx.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_that_stays_away_is_reported_within_the_patience() {
    let scratch = Scratch::new();
    let (server, db) = start(&scratch, Durability::Volatile).await;
    db.close().await;
    let mut settings = Settings::new(server.url(APP, "notes"));
    settings.acquire_timeout = Duration::from_millis(300);
    let db = Db::connect(&settings).await.unwrap();
    server.stop().await.unwrap();
    let start = Instant::now();
    let fault = Fault::from(db.tenant(merchant(1)).await.unwrap_err());
    assert_eq!((fault.code(), fault.reason()), (Code::Unavailable, "STORE_UNAVAILABLE"));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_was_committed_survives_a_kill_and_what_was_not_does_not() {
    let scratch = Scratch::new();
    let (server, db) = start(&scratch, Durability::Durable).await;
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    write(&mut tx, "committed").await.unwrap();
    tx.commit().await.unwrap();
    let mut lost = db.tenant(merchant(1)).await.unwrap();
    write(&mut lost, "lost").await.unwrap();
    kill(&server);
    let mut exits = server.watch();
    let exit = exits.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert_eq!(exit.message, "PostgreSQL was ended by signal 9");
    assert_eq!(server.pid(), None);
    let broken = write(&mut lost, "more").await.map_err(siyu_pg::Error::from);
    assert!(matches!(broken, Err(siyu_pg::Error::Unavailable(_))), "{broken:?}");
    drop(lost);
    server.restart().await.unwrap();
    assert_eq!(*exits.borrow_and_update(), None);
    let mut tx = db.tenant(merchant(1)).await.unwrap();
    assert_eq!(texts(&mut tx).await, ["committed"]);
    drop(tx);
    server.stop().await.unwrap();
}

fn kill(server: &Server) {
    let pid = i32::try_from(server.pid().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
}
