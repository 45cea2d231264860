//! The keys that secrets are sealed under: the first one writes, all of them read.
//!
//! Pure from octets: whoever has read a file, a variable of the environment or a systemd credential hands its contents
//! in. Each key is named by a short digest, so that a record can say which one it wants.

pub(crate) mod seal;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::digest::{from_hex, hex};
use crate::error::Error;

/// Octets of a key.
pub const KEY_OCTETS: usize = 32;
const ID_OCTETS: usize = 4;

/// What a key is called: eight hexadecimal digits that tell nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; ID_OCTETS]);

/// Keys, at least one.
#[derive(Clone)]
pub struct Keys {
    keys: Arc<[Key]>,
}

struct Key {
    id: KeyId,
    cipher: RandomizedNonceKey,
}

/// Why octets are no keys. The message does not show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// There is nothing.
    #[error("there is no key in it: `head -c 32 /dev/urandom | base64` makes one")]
    Empty,
    /// A line is no key.
    #[error(
        "line {line} is no key: expected 32 octets as base64 or as 64 hexadecimal digits, one key a line, the newest \
         first (`head -c 32 /dev/urandom | base64` makes one)"
    )]
    Line {
        /// The line, from 1.
        line: usize,
    },
}

impl Keys {
    /// What is in a file, a variable or a credential: 32 octets as they are, or lines of text with a key each, in
    /// base64 or hexadecimal. Empty lines and those that begin with `#` are left out.
    ///
    /// # Errors
    /// There is no key, or something that is none.
    pub fn parse(octets: &[u8]) -> Result<Self, NoKeys> {
        if octets.len() == KEY_OCTETS {
            return Self::new(vec![Key::new(octets)]);
        }
        let mut keys = Vec::new();
        for (text, line) in octets.split(|octet| *octet == b'\n').zip(1..) {
            let text = text.trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let key = key_of_text(text).ok_or(NoKeys::Line { line })?;
            keys.push(Key::new(&*key));
        }
        Self::new(keys)
    }

    /// A new key, and the line to keep it by.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<(Self, Zeroizing<String>), Error> {
        let mut key = Zeroizing::new([0; KEY_OCTETS]);
        getrandom::fill(&mut *key).map_err(|_| Error::Randomness)?;
        let line = Zeroizing::new(format!("{}\n", &*Zeroizing::new(STANDARD.encode(*key))));
        Ok((Self { keys: [Key::new(&*key)].into() }, line))
    }

    /// The names of the keys, the one that writes first.
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys.iter().map(|key| key.id).collect()
    }

    fn new(keys: Vec<Key>) -> Result<Self, NoKeys> {
        if keys.is_empty() { Err(NoKeys::Empty) } else { Ok(Self { keys: keys.into() }) }
    }

    fn first(&self) -> &Key {
        &self.keys[0] // There is at least one.
    }
}

/// Where systemd puts a credential (`LoadCredential=`): its file in `$CREDENTIALS_DIRECTORY`.
pub fn credential_path(credentials_directory: &Path, name: &str) -> PathBuf {
    credentials_directory.join(name)
}

impl Key {
    /// Neither the key that encrypts nor the name is the secret itself: both are derived (HKDF, RFC 5869).
    fn new(secret: &[u8]) -> Self {
        let secret = Salt::new(HKDF_SHA256, b"posthouse store").extract(secret);
        let mut id = [0; ID_OCTETS];
        derive(&secret, b"key id", &mut id);
        let mut encryption = Zeroizing::new([0; KEY_OCTETS]);
        derive(&secret, b"refresh tokens: aes-256-gcm", &mut *encryption);
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &*encryption).expect("32 octets are a key of AES-256");
        Self { id: KeyId(id), cipher }
    }
}

fn derive(from: &Prk, purpose: &[u8], into: &mut [u8]) {
    struct Octets(usize);
    impl KeyType for Octets {
        fn len(&self) -> usize {
            self.0
        }
    }
    let purpose = [purpose];
    let derived = from.expand(&purpose, Octets(into.len())).and_then(|material| material.fill(into));
    derived.expect("HKDF-SHA256 gives up to 8160 octets");
}

fn key_of_text(text: &[u8]) -> Option<Zeroizing<[u8; KEY_OCTETS]>> {
    let mut key = Zeroizing::new([0; KEY_OCTETS]);
    let text = std::str::from_utf8(text).ok()?;
    if from_hex(text, &mut *key) {
        return Some(key);
    }
    // One octet more than a key, or the decoder says too early that it has no place for what is too long.
    let mut decoded = Zeroizing::new([0; KEY_OCTETS + 4]);
    let standard = STANDARD.decode_slice(text, &mut *decoded);
    let length = standard.or_else(|_| URL_SAFE_NO_PAD.decode_slice(text.trim_end_matches('='), &mut *decoded)).ok()?;
    if length != KEY_OCTETS {
        return None;
    }
    key.copy_from_slice(&decoded[..KEY_OCTETS]);
    Some(key)
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PartialEq for Keys {
    /// By their names, in order.
    fn eq(&self, other: &Self) -> bool {
        self.keys.iter().map(|key| key.id).eq(other.keys.iter().map(|key| key.id))
    }
}

impl fmt::Debug for Keys {
    /// Their names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.ids()).finish()
    }
}

#[cfg(test)]
mod tests;
