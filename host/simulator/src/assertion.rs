//! Assertions (RFC 7523): a signed token is taken apart, and its signature and its claims are checked.
//!
//! Which key may sign is the caller's affair. Nothing of a token is believed before its signature holds.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

/// How far a client's clock may be off (Google and Microsoft bear five minutes).
const TOLERANCE: u64 = 300;
/// The longest time for which an assertion may be valid.
const LONGEST: u64 = 3_600;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An assertion that nobody has checked.
#[derive(Debug)]
pub(crate) struct Assertion<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    header: Value,
    claims: Value,
}

/// Whether an assertion's time is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeliness {
    Timely,
    /// Not yet, no longer, or for too long.
    Untimely,
}

impl<'a> Assertion<'a> {
    /// The parts of a token in compact form; none where it is no such token.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&decoded(part)?).ok();
        Some(Self { signed, signature: decoded(signature)?, header: json(header)?, claims: json(claims)? })
    }

    /// A field of the header: by it a key is looked for, and nothing else.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.header[name].as_str().unwrap_or_default()
    }

    /// Whose it says it is: by it keys are looked for, and nothing else.
    pub(crate) fn issuer(&self) -> &str {
        self.claims["iss"].as_str().unwrap_or_default()
    }

    /// The claims, if the signature holds under this key (SubjectPublicKeyInfo, DER) by an algorithm that is taken.
    pub(crate) fn claims(&self, key: &[u8], algorithms: &[&str]) -> Option<Claims<'_>> {
        let algorithm = match self.header("alg") {
            name if !algorithms.contains(&name) => return None,
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return None,
        };
        UnparsedPublicKey::new(algorithm, key).verify(self.signed.as_bytes(), &self.signature).ok()?;
        Some(Claims(&self.claims))
    }
}

/// What a signature vouches for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claims<'a>(&'a Value);

impl<'a> Claims<'a> {
    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.0[name].as_str().unwrap_or_default()
    }

    /// Whether it is valid now, `exp` being demanded and `beginning` (`iat` or `nbf`) too.
    pub(crate) fn timeliness(&self, beginning: &str, now: SystemTime) -> Timeliness {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        match (self.0[beginning].as_u64(), self.0["exp"].as_u64()) {
            (Some(begins), Some(ends))
                if begins <= now + TOLERANCE && now < ends + TOLERANCE && ends.saturating_sub(begins) <= LONGEST =>
            {
                Timeliness::Timely
            }
            _ => Timeliness::Untimely,
        }
    }

    /// When it can be forgotten.
    pub(crate) fn forgotten_at(&self) -> SystemTime {
        let ends = self.0["exp"].as_u64().unwrap_or_default().saturating_add(TOLERANCE);
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(ends)).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// The SHA-256 of these octets in base64url: the thumbprint of a certificate, the challenge of a verifier.
pub(crate) fn fingerprint(octets: &[u8]) -> String {
    encoded(digest(&SHA256, octets).as_ref())
}

/// base64url without padding.
pub(crate) fn encoded(octets: &[u8]) -> String {
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits =
            group.iter().enumerate().fold(0, |bits, (index, octet)| bits | u32::from(*octet) << (16 - 8 * index));
        for place in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for (index, letter) in group.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            bits |= u32::try_from(value).ok()? << (18 - 6 * index);
        }
        octets.extend_from_slice(bits.to_be_bytes().get(1..group.len())?);
    }
    Some(octets)
}
