//! Compiles `proto/**` without protoc: messages, clients and servers by prost and tonic, the shape checks of
//! `siyu.type.v1.shape` by `build/shape.rs`, and the encoded descriptor set for reflection and transcoding.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

#[path = "build/shape.rs"]
mod shape;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo hands a build script its folder in the environment"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    find_protos(&root.join("siyu"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    // The encoded bytes keep the options that extensions add; the prost type below has lost them.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptor_set.bin"), &encoded)?;
    fs::write(out.join("shape.rs"), shape::generate(&encoded)?)?;

    // Messages know their full name: an event's `type` is taken from its message, never written by hand.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .bytes("siyu.event.v1.Event.data")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}

fn find_protos(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    Ok(())
}
