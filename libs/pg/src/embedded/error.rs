//! Why a private server could not be run: sentences for the person at the terminal.

use std::{io, path::PathBuf};

/// Why a private server could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// PostgreSQL is not installed, or not where it is looked for.
    #[error(
        "PostgreSQL was not found: looked for `initdb` and `postgres` in {looked_in}; install PostgreSQL 15 or newer \
         (Debian: apt-get install postgresql) or name the directory of its programs"
    )]
    ProgramsMissing {
        /// The places.
        looked_in: String,
    },
    /// A program could not be run at all.
    #[error("cannot run {}: {source}", program.display())]
    CannotRun {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The version is too old or cannot be told.
    #[error("the PostgreSQL in {} calls itself \"{said}\", needed is 15 or newer", bin_dir.display())]
    ProgramVersion {
        /// Where it is.
        bin_dir: PathBuf,
        /// What it said.
        said: String,
    },
    /// The directory was made by another major version.
    #[error(
        "the database in {} was made by PostgreSQL {found}, the installed programs are version {installed}: install \
         version {found}, or move the data with pg_dump", data_dir.display()
    )]
    DataVersion {
        /// The directory.
        data_dir: PathBuf,
        /// Its version.
        found: String,
        /// The version of the programs.
        installed: u32,
    },
    /// Another process runs a server there.
    #[error("another process uses the database directory {}", .0.display())]
    InUse(PathBuf),
    /// The account that runs the server cannot get to the directory.
    #[error(
        "PostgreSQL does not run as root, it runs as the user {user} here, who may not pass through {}: choose another \
         data directory, for example under /var/lib, or allow it with chmod o+x", blocked.display()
    )]
    Unreachable {
        /// The first directory on the way that is closed to the account.
        blocked: PathBuf,
        /// The account.
        user: String,
    },
    /// There is no account to run as.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as"
    )]
    NoAccount,
    /// The path of the socket is longer than the system allows.
    #[error(
        "the path of the data directory {} is too long for a socket: it may have {max} characters", data_dir.display()
    )]
    PathTooLong {
        /// The directory.
        data_dir: PathBuf,
        /// How long it may be.
        max: usize,
    },
    /// A file operation failed.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("could not make a database in {}: {said}", data_dir.display())]
    Initdb {
        /// The directory.
        data_dir: PathBuf,
        /// What it said.
        said: String,
    },
    /// An earlier server on the directory is still there and does not stop.
    #[error("a PostgreSQL server that an earlier run left behind (process {0}) does not stop")]
    OrphanStays(i32),
    /// The server ended while starting.
    #[error("PostgreSQL did not start: {0}")]
    DiedEarly(String),
    /// The server did not become ready in time.
    #[error("PostgreSQL was not ready after {secs} seconds; its log is {}", log.display())]
    NotReady {
        /// How long it was waited for.
        secs: u64,
        /// Its log.
        log: PathBuf,
    },
    /// The server did not stop.
    #[error(
        "PostgreSQL (process {0}) did not stop and had to be killed; it recovers at the next start"
    )]
    Killed(u32),
    /// The thread that watches the server is gone.
    #[error("PostgreSQL is no longer watched: its thread ended")]
    Unwatched,
}

impl ServerError {
    /// For `map_err` at a file operation.
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
