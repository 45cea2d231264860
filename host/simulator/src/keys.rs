//! RSA keys as providers hand them out or have them uploaded: certificates of applications, keys of service accounts.

use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde_json::{Value, json};

use crate::assertion;
use crate::error::Error;

/// An application's certificate and key: the certificate is uploaded, the key stays with the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its key, PEM (PKCS#8).
    pub key: String,
    pub(crate) public: PublicKey,
    pub(crate) ends: SystemTime,
}

/// How long a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Until 2090.
    Long,
    /// It was, until the beginning of 2025.
    Expired,
}

/// The public half of a key and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// The certificate's thumbprint, or the id that the provider has given the key.
    pub(crate) name: String,
    /// SubjectPublicKeyInfo, DER.
    pub(crate) octets: Vec<u8>,
}

impl ClientCertificate {
    /// A self-signed certificate with a new RSA key of 2,048 bits, which no provider knows yet.
    ///
    /// # Errors
    /// The name cannot stand in a certificate.
    pub fn new(name: &str, validity: Validity) -> Result<Self, Error> {
        let pair = rsa()?;
        let mut params = CertificateParams::new(Vec::new()).map_err(Error::Certificate)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2024, 1, 1);
        params.not_after = match validity {
            Validity::Long => rcgen::date_time_ymd(2090, 1, 1),
            Validity::Expired => rcgen::date_time_ymd(2025, 1, 1),
        };
        let ends = params.not_after.into();
        let certificate = params.self_signed(&pair).map_err(Error::Certificate)?;
        let name = assertion::fingerprint(certificate.der());
        let public = PublicKey { name, octets: pair.subject_public_key_info() };
        Ok(Self { certificate: certificate.pem(), key: pair.serialize_pem(), public, ends })
    }
}

/// A new key of a service account: its public half, and the key file.
pub(crate) fn service_account(email: &str, number: usize) -> Result<(PublicKey, String), Error> {
    let pair = rsa()?;
    let name = format!("key-{number}");
    let file = json!({
        "type": "service_account",
        "project_id": "posthouse-simulator",
        "private_key_id": name,
        "private_key": pair.serialize_pem(),
        "client_email": email,
        "client_id": "100000000000000000001",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    Ok((PublicKey { name, octets: pair.subject_public_key_info() }, file.to_string()))
}

/// An issuer of tokens outside of the providers, such as a Kubernetes cluster.
pub(crate) struct Issuer {
    pair: RsaKeyPair,
    pub(crate) public: PublicKey,
}

impl Issuer {
    pub(crate) fn new() -> Result<Self, Error> {
        let made = rsa()?;
        let pair = RsaKeyPair::from_pkcs8(&made.serialize_der()).map_err(|_| Error::Key)?;
        let public = PublicKey { name: "issuer".to_owned(), octets: made.subject_public_key_info() };
        Ok(Self { pair, public })
    }

    /// A signed token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> Result<String, Error> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.public.name });
        let part = |value: &Value| assertion::encoded(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).map_err(|_| Error::Key)?;
        Ok(format!("{signed}.{}", assertion::encoded(&signature)))
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").finish_non_exhaustive()
    }
}

fn rsa() -> Result<KeyPair, Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(Error::Certificate)
}
