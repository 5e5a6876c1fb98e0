//! The installed programs of PostgreSQL.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::ServerError;

/// The oldest version that the schema is written for.
const OLDEST: u32 = 15;
/// Where Debian and Red Hat put a version. The `PATH` is not asked: the environment is read in one place, not here.
const VERSIONED: &[(&str, &str)] = &[("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];
/// Where others put the one version that they have.
const PLAIN: &[&str] = &["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"];

/// The directory of `postgres` and `initdb`, and their version.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) bin_dir: PathBuf,
    /// The major version.
    pub(super) major: u32,
}

impl Programs {
    /// Takes the given directory, or the newest version that is installed.
    pub(super) fn find(bin_dir: Option<&Path>) -> Result<Self, ServerError> {
        let places = match bin_dir {
            Some(dir) => vec![dir.to_path_buf()],
            None => usual_places(),
        };
        let complete =
            |dir: &&PathBuf| dir.join("postgres").is_file() && dir.join("initdb").is_file();
        let Some(found) = places.iter().find(complete) else {
            let looked_in = places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
            return Err(ServerError::ProgramsMissing { looked_in: looked_in.join(", ") });
        };
        let major = version(found)?;
        Ok(Self { bin_dir: found.clone(), major })
    }

    /// A command that sees nothing of this process: no variables, no input, no working directory of ours.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin_dir.join(program));
        command
            .env_clear()
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }
}

/// The newest version first.
fn usual_places() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix) in VERSIONED {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(prefix));
            if let Some(version) = number.and_then(|number| number.parse().ok()) {
                versions.push((version, entry.path().join("bin")));
            }
        }
    }
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, dir)| dir).chain(PLAIN.iter().map(PathBuf::from)).collect()
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is version 15.
fn version(bin_dir: &Path) -> Result<u32, ServerError> {
    let program = bin_dir.join("postgres");
    let output = Command::new(&program)
        .arg("--version")
        .env_clear()
        .output()
        .map_err(|source| ServerError::CannotRun { program, source })?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let number = said.split(") ").nth(1).unwrap_or_default();
    let major = number.split(|c: char| !c.is_ascii_digit()).next().and_then(|d| d.parse().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(major),
        Some(_) | None => Err(ServerError::ProgramVersion { bin_dir: bin_dir.into(), said }),
    }
}
