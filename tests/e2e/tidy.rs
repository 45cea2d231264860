//! The architecture, held by what can be read off the tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is in the project").to_owned()
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of the project").flatten() {
        let path = entry.path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("target" | "corpus" | "artifacts") => {}
            _ if path.is_dir() => rust_files(&path, found),
            _ if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            _ => {}
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    rust_files(&root().join("host"), &mut found);
    rust_files(&root().join("tests"), &mut found);
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a source file"))).collect()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (path, text) in sources() {
        let name = path.display();
        assert!(
            text.starts_with("//!") || path.starts_with(root().join("tests/fuzz")),
            "{name} does not say what it is"
        );
        assert!(!path.ends_with("mod.rs"), "{name}");
        assert!(is_test(&path) || text.lines().count() <= 500, "{name} is longer than 500 lines");
    }
    for short in ["host/relay/src/session.rs", "host/relay/src/transaction.rs"] {
        let lines = fs::read_to_string(root().join(short)).expect("a source file").lines().count();
        assert!(lines < 250, "{short} has {lines} lines");
    }
}

/// Each crate's own dependencies among ours, and the heavy ones that have one owner.
#[test]
fn crates_import_what_they_may() {
    for (krate, allowed) in [
        ("smtp", &[][..]),
        ("mail", &[]),
        ("net", &[]),
        ("oauth", &[]),
        ("policy", &["mail"]),
        ("upstream", &["smtp", "mail", "net"]),
        ("store", &[]),
        ("simulator", &["smtp", "net"]),
        ("relay", &["smtp", "mail", "net", "oauth", "policy", "upstream", "store", "simulator"]),
    ] {
        let manifest = fs::read_to_string(root().join(format!("host/{krate}/Cargo.toml"))).expect("a manifest");
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if let Some(ours) = name.strip_prefix("posthouse-") {
                assert!(allowed.contains(&ours), "{krate} must not import {ours}");
            }
            for (heavy, owner) in [
                ("tokio-rustls", "net"),
                ("rustls", "net"),
                ("reqwest", "oauth"),
                ("axum", "relay"),
                ("wasmtime", "policy"),
                ("redb", "store"),
            ] {
                assert!(name != heavy || krate == owner, "{krate} must not import {heavy}");
            }
            assert!(krate != "smtp" || name.is_empty() || name == "memchr", "smtp must not import {name}");
            assert!(krate != "mail" || name.is_empty() || name == "memchr", "mail must not import {name}");
        }
    }
}

/// Guests are compiled for another machine: nothing of theirs is built with the relay, and nothing of the relay with them.
#[test]
fn guests_are_other_workspaces() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a file of the project");
    for workspace in ["plugins", "tests/guests"] {
        assert!(read(&format!("{workspace}/Cargo.toml")).contains("[workspace]"), "{workspace} is no workspace");
        assert!(
            !read("Cargo.toml").contains(&format!("\"{workspace}")),
            "{workspace} is a part of the relay's workspace"
        );
        for name in ["mail", "net", "oauth", "relay", "simulator", "smtp", "store", "upstream"] {
            let package = format!("name = \"posthouse-{name}\"");
            assert!(!read(&format!("{workspace}/Cargo.lock")).contains(&package), "{workspace} imports {name}");
        }
    }
    assert!(!read("Cargo.lock").contains("name = \"posthouse-policy-sdk\""), "the relay imports the SDK");
}

#[test]
fn sans_io_crates_know_no_clock_and_no_socket() {
    for (path, text) in sources() {
        let sans_io = ["host/smtp/src", "host/mail/src"].iter().any(|krate| path.starts_with(root().join(krate)));
        for word in ["tokio", "Instant", "SystemTime", "std::net::Tcp", "std::fs", "println!", "tracing"] {
            assert!(!sans_io || is_test(&path) || !text.contains(word), "{} knows {word}", path.display());
        }
    }
}

/// What operators look up: each metric by its full name, and none that there is not.
#[test]
fn the_document_of_metrics_names_each_of_them_and_no_other() {
    let is_relay = |path: &Path| path.starts_with(root().join("host/relay/src")) && !is_test(path);
    let relay: Vec<String> = sources().into_iter().filter(|(path, _)| is_relay(path)).map(|(_, text)| text).collect();
    let counted: BTreeSet<&str> =
        relay.iter().flat_map(|text| text.split('"')).filter(|word| is_metric(word)).collect();
    assert!(counted.len() > 50, "the test has to look at something");
    for (document, has_all) in [("configs/METRICS.md", true), ("configs/README.md", false)] {
        let text = fs::read_to_string(root().join(document)).expect("a document of the project");
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let named: BTreeSet<&str> = words.filter(|word| is_metric(word)).collect();
        let invented: Vec<_> = named.difference(&counted).collect();
        assert!(invented.is_empty(), "{document} names {invented:?}, which nothing counts");
        let missing: Vec<_> = counted.difference(&named).collect();
        assert!(!has_all || missing.is_empty(), "{document} does not name {missing:?}");
    }
}

/// Whether a word is a metric's whole name.
fn is_metric(word: &str) -> bool {
    let is_name =
        |rest: &str| !rest.is_empty() && rest.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_');
    word.strip_prefix("posthouse_").is_some_and(is_name)
}
