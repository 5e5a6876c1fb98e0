//! The files of the project: what git tracks or would track.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// A file, read once per run.
pub(crate) struct File {
    /// The path from the root of the project.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl File {
    /// Whether it is a source file.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|end| end == "rs")
    }
}

static ALL: LazyLock<Vec<File>> = LazyLock::new(read);

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests stand in a folder of the root").to_path_buf()
}

/// Every text file.
pub(crate) fn all() -> &'static [File] {
    &ALL
}

/// Every file whose name ends so, for example `.rs`.
pub(crate) fn ending(end: &str) -> impl Iterator<Item = &'static File> {
    ALL.iter().filter(move |file| file.path.ends_with(end))
}

fn read() -> Vec<File> {
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root())
        .output()
        .expect("git lists the files of the project");
    let errors = String::from_utf8_lossy(&list.stderr);
    assert!(list.status.success(), "git ls-files: {errors}");
    let paths = String::from_utf8(list.stdout).unwrap();
    let files: Vec<File> = paths
        .split_terminator('\0')
        .filter_map(|path| {
            // Deleted and not yet committed, or not a text.
            let text = fs::read_to_string(root().join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        })
        .collect();
    assert!(files.len() > 300, "{} files: is this the root?", files.len());
    files
}
