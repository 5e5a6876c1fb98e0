//! Who may depend on whom: arrows point down only.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::files;

/// What each library stands on. A service stands on any of them; of services, only the program and these tests know several.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("siyu-kernel", &[]),
    ("siyu-proto", &["siyu-kernel"]),
    ("siyu-pg", &["siyu-kernel"]),
    ("siyu-runtime", &["siyu-kernel"]),
    ("siyu-vault", &["siyu-kernel", "siyu-pg"]),
    ("siyu-ledger", &["siyu-kernel", "siyu-pg"]),
    ("siyu-grpc", &["siyu-kernel", "siyu-proto", "siyu-runtime"]),
    ("siyu-events", &["siyu-kernel", "siyu-proto", "siyu-pg", "siyu-grpc", "siyu-runtime"]),
    (
        TESTKIT,
        &["siyu-kernel", "siyu-proto", "siyu-pg", "siyu-grpc", "siyu-events", "siyu-runtime"],
    ),
];
const TESTKIT: &str = "siyu-testkit";
const PROGRAM: &str = "siyu";
const TESTS: &str = "siyu-tests";

/// What the kernel, which does no IO, and the ledger's and the services' rules must never reach by themselves.
const KERNEL_WITHOUT: &[&str] = &["tokio", "tonic", "rand", "reqwest", "hyper"];

/// The packages of the project, without what somebody keeps beside them for himself.
fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(files::root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let root = metadata.workspace_root.clone();
    let is_ours = |package: &Package| {
        let manifest = package.manifest_path.strip_prefix(&root).unwrap().as_str().to_owned();
        files::all().iter().any(|file| file.path == manifest)
    };
    metadata.packages.into_iter().filter(is_ours).collect()
}

/// What a package depends on within the project, in a kind of dependency.
fn edges(package: &Package, wanted: DependencyKind) -> BTreeSet<&str> {
    let ours = package.dependencies.iter().filter(|d| d.path.is_some() && d.kind == wanted);
    ours.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn arrows_between_crates_point_down_only() {
    let packages = packages();
    let libraries: BTreeMap<&str, BTreeSet<&str>> =
        LIBRARIES.iter().map(|(name, on)| (*name, on.iter().copied().collect())).collect();
    let products: BTreeSet<&str> = libraries.keys().copied().filter(|n| *n != TESTKIT).collect();
    for package in &packages {
        let name = package.name.as_str();
        let stands_on = edges(package, DependencyKind::Normal);
        let allowed = match libraries.get(name) {
            Some(allowed) => allowed.clone(),
            None if name == PROGRAM => {
                stands_on.iter().copied().filter(|n| *n != TESTKIT).collect()
            }
            None if name == TESTS => stands_on.clone(),
            None => products.clone(),
        };
        let wrong: Vec<_> = stands_on.difference(&allowed).collect();
        assert_eq!(wrong, Vec::<&&str>::new(), "{name} may not depend on these");
    }
    let seen: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    assert!(libraries.keys().all(|name| seen.contains(name)), "{seen:?}");
    assert!(seen.contains(PROGRAM) && seen.contains(TESTS) && seen.len() >= 16, "{seen:?}");
}

#[test]
fn tests_of_a_crate_know_its_own_libraries_and_the_kit_only() {
    for package in packages().into_iter().filter(|package| package.name != TESTS) {
        let own: BTreeSet<&str> = LIBRARIES.iter().map(|(name, _)| *name).collect();
        let extra = edges(&package, DependencyKind::Development);
        let wrong: Vec<_> = extra.difference(&own).collect();
        assert_eq!(wrong, Vec::<&&str>::new(), "tests of {} may not know these", package.name);
        assert!(edges(&package, DependencyKind::Build).is_empty(), "{}", package.name);
    }
}

#[test]
fn every_package_stands_in_a_folder_of_its_name_and_takes_its_versions_from_the_workspace() {
    for package in packages() {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap().to_owned();
        let short = package.name.strip_prefix("siyu-").unwrap_or(&package.name);
        assert_eq!(short, folder, "{}", package.name);
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        // Generated code follows its generator.
        let has_lints =
            manifest.contains("[lints]\nworkspace = true") || package.name == "siyu-proto";
        assert!(has_lints, "{}: lints", package.name);
        let versions = manifest.lines().filter(|line| line.contains("version = \""));
        assert_eq!(versions.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", package.name);
    }
}

#[test]
fn the_kernel_does_no_io() {
    let packages = packages();
    let kernel = packages.iter().find(|package| package.name == "siyu-kernel").unwrap();
    let named: Vec<&str> = kernel.dependencies.iter().map(|d| d.name.as_str()).collect();
    assert!(named.iter().all(|name| !KERNEL_WITHOUT.contains(name)), "{named:?}");
}
