//! What a crash of an earlier owner left running on a database directory.
//!
//! The lock is ours, so no living owner is disturbed. A process belongs to the directory when it is a `postgres` whose
//! working directory it is: process ids alone are reused.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{ServerError, postmaster::nap};

/// How long each signal is given. A shutdown with a full checkpoint takes the longest.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(30)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// Ends a left-over server, its main process first, then sessions that outlived their main process.
pub(super) fn clear(data: &Path) -> Result<(), ServerError> {
    let pid_file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(()) };
    let main = text.lines().next().and_then(|line| line.trim().parse().ok());
    for (signal, patience) in STEPS {
        let left = processes_of(data);
        let targets = match main.filter(|main| left.contains(main)) {
            Some(main) => vec![main],
            None => left,
        };
        if targets.is_empty() {
            break;
        }
        tracing::warn!(?targets, %signal, "ending a PostgreSQL server that an earlier run left behind");
        for pid in &targets {
            // Gone in between is as good.
            let _ = kill(Pid::from_raw(*pid), signal);
        }
        wait_until_gone(data, patience);
    }
    if let Some(pid) = processes_of(data).first() {
        return Err(ServerError::OrphanStays(*pid));
    }
    // PostgreSQL believes the file if any process has that id now, which in a container is likely.
    match fs::remove_file(&pid_file) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
            Err(ServerError::io("remove", pid_file)(err))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn wait_until_gone(data: &Path, patience: Duration) {
    let start = Instant::now();
    while start.elapsed() < patience && !processes_of(data).is_empty() {
        nap(Duration::from_millis(10));
    }
}

fn processes_of(data: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| belongs(*pid, data)).collect()
}

fn belongs(pid: i32, data: &Path) -> bool {
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
    // "postgres (deleted)" after an upgrade of the package.
    let is_postgres = link("exe").is_some_and(|exe| {
        exe.file_name().is_some_and(|name| name.to_string_lossy().starts_with("postgres"))
    });
    is_postgres && link("cwd").is_some_and(|cwd| cwd == data)
}
