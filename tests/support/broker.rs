//! A NATS server with JetStream, of a story's own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use siyu_testkit::Scratch;
use tokio::net::TcpStream;

use super::{LIMIT, program::free_addr, until};

/// The server. Dropped, it is killed.
pub struct Broker {
    addr: SocketAddr,
    process: Child,
    _store: Scratch,
}

impl Broker {
    /// Starts a server.
    pub async fn start() -> Self {
        let (addr, store) = (free_addr(), Scratch::new());
        let process = Command::new(program())
            .args(["--addr", "127.0.0.1", "--port", &addr.port().to_string()])
            .args(["--jetstream", "--store_dir"])
            .arg(store.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server can be started");
        let broker = Self { addr, process, _store: store };
        until("nats-server answers", LIMIT, async || TcpStream::connect(addr).await.ok()).await;
        broker
    }

    /// Its url.
    pub fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the server is: stories of six processes fail without it, for a transport that is not tested does not work.
#[expect(clippy::disallowed_methods, reason = "a test finds its tools by the environment")]
fn program() -> PathBuf {
    if let Ok(named) = std::env::var("SIYU_NATS_SERVER") {
        return named.into();
    }
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin");
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
