//! The files in `configs/`, which operators start from: they hold, they name every key, and the
//! defaults that they show are the defaults.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use posthouse_simulator::keys::{ClientCertificate, Validity};

use super::fixture::directory;
use crate::config::{Loaded, load};

const FILES: [&str; 5] =
    ["posthouse.toml", "minimal.toml", "tenants/acme.toml", "tenants/globex.toml", "tenants/minimal.toml"];

/// The section that the reference leaves out, since operators have no file for it yet.
fn with_policy(text: &str) -> String {
    let lines = text.lines().map(|line| match line {
        "#[policy]" | "#[policy.settings]" | "#file = \"policies/recipient-guard.wasm\"" => &line[1..],
        line => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The reference files, edited, in a directory where everything that they name exists.
fn files(name: &str, edit: impl Fn(&str) -> String) -> PathBuf {
    let to = directory(name);
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    for part in ["tenants", "tenants/policies", "tls", "secrets", "state"] {
        fs::create_dir(to.join(part)).unwrap();
    }
    for file in FILES {
        let text = fs::read_to_string(from.join(file)).unwrap().replace("/var/lib/posthouse", "state");
        fs::write(to.join(file), edit(&with_policy(&text))).unwrap();
    }
    let named = [
        "secrets/acme-client-secret",
        "secrets/acme-gmail-refresh-token",
        "secrets/acme-outlook-refresh-token",
        "secrets/globex-password",
        "secrets/mailbox-refresh-token",
        "tenants/policies/recipient-guard.wasm",
    ];
    for file in named {
        fs::write(to.join(file), "synthetic\n").unwrap();
        fs::set_permissions(to.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    static APPLICATION: OnceLock<ClientCertificate> = OnceLock::new();
    let application = APPLICATION.get_or_init(|| ClientCertificate::new("reference", Validity::Long).unwrap());
    let account = format!(
        r#"{{"type":"service_account","client_email":"r@p.test","private_key_id":"1","private_key":"{}"}}"#,
        application.key.replace('\n', "\\n")
    );
    for (file, text) in [
        ("tls/fullchain.pem", application.certificate.as_str()),
        ("tls/privkey.pem", application.key.as_str()),
        ("tls/smarthost-ca.pem", application.certificate.as_str()),
        ("secrets/acme-app.crt", application.certificate.as_str()),
        ("secrets/acme-app.key", application.key.as_str()),
        ("secrets/acme-service-account.json", account.as_str()),
    ] {
        fs::write(to.join(file), text).unwrap();
        fs::set_permissions(to.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    to
}

/// What the reference amounts to, without the directory that it was read from.
fn meaning(name: &str, edit: impl Fn(&str) -> String) -> String {
    let directory = files(name, edit);
    let loaded = load(&directory.join("posthouse.toml"));
    assert!(loaded.errors.is_empty() && loaded.warnings.is_empty(), "{}", loaded.report());
    format!("{:#?}", loaded.config.unwrap()).replace(&directory.display().to_string(), "")
}

/// A line that shows a default, without its mark.
fn default_line(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
}

fn with_defaults_said(text: &str) -> String {
    text.lines().map(|line| default_line(line).unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_reference_has_neither_error_nor_warning() {
    let meaning = meaning("reference", str::to_owned);
    assert!(meaning.contains("globex-printers") && meaning.contains("recipient-guard.wasm"), "{meaning}");
}

#[test]
fn the_minimal_configuration_lacks_nothing_but_the_printers_listener() {
    let directory = files("minimal", str::to_owned);
    let Loaded { errors, warnings, .. } = load(&directory.join("minimal.toml"));
    let faults: Vec<String> = errors.iter().chain(&warnings).map(ToString::to_string).collect();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].contains("logins[globex-printers]: nobody can be this login"), "{faults:#?}");
}

#[test]
fn the_defaults_that_the_reference_shows_are_the_defaults() {
    assert_eq!(meaning("defaults-unsaid", str::to_owned), meaning("defaults-said", with_defaults_said));
    let shown = fs::read_to_string(files("defaults-shown", str::to_owned).join("posthouse.toml")).unwrap();
    assert!(shown.lines().filter_map(default_line).count() > 50, "the test has to look at something");
}

#[test]
fn the_reference_names_every_key() {
    // A key that cannot be known in each table: the fault lists the keys that are.
    let strange = |text: &str| {
        let with_key = |line: &str| if line.starts_with('[') { format!("{line}\nqqqq = 1") } else { line.to_owned() };
        format!("qqqq = 1\n{}", with_defaults_said(text).lines().map(with_key).collect::<Vec<_>>().join("\n"))
    };
    let directory = files("keys", strange);
    let loaded = load(&directory.join("posthouse.toml"));
    assert_eq!(loaded.errors.len(), 43, "one for each table\n{}", loaded.report());
    let text: String = FILES.map(|file| fs::read_to_string(directory.join(file)).unwrap()).concat();
    for fault in &loaded.errors {
        assert_eq!(fault.reason, "unknown key");
        let known = fault.suggestion.as_deref().unwrap().strip_prefix("the keys here are ").unwrap();
        for key in known.split('`').skip(1).step_by(2) {
            let begins = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
            let is_table = text.contains(&format!("[{key}")) || text.contains(&format!(".{key}]"));
            let is_named = text.lines().any(begins) || text.contains(&format!("`{key}`")) || is_table;
            assert!(is_named, "the reference does not name `{key}` of {}", fault.key);
        }
    }
}
