//! Whom a connector may be told to trust.

use std::process::Command;

use rcgen::{CertificateParams, KeyPair};

use super::{Connector, Trust};
use crate::error::Error;

/// Set in the process whose system has the roots that a test gives it.
const EXPECTED: &str = "POSTHOUSE_TEST_SYSTEM_ROOTS";

fn root() -> String {
    CertificateParams::new(Vec::new()).unwrap().self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn error(pem: &str) -> Error {
    Connector::new(&Trust::Pem(pem.as_bytes().to_vec())).unwrap_err()
}

#[test]
fn several_roots_may_be_given() {
    Connector::new(&Trust::Pem(format!("{}{}", root(), root()).into_bytes())).unwrap();
}

#[test]
fn roots_that_cannot_be_used_are_told_and_not_left_out() {
    assert!(matches!(error("nonsense"), Error::NoCertificate));
    let root = root();
    let cut = format!("{root}{}", &root[..root.len() - 30]);
    assert!(matches!(error(&cut), Error::DamagedPem { what: "certificate", .. }));
    let empty = format!("{root}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(matches!(error(&empty), Error::Root(_)));
}

#[test]
fn a_name_that_no_certificate_bears_is_the_operators_fault() {
    for name in ["smtp.example.com", "192.0.2.1", "::1"] {
        assert!(Connector::server_name(name).is_ok(), "{name}");
    }
    for name in ["", "smtp example", "a..b", "-"] {
        assert!(matches!(Connector::server_name(name), Err(Error::ServerName(_))), "{name}");
    }
}

/// What the system trusts is told by the environment, so this runs in a process of its own.
#[test]
fn the_systems_roots_are_used_and_their_lack_is_told() {
    if let Ok(expected) = std::env::var(EXPECTED) {
        let outcome = Connector::new(&Trust::System).map(drop);
        let is_lack = matches!(outcome, Err(Error::NoSystemRoots { .. }));
        return assert!(if expected == "none" { is_lack } else { outcome.is_ok() }, "{outcome:?}");
    }
    let folder = std::env::temp_dir().join(format!("posthouse-net-roots-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (expected, pem) in [("none", String::new()), ("one", root())] {
        let file = folder.join(expected);
        std::fs::write(&file, pem).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "connector::tests::the_systems_roots_are_used_and_their_lack_is_told"]);
        child.env_remove("SSL_CERT_DIR").env("SSL_CERT_FILE", &file).env(EXPECTED, expected);
        let ended = child.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
