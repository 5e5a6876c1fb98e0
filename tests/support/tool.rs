//! Programs that `make tools` puts into the project.

use std::path::{Path, PathBuf};

/// Where a tool is: named by a variable, in `.tools/bin`, or along the path. Tests fail without it, for what is not tested
/// does not work.
#[expect(clippy::disallowed_methods, reason = "a test finds its tools by the environment")]
pub fn tool(name: &str) -> PathBuf {
    let variable = format!("SIYU_{}", name.to_uppercase().replace('-', "_"));
    if let Ok(named) = std::env::var(&variable) {
        return named.into();
    }
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin");
    let path = std::env::var("PATH").unwrap_or_default();
    std::iter::once(tools)
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| {
            panic!(
                "{name} is neither named by {variable} nor in .tools/bin nor in PATH: \
                run `make tools` (deploy/setup.sh --tools) once"
            )
        })
}
