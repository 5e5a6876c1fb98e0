//! Directories of tests, in memory where the system allows it.
//!
//! Each is named after its process, so that whatever a crash leaves is removed by the next test process.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use nix::unistd::geteuid;

/// What a test process may need at the most: some servers with some ten thousand orders each.
const ROOM_BYTES: u64 = 4 << 30;

/// Whether there is memory to spare: containers are often given 64 MiB of it. Looked at once, for what is there later is used
/// by ourselves.
static IN_MEMORY: LazyLock<bool> = LazyLock::new(|| {
    let room = |fs: nix::sys::statvfs::Statvfs| fs.blocks_available() * fs.fragment_size();
    nix::sys::statvfs::statvfs("/dev/shm").is_ok_and(|fs| room(fs) >= ROOM_BYTES)
});

/// A directory of a test's own, removed when it is dropped. Other accounts may pass through it, for the private server.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        static CLEANED: LazyLock<()> = LazyLock::new(remove_left_behind);
        static COUNT: AtomicU32 = AtomicU32::new(0);
        LazyLock::force(&CLEANED);
        let path = of_process(&COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        make(&path);
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A server that is just stopping may still write; the next test process removes the rest.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Pristine database directories, for [`siyu_pg::embedded::Options::pristine_cache`]. They stay for later runs.
#[must_use]
pub fn pristine_cache() -> PathBuf {
    home().join("pristine")
}

/// A path that only this process uses.
pub(crate) fn of_process(name: &str) -> PathBuf {
    home().join(format!("{}-{name}", process::id()))
}

/// Removes what belongs to processes that have ended.
pub(crate) fn remove_left_behind() {
    for entry in fs::read_dir(home()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.split_once('-')?.0.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another test process may be at it, too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A directory of this account's.
fn home() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if *IN_MEMORY { memory.to_path_buf() } else { std::env::temp_dir() };
    let account = geteuid();
    let home = parent.join(format!("siyu-test-{account}"));
    make(&home);
    let owner = fs::metadata(&home).expect("it was just made").uid();
    assert!(owner == account.as_raw(), "{} belongs to somebody else", home.display());
    home
}

/// Makes a directory that is passable, because root does not run the server itself.
fn make(path: &Path) {
    fs::create_dir_all(path).expect("a directory for tests can be made");
    let mode = fs::Permissions::from_mode(0o711);
    fs::set_permissions(path, mode).expect("the directory is ours");
}
