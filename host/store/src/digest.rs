//! What names octets: their SHA-256, written as `sha256sum` shows it.

use std::fmt::{self, Write};
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// The SHA-256 of some octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no digest of 64 hexadecimal digits")]
pub struct NoDigest;

impl Digest {
    /// Of these octets.
    pub fn of(octets: &[u8]) -> Self {
        let mut of = [0; 32];
        of.copy_from_slice(digest(&SHA256, octets).as_ref());
        Self(of)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let mut octets = [0; 32];
        from_hex(text, &mut octets).then_some(Self(octets)).ok_or(NoDigest)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = NoDigest;

    fn try_from(text: String) -> Result<Self, NoDigest> {
        text.parse()
    }
}

/// Octets as hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String takes what is written");
        text
    })
}

/// Hexadecimal digits as octets; whether the text is exactly so many.
pub(crate) fn from_hex(text: &str, octets: &mut [u8]) -> bool {
    let digits = text.as_bytes();
    if digits.len() != octets.len() * 2 {
        return false;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).zip(octets).all(|(pair, octet)| match (value(pair[0]), value(pair[1])) {
        (Some(high), Some(low)) => {
            *octet = high << 4 | low;
            true
        }
        _ => false,
    })
}
