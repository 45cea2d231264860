//! The committed artefacts belong to the sources beside them: who changes one commits the other too.
//!
//! The digests are those that `plugins/build` writes; its head says what they are made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn hex(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

fn read(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a folder, in no order.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries.flatten().map(|entry| entry.file_name().into_string().expect("names in UTF-8")).collect()
}

fn rust_files(folder: &str, found: &mut BTreeSet<String>) {
    for path in names(folder).into_iter().map(|name| format!("{folder}/{name}")) {
        if root().join(&path).is_dir() {
            rust_files(&path, found);
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
}

/// The policies and guests of a workspace: its folders with a crate in them, but for the SDK.
fn crates(workspace: &str) -> BTreeSet<String> {
    let is_crate = |name: &String| name != "sdk" && root().join(workspace).join(name).join("Cargo.toml").is_file();
    names(workspace).into_iter().filter(is_crate).collect()
}

/// The digest of all that an artefact is made of.
fn sources(workspace: &str, name: &str) -> String {
    let mut paths = BTreeSet::from([
        format!("{workspace}/{name}/Cargo.toml"),
        "plugins/sdk/Cargo.toml".to_owned(),
        format!("{workspace}/Cargo.toml"),
        format!("{workspace}/Cargo.lock"),
    ]);
    rust_files(&format!("{workspace}/{name}/src"), &mut paths);
    rust_files("plugins/sdk/src", &mut paths);
    let is_wit = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "wit");
    paths.extend(names("wit").into_iter().filter(is_wit).map(|name| format!("wit/{name}")));
    hex(paths.iter().map(|path| format!("{}  {path}\n", hex(&read(path)))).collect::<String>().as_bytes())
}

/// What is wrong with a workspace's artefacts.
fn stale(workspace: &str) -> Vec<String> {
    let record = String::from_utf8(read(&format!("{workspace}/prebuilt/SOURCES"))).expect("a text");
    let recorded: BTreeSet<&str> = record.lines().filter(|line| !line.starts_with('#')).collect();
    let crates = crates(workspace);
    assert!(!crates.is_empty() && recorded.len() == crates.len(), "{workspace}/prebuilt/SOURCES has a line for each");
    let mut stale = Vec::new();
    for name in crates {
        let artefact = format!("{workspace}/prebuilt/{name}.wasm");
        let line = format!("{name}.wasm  {}  {}", hex(&read(&artefact)), sources(workspace, &name));
        if !recorded.contains(line.as_str()) {
            stale.push(format!("{artefact} does not belong to its sources"));
        }
    }
    stale
}

#[test]
fn artefacts_belong_to_their_sources() {
    let stale = [stale("plugins"), stale("tests/guests")].concat();
    assert!(stale.is_empty(), "{}\nrun `plugins/build` and commit what it makes", stale.join("\n"));
}
