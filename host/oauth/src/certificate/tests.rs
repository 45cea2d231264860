//! Certificates and keys, and what is no good one.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

use super::{ClientCertificate, Validity, moment};
use crate::base64url;
use crate::der::{GENERALIZED_TIME, UTC_TIME};
use crate::error::Unusable;
use crate::fixture::{certificate, identities};
use crate::key::Algorithm;
use crate::secret::Secret;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn a_certificate_names_its_key_by_thumbprint_and_says_its_end() {
    let certificate = certificate(Algorithm::Ps256);
    // date -ud 2033-03-01 +%s
    assert_eq!(certificate.ends(), at(1_993_248_000));
    let thumbprint = base64url::text(digest(&SHA256, &identities()[0].der).as_ref());
    assert_eq!((certificate.name.field, certificate.name.value), ("x5t#S256", thumbprint));
    let later = &identities()[1];
    let named = ClientCertificate::from_pem(
        later.certificate.as_bytes(),
        &later.key,
        Algorithm::Rs256,
        Some("key-7".to_owned()),
    );
    let named = named.unwrap();
    assert_eq!((named.name.field, named.name.value.as_str()), ("kid", "key-7"));
    // date -ud 2060-03-01 +%s; from 2050 on the year has four digits.
    assert_eq!(named.ends(), at(2_845_324_800));
    // date -ud 1975-01-01 +%s
    let validity = Validity { begins: at(157_766_400), ends: named.ends() };
    assert_eq!(super::validity(later.certificate.as_bytes()), Ok(validity));
}

#[test]
fn times_of_both_kinds_are_read_and_others_are_not() {
    assert_eq!(moment((UTC_TIME, b"991231235959Z")), Some(at(946_684_799)));
    assert_eq!(moment((UTC_TIME, b"240229000000Z")), Some(at(1_709_164_800)));
    assert_eq!(moment((GENERALIZED_TIME, b"20000301000000Z")), Some(at(951_868_800)));
    for bad in
        [&b"240229000000"[..], b"2402290000Z", b"241329000000Z", b"24022900000xZ", "24é2900000Z".as_bytes(), b"Z"]
    {
        assert_eq!(moment((UTC_TIME, bad)), None, "{bad:?}");
    }
}

#[test]
fn what_cannot_be_used_is_told() {
    let [own, other] = identities();
    let made = |certificate: &str, key: &str| {
        ClientCertificate::from_pem(certificate.as_bytes(), &Secret::new(key), Algorithm::Ps256, None).unwrap_err()
    };
    let (certificate, key) = (own.certificate.as_str(), own.key.expose());
    assert_eq!(made(certificate, other.key.expose()), Unusable::OtherKey);
    assert_eq!(made(key, key), Unusable::NoCertificate);
    assert_eq!(made(certificate, certificate), Unusable::NoKey);
    assert_eq!(made(certificate, ""), Unusable::NoKey);
    assert_eq!(made(certificate, &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")), Unusable::EncryptedKey);
    let curve = rcgen::KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(made(certificate, &curve), Unusable::NotRsa);
    let cut = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n";
    assert_eq!(made(cut, key), Unusable::NoCertificate);
}

#[test]
fn no_part_of_a_certificate_cut_short_is_read_beyond_its_end() {
    let der = &identities()[0].der;
    for length in 0..der.len() {
        // No panic; and what is there before the key is not enough.
        let _ = super::contents(&der[..length]);
    }
}
