//! Whom a connector may be told to trust.

use rcgen::{CertificateParams, KeyPair};

use super::{Connector, Trust};
use crate::error::Error;

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
