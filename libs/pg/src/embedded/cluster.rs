//! The directory of a private server: `lock`, `data`, `run` (the socket), `postgres.log`.

use std::{
    fs::{self, File, Permissions, TryLockError},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;

use super::{Durability, OWNER, Options, ServerError, account::Account, program::Programs};

/// 107 bytes is the system's limit for a socket's path; `/run/.s.PGSQL.5432` and some room are taken off.
const LONGEST_BASE: usize = 84;
/// A log beyond this size is put aside when the server starts.
const LOG_LIMIT: u64 = 16 << 20;

/// A database directory that this process has locked.
#[derive(Debug)]
pub(super) struct Cluster {
    base: PathBuf,
    pub(super) account: Account,
    pub(super) programs: Programs,
    pub(super) durability: Durability,
    /// Held as long as the directory is used.
    _lock: File,
}

impl Cluster {
    /// Locks the directory and makes a database in it unless there is one.
    pub(super) fn open(options: &Options) -> Result<Self, ServerError> {
        let programs = Programs::find(options.bin_dir.as_deref())?;
        let account = Account::choose()?;
        let base = make_base(&options.data_dir)?;
        if base.as_os_str().len() > LONGEST_BASE {
            return Err(ServerError::PathTooLong { data_dir: base, max: LONGEST_BASE });
        }
        account.check_reach(&base)?;
        let lock = lock(&base)?;
        let cluster = Self { base, account, programs, durability: options.durability, _lock: lock };
        cluster.make_data(options.pristine_cache.as_deref())?;
        cluster.account.private_dir(&cluster.run_dir())?;
        Ok(cluster)
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.base.join("data")
    }

    pub(super) fn run_dir(&self) -> PathBuf {
        self.base.join("run")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.base.join("postgres.log")
    }

    /// Opens the log to append to it; a long one is put aside first.
    pub(super) fn open_log(&self) -> Result<File, ServerError> {
        let path = self.log_file();
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_LIMIT) {
            let _ = fs::rename(&path, self.base.join("postgres.log.1"));
        }
        let log = File::options().create(true).append(true).mode(0o600).open(&path);
        log.map_err(ServerError::io("open", path))
    }

    fn make_data(&self, pristine_cache: Option<&Path>) -> Result<(), ServerError> {
        let data = self.data_dir();
        if data.exists() {
            return self.check_version(&data);
        }
        // Made under another name: a crash on the way is not taken for a database later.
        let new = self.base.join("data.new");
        remove_dir(&new)?;
        match pristine_cache {
            None => self.initdb(&new)?,
            Some(cache) => copy_dir(&self.pristine(cache)?, &new)?,
        }
        fs::rename(&new, &data).map_err(ServerError::io("rename", new))
    }

    fn check_version(&self, data: &Path) -> Result<(), ServerError> {
        let file = data.join("PG_VERSION");
        let text = fs::read_to_string(&file).map_err(ServerError::io("read", file))?;
        let (found, installed) = (text.trim().to_owned(), self.programs.major);
        if found == installed.to_string() {
            return Ok(());
        }
        Err(ServerError::DataVersion { data_dir: self.base.clone(), found, installed })
    }

    fn initdb(&self, target: &Path) -> Result<(), ServerError> {
        self.account.private_dir(target)?;
        let mut command = self.programs.command("initdb");
        // Trust: who reaches the socket is root or the account itself. Nothing is flushed: the rename comes after.
        command.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
        command.args(["--username", OWNER]).arg("--pgdata").arg(target);
        if self.durability == Durability::Volatile {
            command.arg("--no-sync");
        }
        self.account.apply(&mut command);
        let program = self.programs.bin_dir.join("initdb");
        let output =
            command.output().map_err(|source| ServerError::CannotRun { program, source })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        Err(ServerError::Initdb { data_dir: self.base.clone(), said })
    }

    /// The pristine directory of the cache; the first process that needs it makes it, others wait.
    fn pristine(&self, cache: &Path) -> Result<PathBuf, ServerError> {
        fs::create_dir_all(cache).map_err(ServerError::io("create", cache))?;
        self.account.check_reach(cache)?;
        let guard = cache.join("lock");
        let guard = File::create(&guard).map_err(ServerError::io("create", guard))?;
        guard.lock().map_err(ServerError::io("lock", cache))?;
        let uid = match self.account {
            Account::Own => geteuid().as_raw(),
            Account::Other { uid, .. } => uid,
        };
        let ready = cache.join(format!("postgres-{}-{uid}", self.programs.major));
        if !ready.exists() {
            let new = ready.with_extension("new");
            remove_dir(&new)?;
            self.initdb(&new)?;
            fs::rename(&new, &ready).map_err(ServerError::io("rename", new))?;
        }
        Ok(ready)
    }
}

/// Creates the directory, passable for the account but listable only for us, and gives its absolute path.
fn make_base(dir: &Path) -> Result<PathBuf, ServerError> {
    if !dir.exists() {
        fs::create_dir_all(dir).map_err(ServerError::io("create", dir))?;
        let mode = Permissions::from_mode(0o711);
        fs::set_permissions(dir, mode).map_err(ServerError::io("protect", dir))?;
    }
    dir.canonicalize().map_err(ServerError::io("find", dir))
}

fn lock(base: &Path) -> Result<File, ServerError> {
    let path = base.join("lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(ServerError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServerError::InUse(base.into())),
        Err(TryLockError::Error(source)) => Err(ServerError::io("lock", path)(source)),
    }
}

fn remove_dir(dir: &Path) -> Result<(), ServerError> {
    if !dir.exists() {
        return Ok(());
    }
    fs::remove_dir_all(dir).map_err(ServerError::io("remove", dir))
}

/// Copies a directory with owners and modes. A database directory holds plain files and directories only.
fn copy_dir(from: &Path, to: &Path) -> Result<(), ServerError> {
    let meta = fs::metadata(from).map_err(ServerError::io("look at", from))?;
    fs::create_dir(to).map_err(ServerError::io("create", to))?;
    for entry in fs::read_dir(from).map_err(ServerError::io("read", from))? {
        let source = entry.map_err(ServerError::io("read", from))?.path();
        let target = to.join(source.file_name().expect("an entry of a directory has a name"));
        if source.is_dir() {
            copy_dir(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(ServerError::io("copy", &source))?;
            give(&target, &fs::metadata(&source).map_err(ServerError::io("look at", &source))?)?;
        }
    }
    fs::set_permissions(to, meta.permissions()).map_err(ServerError::io("protect", to))?;
    give(to, &meta)
}

fn give(path: &Path, like: &fs::Metadata) -> Result<(), ServerError> {
    if !geteuid().is_root() {
        return Ok(());
    }
    chown(path, Some(like.uid()), Some(like.gid())).map_err(ServerError::io("hand over", path))
}
