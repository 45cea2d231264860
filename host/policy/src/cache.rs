//! Compiled code on disk, so that a restart compiles nothing.
//!
//! Whoever can write a file of the cache could put machine code into the relay: so every entry carries a MAC
//! under a key that only the relay can read, over everything that makes it this entry. What does not fit is
//! not an error but a miss.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use blake2::Blake2sMac256;
use blake2::digest::{FixedOutput, KeyInit, Update};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::engine::Mode;
use crate::failure::LoadError;

/// The length of the MAC that an entry begins with.
const MAC: usize = 32;
/// The name of the key's file.
const KEY: &str = "code-cache.key";

/// What names a file's contents: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these octets.
    pub fn of(file: &[u8]) -> Self {
        Self(Sha256::digest(file).into())
    }
}

impl std::fmt::Display for Digest {
    /// As `sha256sum` shows it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The cache.
pub struct Cache {
    directory: PathBuf,
    key: [u8; 32],
}

impl Cache {
    /// The cache `policies/` in the relay's state directory; made where it is not there yet.
    ///
    /// # Errors
    /// The directory or the key cannot be used.
    pub fn open(state: &Path) -> Result<Self, LoadError> {
        let directory = state.join("policies");
        let failed = |path: &Path, error: io::Error| LoadError::Cache {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| failed(&directory, error))?;
        let key_file = state.join(KEY);
        let key = key(&key_file).map_err(|error| failed(&key_file, error))?;
        Ok(Self { directory, key })
    }

    /// The code of a file, if it is there and unchanged.
    pub fn load(&self, digest: Digest, mode: Mode) -> Option<Vec<u8>> {
        let mut entry = fs::read(self.path(digest, mode)).ok()?;
        let code = entry.get(MAC..)?;
        if !bool::from(self.mac(digest, mode, code).ct_eq(&entry[..MAC])) {
            return None;
        }
        entry.drain(..MAC);
        Some(entry)
    }

    /// Keeps the code of a file: written aside, made durable, and put in place whole.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn store(&self, digest: Digest, mode: Mode, code: &[u8]) -> Result<(), LoadError> {
        let path = self.path(digest, mode);
        let aside = path.with_extension(format!("{:016x}.tmp", unique()?));
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(&self.mac(digest, mode, code))?;
            file.write_all(code)?;
            file.sync_all()?;
            fs::rename(&aside, &path)
        };
        write().map_err(|error: io::Error| {
            let _ = fs::remove_file(&aside);
            LoadError::Cache { path: path.display().to_string(), reason: error.to_string() }
        })
    }

    fn path(&self, digest: Digest, mode: Mode) -> PathBuf {
        self.directory.join(format!("{digest}-{}.code", mode.name()))
    }

    fn mac(&self, digest: Digest, mode: Mode, code: &[u8]) -> [u8; MAC] {
        let mut mac = Blake2sMac256::new_from_slice(&self.key).expect("32 octets are a key of Blake2s");
        for part in [env!("CARGO_PKG_VERSION").as_bytes(), mode.name().as_bytes(), &digest.0, code] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize_fixed().into()
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A number that no other writer has: two tenants with one policy may store it at the same time.
fn unique() -> Result<u64, LoadError> {
    getrandom::u64().map_err(|_| LoadError::Engine("the system has no randomness".to_owned()))
}

/// The key, made at the first start. One that others can read is no key.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            getrandom::fill(&mut key).map_err(|_| io::Error::other("the system has no randomness"))?;
            file.write_all(&key)?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut file = fs::File::open(path)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(path, Permissions::from_mode(0o600))?;
                return Err(io::Error::other("others could read it: remove it and the folder `policies` beside it"));
            }
            file.read_exact(&mut key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

#[cfg(test)]
mod tests;
