//! A NATS server of a test's own.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use async_nats::{Client, connection::State};
use siyu_runtime::pause;
use siyu_testkit::Scratch;

pub(crate) struct Broker {
    port: u16,
    store: Scratch,
    process: Mutex<Child>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let store = Scratch::new();
        let process = Mutex::new(launch(port, store.path()));
        let broker = Self { port, store, process };
        broker.client().await;
        broker
    }

    /// A connection, once the server answers.
    pub(crate) async fn client(&self) -> Client {
        let url = format!("nats://127.0.0.1:{}", self.port);
        let client = siyu_events::nats::connect(&url, "test").await.expect("the address is valid");
        let connected = async {
            while client.connection_state() != State::Connected {
                pause(Duration::from_millis(2)).await;
            }
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, connected).await.expect("nats-server starts");
        client
    }

    /// Kills the server.
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Starts it again on what it stored.
    pub(crate) fn start_again(&self) {
        *self.process.lock().unwrap() = launch(self.port, self.store.path());
    }

    /// Starts it again with an empty store, as after the loss of its disk.
    pub(crate) fn start_empty(&self) {
        std::fs::remove_dir_all(self.store.path().join("jetstream")).expect("there was a store");
        self.start_again();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(port: u16, store: &Path) -> Child {
    Command::new(program())
        .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"])
        .arg(store)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server can be started")
}

/// Where the server is: these tests fail without it, for a transport that is not tested does not work.
#[expect(clippy::disallowed_methods, reason = "a test finds its tools by the environment")]
fn program() -> PathBuf {
    if let Ok(named) = std::env::var("SIYU_NATS_SERVER") {
        return named.into();
    }
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin");
    let path = std::env::var("PATH").unwrap_or_default();
    std::iter::once(tools)
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
        .expect(
            "nats-server is neither named by SIYU_NATS_SERVER nor in .tools/bin nor in PATH: \
            run `make tools` (deploy/setup.sh --tools) once",
        )
}
