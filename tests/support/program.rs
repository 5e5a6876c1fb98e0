//! Real processes: the program `siyu` and what it starts.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{LIMIT, story, until};

/// A process of the program. Dropped, it is killed.
#[derive(Debug)]
pub struct Program {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl Program {
    /// Starts `siyu` with an environment of its own; its logs go to `folder` under `name`.
    pub fn start(folder: &Path, name: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let (out, err) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
        let append = |path: &Path| {
            File::options().create(true).append(true).open(path).expect("a log can be written")
        };
        let child = command(args, env)
            .stdin(Stdio::null())
            .stdout(append(&out))
            .stderr(append(&err))
            .spawn()
            .unwrap_or_else(|error| panic!("siyu {args:?}: {error}"));
        story::keep_log(err.clone());
        Self { child, out, err }
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash of the machine would.
    pub fn kill9(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// Asks it to end, as Ctrl-C does, and waits for that.
    pub async fn stop(self) -> Finished {
        self.end(Signal::SIGINT).await
    }

    /// Asks it to end, as a rolling update does, and waits for that.
    pub async fn terminate(self) -> Finished {
        self.end(Signal::SIGTERM).await
    }

    async fn end(mut self, signal: Signal) -> Finished {
        let pid = i32::try_from(self.child.id()).expect("process ids have 31 bits");
        kill(Pid::from_raw(pid), signal).expect("it runs");
        self.wait("it ends when it is asked to", LIMIT).await
    }

    /// Waits until it has ended.
    pub async fn wait(&mut self, what: &str, limit: Duration) -> Finished {
        let status =
            until(what, limit, async || self.child.try_wait().expect("it is our child")).await;
        self.finished(status)
    }

    fn finished(&self, status: ExitStatus) -> Finished {
        let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        Finished { code: status.code(), stdout: text(&self.out), stderr: text(&self.err) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `siyu` to its end.
pub async fn run_siyu(args: &[&str], env: &[(&str, &str)]) -> Finished {
    let output = tokio::process::Command::from(command(args, env))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, output).await;
    let output = output.unwrap_or_else(|_| panic!("siyu {args:?} does not end"));
    let output = output.unwrap_or_else(|error| panic!("siyu {args:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    let finished = Finished {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    story::keep_call(&format_args!("siyu {args:?}"), &finished);
    finished
}

fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program());
    command.args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SIYU_") {
            command.env_remove(name);
        }
    }
    command.envs(env.iter().copied());
    command
}

/// Where the program is: beside the tests, in the directory of the build.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this process has a file");
    let folder = test.ancestors().nth(2).expect("tests lie in deps/ of the build");
    let program = folder.join("siyu");
    assert!(
        program.is_file(),
        "{} is not there: `cargo build --workspace` builds it, as `make test` does first",
        program.display()
    );
    program
}

/// An address that nobody listens at: below the ports that connections get, so that none of them has it when it is listened at.
pub fn free_addr() -> SocketAddr {
    const PORTS: std::ops::Range<u32> = 12_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(61);
    let mut ports = PORTS.map(|_| {
        let n = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + n % (PORTS.end - PORTS.start);
        SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).expect("it is a port")))
    });
    ports.find(|addr| TcpListener::bind(addr).is_ok()).expect("there is a free port")
}

/// The processes of PostgreSQL that work in a data directory.
pub fn postgres_under(data_dir: &Path) -> Vec<u32> {
    let Ok(data) = data_dir.join("postgres/data").canonicalize() else { return Vec::new() };
    let entries = fs::read_dir("/proc").expect("this is Linux").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data))
        .collect()
}
