//! Certificates and keys as operators hand them in.

use rcgen::{CertificateParams, KeyPair};

use super::Acceptor;
use crate::error::Error;

fn identity() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn error(certificate: &str, key: &str) -> Error {
    Acceptor::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err()
}

#[test]
fn one_file_may_hold_both() {
    let (certificate, key) = identity();
    let both = format!("{key}{certificate}");
    Acceptor::from_pem(both.as_bytes(), both.as_bytes()).unwrap();
}

#[test]
fn what_is_missing_is_named() {
    let (certificate, key) = identity();
    assert!(matches!(error("", &key), Error::NoCertificate));
    assert!(matches!(error(&key, &key), Error::NoCertificate));
    assert!(matches!(error(&certificate, ""), Error::NoKey));
    assert!(matches!(error(&certificate, &certificate), Error::NoKey));
}

#[test]
fn what_is_damaged_is_named() {
    let (certificate, key) = identity();
    let cut = |pem: &str| pem[..pem.len() - 30].to_owned();
    assert!(matches!(error(&cut(&certificate), &key), Error::DamagedPem { what: "certificate", .. }));
    assert!(matches!(error(&certificate, &cut(&key)), Error::DamagedPem { what: "private key", .. }));
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(error(empty, &key), Error::Certificate(_)));
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let ((certificate, _), (_, other)) = (identity(), identity());
    assert!(matches!(error(&certificate, &other), Error::KeyMismatch));
}

#[test]
fn an_encrypted_key_is_told_apart_from_none() {
    let (certificate, _) = identity();
    let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(matches!(error(&certificate, key), Error::EncryptedKey));
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    assert!(matches!(error(&certificate, old), Error::EncryptedKey));
}
