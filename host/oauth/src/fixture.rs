//! Keys and certificates for this crate's tests, made anew; and what the other side would do with what they sign.

use std::sync::OnceLock;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::Value;

use crate::certificate::ClientCertificate;
use crate::key::Algorithm;
use crate::secret::Secret;

/// An application's certificate and key, in PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) der: Vec<u8>,
    pub(crate) key: Secret,
    pub(crate) public: Vec<u8>,
}

/// A key and a certificate that ends at noon of 1 March 2033. Making a key takes a while: there are two.
pub(crate) fn identities() -> &'static [Identity; 2] {
    static MADE: OnceLock<[Identity; 2]> = OnceLock::new();
    MADE.get_or_init(|| [identity(2033), identity(2060)])
}

fn identity(year: i32) -> Identity {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 3, 1);
    let certificate = params.self_signed(&pair).unwrap();
    Identity {
        certificate: certificate.pem(),
        der: certificate.der().to_vec(),
        key: Secret::new(pair.serialize_pem()),
        public: pair.public_key_raw().to_vec(),
    }
}

pub(crate) fn certificate(algorithm: Algorithm) -> ClientCertificate {
    let identity = &identities()[0];
    ClientCertificate::from_pem(identity.certificate.as_bytes(), &identity.key, algorithm, None).unwrap()
}

/// Header and claims of a token whose signature holds under this key.
pub(crate) fn verified(token: &str, public: &[u8]) -> Option<(Value, Value)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&decoded(header)?).ok()?;
    let algorithm = match header["alg"].as_str()? {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return None,
    };
    UnparsedPublicKey::new(algorithm, public).verify(signed.as_bytes(), &decoded(signature)?).ok()?;
    Some((header, serde_json::from_slice(&decoded(claims)?).ok()?))
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for (index, letter) in group.iter().enumerate() {
            let value = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits |= u32::from(value) << (18 - 6 * index);
        }
        octets.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(octets)
}
