//! The private server: its directory, its life, what it says when something is wrong.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::Command,
    time::{Duration, Instant},
};

use siyu_pg::embedded::{Durability, OWNER, Options, Server, ServerError};
use siyu_testkit::{Scratch, pristine_cache};
use sqlx::{Connection, PgConnection};

/// A new directory costs a copy, not an `initdb`.
fn volatile(scratch: &Scratch) -> Options {
    let mut options = Options::new(scratch.path().join("pg"), Durability::Volatile);
    options.pristine_cache = Some(pristine_cache());
    options
}

async fn answer(server: &Server) -> i32 {
    let mut conn = PgConnection::connect(&server.url(OWNER, "postgres")).await.unwrap();
    sqlx::query_scalar("select 42").fetch_one(&mut conn).await.unwrap()
}

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.split(") ").nth(1).is_some_and(|rest| !rest.starts_with('Z'))
}

async fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(20), "it did not come to it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_starts_answers_stops_and_finds_its_data_again() {
    let scratch = Scratch::new();
    let server = Server::start(Options::new(scratch.path().join("pg"), Durability::Volatile));
    let server = server.await.unwrap();
    let pid = server.pid().unwrap();
    assert_eq!(answer(&server).await, 42);
    server.ensure_database("shop").await.unwrap();
    server.ensure_database("shop").await.unwrap();
    server.stop().await.unwrap();
    assert!(!alive(pid));
    let server = Server::start(volatile(&scratch)).await.unwrap();
    let mut conn = PgConnection::connect(&server.url(OWNER, "shop")).await.unwrap();
    sqlx::raw_sql("select 1").execute(&mut conn).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn only_its_account_can_reach_the_socket_and_the_data() {
    let scratch = Scratch::new();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    for dir in ["run", "data"] {
        let meta = fs::metadata(scratch.path().join("pg").join(dir)).unwrap();
        assert_eq!(meta.mode() & 0o777, 0o700, "{dir}");
    }
    if nix::unistd::geteuid().is_root() {
        let process = fs::metadata(format!("/proc/{}", server.pid().unwrap())).unwrap();
        assert_ne!(process.uid(), 0, "the server does not run as root");
    }
    let mut conn = PgConnection::connect(&server.url(OWNER, "postgres")).await.unwrap();
    let listens: String =
        sqlx::query_scalar("show listen_addresses").fetch_one(&mut conn).await.unwrap();
    assert_eq!(listens, "");
    drop(conn);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_ends() {
    let scratch = Scratch::new();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    let pid = server.pid().unwrap();
    drop(server);
    until(|| !alive(pid)).await;
}

#[tokio::test]
async fn a_second_owner_of_a_directory_is_refused() {
    let scratch = Scratch::new();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    let err = Server::start(volatile(&scratch)).await.unwrap_err();
    let said = format!(
        "another process uses the database directory {}",
        scratch.path().join("pg").display()
    );
    assert_eq!(err.to_string(), said);
    assert_eq!(answer(&server).await, 42);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_on_request_keeps_the_data() {
    let scratch = Scratch::new();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    let first = server.pid();
    server.ensure_database("shop").await.unwrap();
    server.restart().await.unwrap();
    assert_ne!(server.pid(), first);
    PgConnection::connect(&server.url(OWNER, "shop")).await.unwrap();
    assert!(server.watch().borrow().is_none(), "an end that was asked for is no surprise");
    server.stop().await.unwrap();
}

/// The owner of the next test: it starts a server and waits to be killed.
#[tokio::test]
#[ignore = "run by the next test in a process of its own"]
async fn owner_that_is_killed() {
    let Ok(dir) = std::env::var("SIYU_TEST_DIR") else { return };
    let mut options = Options::new(dir, Durability::Durable);
    options.pristine_cache = Some(pristine_cache());
    let _server = Server::start(options).await.unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_server_ends_when_its_owner_is_killed_and_the_next_owner_takes_over() {
    let scratch = Scratch::new();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "server::owner_that_is_killed"])
        .env("SIYU_TEST_DIR", scratch.path().join("pg"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid_file = scratch.path().join("pg/data/postmaster.pid");
    let text = || fs::read_to_string(&pid_file).unwrap_or_default();
    until(|| text().contains("ready")).await;
    let pid: u32 = text().lines().next().unwrap().parse().unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    // At once, while the old server may still be shutting down.
    let server = Server::start(volatile(&scratch)).await.unwrap();
    assert!(!alive(pid));
    assert_eq!(answer(&server).await, 42);
    server.stop().await.unwrap();
}

/// A server whose owner was killed before the kernel could end it: started by hand, without an owner.
#[tokio::test]
async fn a_server_that_an_earlier_owner_left_behind_is_ended() {
    let scratch = Scratch::new();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    let program = fs::read_link(format!("/proc/{}/exe", server.pid().unwrap())).unwrap();
    server.stop().await.unwrap();
    let data = fs::canonicalize(scratch.path().join("pg/data")).unwrap();
    let mut orphan = Command::new(program);
    orphan
        .args(["-c", "listen_addresses=", "-k"])
        .arg(scratch.path().join("pg/run"))
        .arg("-D")
        .arg(&data);
    let owner = fs::metadata(&data).unwrap();
    if nix::unistd::geteuid().is_root() {
        use std::os::unix::process::CommandExt;
        orphan.uid(owner.uid()).gid(owner.gid());
    }
    let log = fs::File::create(scratch.path().join("orphan.log")).unwrap();
    let mut orphan = orphan.current_dir("/").stderr(log).spawn().unwrap();
    let pid_file = data.join("postmaster.pid");
    until(|| fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready"))).await;
    let reaped = std::thread::spawn(move || orphan.wait());
    let server = Server::start(volatile(&scratch)).await.unwrap();
    assert!(reaped.join().unwrap().unwrap().success(), "it was shut down, not killed");
    assert_eq!(answer(&server).await, 42);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_whose_number_now_belongs_to_another_program_is_no_obstacle() {
    let scratch = Scratch::new();
    Server::start(volatile(&scratch)).await.unwrap().stop().await.unwrap();
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    let pid_file = scratch.path().join("pg/data/postmaster.pid");
    fs::write(&pid_file, format!("{}\n/nowhere\n", bystander.id())).unwrap();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    assert_eq!(answer(&server).await, 42);
    assert!(bystander.try_wait().unwrap().is_none(), "the other program was left alone");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_of_another_version_is_explained() {
    let scratch = Scratch::new();
    Server::start(volatile(&scratch)).await.unwrap().stop().await.unwrap();
    fs::write(scratch.path().join("pg/data/PG_VERSION"), "9\n").unwrap();
    let err = Server::start(volatile(&scratch)).await.unwrap_err();
    assert!(matches!(err, ServerError::DataVersion { .. }), "{err}");
    assert!(err.to_string().contains("was made by PostgreSQL 9"), "{err}");
}

#[tokio::test]
async fn an_initdb_that_was_interrupted_is_started_over() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path().join("pg/data.new/base")).unwrap();
    fs::write(scratch.path().join("pg/data.new/PG_VERSION"), "15\n").unwrap();
    let server = Server::start(volatile(&scratch)).await.unwrap();
    assert_eq!(answer(&server).await, 42);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn programs_that_are_missing_are_named_with_the_remedy() {
    let scratch = Scratch::new();
    let mut options = volatile(&scratch);
    options.bin_dir = Some("/nowhere/bin".into());
    let err = Server::start(options).await.unwrap_err().to_string();
    assert!(err.contains("looked for `initdb` and `postgres` in /nowhere/bin"), "{err}");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_refused_at_once() {
    let scratch = Scratch::new();
    let mut options = volatile(&scratch);
    options.data_dir = scratch.path().join("x".repeat(80));
    let err = Server::start(options).await.unwrap_err();
    assert!(matches!(err, ServerError::PathTooLong { .. }), "{err}");
}

#[tokio::test]
async fn a_parent_that_the_account_may_not_pass_is_named() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new();
    let closed = scratch.path().join("closed");
    fs::create_dir_all(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let options = Options::new(closed.join("pg"), Durability::Volatile);
    let err = Server::start(options).await.unwrap_err().to_string();
    assert!(err.contains(&format!("may not pass through {}", closed.display())), "{err}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_what_postgres_said() {
    let scratch = Scratch::new();
    Server::start(volatile(&scratch)).await.unwrap().stop().await.unwrap();
    fs::write(scratch.path().join("pg/data/postgresql.conf"), "wal_level = nonsense\n").unwrap();
    let err = Server::start(volatile(&scratch)).await.unwrap_err().to_string();
    assert!(err.starts_with("PostgreSQL did not start: "), "{err}");
    assert!(err.contains("nonsense"), "{err}");
}
