//! `siyu up` as a process of its own, on a data directory of its own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use siyu_testkit::Scratch;

use super::{
    LIMIT,
    place::{Databases, Place},
    program::{Program, free_addr, postgres_under},
    rest, until,
};

/// The process, and where it keeps everything.
pub struct Up {
    scratch: Scratch,
    grpc: SocketAddr,
    http: SocketAddr,
    program: Option<Program>,
}

impl Up {
    /// Starts it on an empty directory.
    pub async fn start() -> Self {
        let (grpc, http) = (free_addr(), free_addr());
        let mut up = Self { scratch: Scratch::new(), grpc, http, program: None };
        up.start_again().await;
        up
    }

    /// Starts it on what it left, at the same addresses.
    pub async fn start_again(&mut self) {
        let data_dir = self.data_dir();
        let (data, grpc, http) =
            (data_dir.display().to_string(), self.grpc.to_string(), self.http.to_string());
        let args = ["up", "--data-dir", &data, "--grpc", &grpc, "--http", &http];
        let mut program = Program::start(self.scratch.path(), "up", &args, &[]);
        until("siyu up is ready", LIMIT, async || {
            assert!(program.is_running(), "siyu up ended; its log is below");
            is_ready(self.http, "/readyz").await.then_some(())
        })
        .await;
        self.program = Some(program);
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        let data_dir = self.data_dir();
        let operator = fs::read_to_string(data_dir.join("operator.token"));
        let operator = operator.expect("it was made at the first start").trim().to_owned();
        Place { http: self.http, operator, databases: Databases::under(&data_dir) }
    }

    /// Where it keeps everything.
    pub fn data_dir(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// A folder for what belongs to the story.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Whether the process runs.
    pub fn is_running(&mut self) -> bool {
        self.program.as_mut().is_some_and(Program::is_running)
    }

    /// Kills the process, and nothing that it started.
    pub fn kill9(&mut self) {
        self.program.as_mut().expect("it was started").kill9();
    }

    /// The main process of its PostgreSQL, as its file says.
    pub fn postgres(&self) -> Option<u32> {
        let file = self.data_dir().join("postgres/data/postmaster.pid");
        fs::read_to_string(file).ok()?.lines().next()?.parse().ok()
    }

    /// Asks it to end; it must, with nothing left behind.
    pub async fn stop(mut self) {
        self.end().await;
    }

    /// Asks it to end; it can be started again.
    pub async fn end(&mut self) {
        let finished = self.program.take().expect("it was started").stop().await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(postgres_under(&self.data_dir()), [0_u32; 0], "PostgreSQL ended with it");
    }
}

/// Whether a process says that it may be given work.
pub(super) async fn is_ready(addr: SocketAddr, path: &str) -> bool {
    let reply = rest::request(addr, "GET", path, "", None).await;
    reply.is_ok_and(|reply| reply.status.is_success())
}
