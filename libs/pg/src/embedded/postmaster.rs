//! The main process of a private server, from its start to its end.

use std::{
    fmt, fs,
    io::{Read, Seek, SeekFrom},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{prctl, signal::Signal, signal::kill},
    unistd::{Pid, getpid, getppid},
};

use super::{Durability, ServerError, cluster::Cluster, orphan};

/// Recovery after a crash reads up to `max_wal_size` of log; a slow disk needs minutes for it.
const START_PATIENCE: Duration = Duration::from_mins(5);
/// A shutdown writes what is not yet in the tables.
const STOP_PATIENCE: Duration = Duration::from_mins(1);
const QUIT_PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(2);
/// A process that is killed is seen no more a moment before it has given back the memory that it shared, on a busy machine a
/// long one.
const DETACH_PATIENCE: Duration = Duration::from_secs(20);
const DETACH_POLL: Duration = Duration::from_millis(50);
/// What PostgreSQL says until then.
const IN_USE: &str = "pre-existing shared memory block";

/// An end of the server that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// A sentence: how it ended, and what it said last.
    pub message: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A main process that is ready for connections.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    /// Where its part of the log begins.
    log_start: u64,
}

impl Postmaster {
    /// Starts it and waits until it is ready. It ends when the calling thread does: call it from one that stays.
    pub(super) fn start(cluster: &Cluster) -> Result<Self, ServerError> {
        let start = Instant::now();
        loop {
            match Self::try_start(cluster) {
                Err(ServerError::DiedEarly(said))
                    if said.contains(IN_USE) && start.elapsed() < DETACH_PATIENCE =>
                {
                    nap(DETACH_POLL);
                }
                result => return result,
            }
        }
    }

    fn try_start(cluster: &Cluster) -> Result<Self, ServerError> {
        orphan::clear(&cluster.data_dir())?;
        let log = cluster.open_log()?;
        let log_start =
            log.metadata().map_err(ServerError::io("look at", cluster.log_file()))?.len();
        let errors = log.try_clone().map_err(ServerError::io("open", cluster.log_file()))?;
        let mut command = cluster.programs.command("postgres");
        command.arg("-D").arg(cluster.data_dir()).arg("-k").arg(cluster.run_dir());
        for setting in settings(cluster.durability) {
            command.args(["-c", setting]);
        }
        cluster.account.apply(&mut command);
        // A process group of its own: ctrl-C reaches this program alone, which drains before it stops the server.
        command.process_group(0).stdout(log).stderr(errors);
        end_with_parent(&mut command);
        let program = cluster.programs.bin_dir.join("postgres");
        let child = command.spawn().map_err(|source| ServerError::CannotRun { program, source })?;
        let mut server = Self { child, log_start };
        server.wait_until_ready(cluster)?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub(super) fn exited(&mut self, cluster: &Cluster) -> Option<Exit> {
        let status = self.child.try_wait().ok().flatten()?;
        let said =
            self.last_words(cluster).map_or(String::new(), |said| format!("; it said: {said}"));
        Some(Exit { message: format!("PostgreSQL {}{said}", describe(status)) })
    }

    /// Stops it: sessions are ended, everything is flushed; if that does not come to an end, less politely.
    pub(super) fn stop(mut self) -> Result<(), ServerError> {
        for (signal, patience) in
            [(Signal::SIGINT, STOP_PATIENCE), (Signal::SIGQUIT, QUIT_PATIENCE)]
        {
            self.signal(signal);
            if self.wait_for_end(patience) {
                return Ok(());
            }
        }
        let pid = self.pid();
        let _ = self.child.kill();
        let _ = self.child.wait();
        Err(ServerError::Killed(pid))
    }

    fn wait_until_ready(&mut self, cluster: &Cluster) -> Result<(), ServerError> {
        let start = Instant::now();
        while !self.is_ready(cluster) {
            if let Some(exit) = self.exited(cluster) {
                return Err(ServerError::DiedEarly(exit.message));
            }
            if start.elapsed() > START_PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                let (secs, log) = (START_PATIENCE.as_secs(), cluster.log_file());
                return Err(ServerError::NotReady { secs, log });
            }
            nap(POLL);
        }
        Ok(())
    }

    /// What `pg_ctl -w` looks at: line 1 of the pid file is our child, line 8 its state.
    fn is_ready(&self, cluster: &Cluster) -> bool {
        let text =
            fs::read_to_string(cluster.data_dir().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        let ours = lines.next().is_some_and(|pid| pid == self.pid().to_string());
        ours && lines.nth(6) == Some("ready")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("process ids are positive 32-bit numbers");
        // It may have ended already; the wait tells.
        let _ = kill(Pid::from_raw(pid), signal);
    }

    fn wait_for_end(&mut self, patience: Duration) -> bool {
        let start = Instant::now();
        loop {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return true;
            }
            if start.elapsed() > patience {
                return false;
            }
            nap(POLL);
        }
    }

    /// What it said about its end, if it did.
    fn last_words(&self, cluster: &Cluster) -> Option<String> {
        const TAIL: u64 = 4096;
        let mut file = fs::File::open(cluster.log_file()).ok()?;
        let from = file.metadata().ok()?.len().saturating_sub(TAIL).max(self.log_start);
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        last_words(&String::from_utf8_lossy(&bytes))
    }
}

/// A fatal error among the last lines of a log, with the two lines before it, which tell what led to it. Others
/// are about single sessions.
fn last_words(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let recent = lines.len().saturating_sub(3);
    let grave = |(n, line): &(usize, &&str)| {
        let of_session = line.contains("FATAL:  terminating");
        line.contains("PANIC:  ") || *n >= recent && line.contains("FATAL:  ") && !of_session
    };
    let (last, _) = lines.iter().enumerate().rfind(grave)?;
    let said = lines[last.saturating_sub(2)..=last].iter();
    // `2026-01-01 00:00:00.000 UTC [42] FATAL:  …`
    let said = said.map(|line| line.split_once("] ").map_or(*line, |(_, message)| message));
    let said =
        said.filter(|line| !line.contains("starting PostgreSQL") && !line.contains("listening"));
    Some(said.collect::<Vec<_>>().join("; "))
}

/// Waits on a thread that is there to wait.
#[expect(clippy::disallowed_methods, reason = "the supervisor's own thread, on which no task runs")]
pub(super) fn nap(time: Duration) {
    std::thread::sleep(time);
}

/// Asks the kernel to stop the child when the thread that started it ends, so that no crash leaves a server behind.
#[expect(
    unsafe_code,
    reason = "pre_exec is the only place after setuid, which would clear the setting"
)]
fn end_with_parent(command: &mut Command) {
    let parent = getpid();
    let ask = move || {
        prctl::set_pdeathsig(Signal::SIGINT)?;
        // The parent may have ended before the kernel was asked.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: these are two plain system calls, and
    // neither they nor the error allocate or lock.
    unsafe {
        command.pre_exec(ask);
    }
}

fn settings(durability: Durability) -> impl Iterator<Item = &'static str> {
    const COMMON: &[&str] = &[
        "listen_addresses=",
        "port=5432",
        "max_connections=200",
        "logging_collector=off",
        "log_timezone=UTC",
        "timezone=UTC",
        "jit=off",
        "checkpoint_timeout=15min",
        "log_checkpoints=off",
        // Details and statements of errors hold people's data.
        "log_error_verbosity=terse",
        "log_min_error_statement=panic",
        // The data is in memory or on a solid-state disk.
        "random_page_cost=1.1",
        // Plans that were made while tables were empty are made anew soon after they are not.
        "autovacuum_naptime=15s",
    ];
    const DURABLE: &[&str] = &[
        "shared_buffers=128MB",
        "fsync=on",
        "full_page_writes=on",
        "synchronous_commit=on",
        // Imports write in bulk: fewer checkpoints, each spread out.
        "max_wal_size=2GB",
    ];
    const VOLATILE: &[&str] = &[
        "shared_buffers=64MB",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
        // The directory is likely in memory.
        "max_wal_size=256MB",
        "min_wal_size=32MB",
    ];
    let special = match durability {
        Durability::Durable => DURABLE,
        Durability::Volatile => VOLATILE,
    };
    COMMON.iter().chain(special).copied()
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
