//! A configuration without a fault, and what is told when parts of it are something else.

use std::path::PathBuf;

use crate::config::{Config, Loaded, from_toml};

/// A hash of a password that nobody knows.
pub(super) const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

pub(super) const MAIN: &str = r#"hostname = "relay.example.com"

[[listeners]]
name = "submission"
address = "127.0.0.1:2525"
tls = "none"
"#;

pub(super) const ACME: &str = r#"default_route = "main"

[[logins]]
name = "acme-app"
password = "HASH"
senders = ["app@example.com", "@example.org"]

[[accounts]]
id = "acme-gmail"
address = "app@example.com"
provider = "gmail"
[accounts.grant]
kind = "refresh_token"
client_id = "posthouse"
client_secret = "env:CARGO_PKG_NAME"
refresh_token = "env:CARGO_MANIFEST_DIR"

[[routes]]
name = "main"
accounts = ["acme-gmail"]
"#;

/// Reads a main text and the tenant `acme`.
pub(super) fn loaded(main: &str, acme: &str) -> Loaded {
    from_toml(main, &[("acme", &acme.replace("HASH", HASH))])
}

/// The configuration of these texts, which has no error.
pub(super) fn config(main: &str, acme: &str) -> Config {
    let loaded = loaded(main, acme);
    assert!(loaded.errors.is_empty(), "{}", loaded.report());
    loaded.config.unwrap()
}

/// The errors of these texts, each in a line.
pub(super) fn errors(main: &str, acme: &str) -> Vec<String> {
    let loaded = loaded(main, acme);
    assert_eq!(loaded.config.is_none(), !loaded.errors.is_empty());
    loaded.errors.iter().map(ToString::to_string).collect()
}

/// The warnings of these texts, which have no error.
pub(super) fn warnings(main: &str, acme: &str) -> Vec<String> {
    let loaded = loaded(main, acme);
    assert!(loaded.errors.is_empty(), "{}", loaded.report());
    loaded.warnings.iter().map(ToString::to_string).collect()
}

/// The one error of a main text that ends in this.
pub(super) fn main_error(more: &str) -> String {
    one(errors(&format!("{MAIN}{more}"), ACME))
}

/// The one error of a tenant's text where one piece is replaced by another.
pub(super) fn acme_error(piece: &str, by: &str) -> String {
    assert!(ACME.contains(piece), "{piece}");
    one(errors(MAIN, &ACME.replacen(piece, by, 1)))
}

pub(super) fn one(faults: Vec<String>) -> String {
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.into_iter().next().unwrap()
}

/// A directory that nobody else has; it stays for whoever wants to look.
pub(super) fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("posthouse-config-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}
