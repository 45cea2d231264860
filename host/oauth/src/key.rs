//! An RSA key that signs for an application or a service account. It signs, and shows itself to nobody.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroize;

use crate::error::Unusable;
use crate::secret::Secret;

/// How an assertion is signed (RFC 7518 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256: what Microsoft asks for.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Google asks for.
    Rs256,
}

impl Algorithm {
    /// Its name in a header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }
}

/// A private RSA key. A clone is another handle on it; the last one overwrites it (as AWS-LC does with all it frees).
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<RsaKeyPair>,
}

impl SigningKey {
    /// The first private key of a PEM text: PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// There is none, or none that can sign.
    pub fn from_pem(pem: &Secret) -> Result<Self, Unusable> {
        let text = pem.expose();
        if text.contains("ENCRYPTED") {
            return Err(Unusable::EncryptedKey);
        }
        let mut key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| Unusable::NoKey)?;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(Unusable::NotRsa),
        };
        key.zeroize();
        // Keys of fewer than 2,048 bits are refused there.
        Ok(Self { pair: Arc::new(pair.map_err(|_| Unusable::NotRsa)?) })
    }

    /// The public half (RFC 8017 A.1.1, DER).
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A signature; none where the system has no randomness.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let padding = match algorithm {
            Algorithm::Ps256 => &RSA_PSS_SHA256,
            Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Two are the same key if their public halves are.
impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.public() == other.public()
    }
}

impl Eq for SigningKey {}
