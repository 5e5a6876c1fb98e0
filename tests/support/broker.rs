//! A NATS server with JetStream, of a story's own.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use siyu_testkit::Scratch;
use tokio::net::TcpStream;

use super::{LIMIT, program::free_addr, tool::tool, until};

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
        let process = Command::new(tool("nats-server"))
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
