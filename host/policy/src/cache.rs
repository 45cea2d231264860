//! Compiled code on disk, so that a restart compiles nothing.
//!
//! Whoever can write a file of the cache could put machine code into the relay: so every entry carries a MAC
//! under a key that only the relay can read, over everything that makes it this entry. What does not fit is
//! not an error but a miss. What was not used for longest goes when there is too much.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use blake2::Blake2sMac256;
use blake2::digest::{FixedOutput, KeyInit, Update};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::engine::Mode;
use crate::failure::LoadError;

/// The length of the MAC that an entry begins with.
const MAC: usize = 32;
/// The most octets of entries: code of a few hundred policies. What is gone is compiled again when it is wanted.
const MOST: u64 = 1 << 30;
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
        // It was used just now. Where that cannot be noted, it may go a little early.
        let noted = fs::File::open(self.path(digest, mode)).and_then(|file| file.set_modified(SystemTime::now()));
        drop(noted);
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
        })?;
        self.sweep(MOST);
        Ok(())
    }

    /// Removes what was not used for longest until no more than so many octets are left.
    /// What cannot be looked at or removed stays: there is another sweep with the next entry.
    fn sweep(&self, most: u64) {
        let Ok(directory) = fs::read_dir(&self.directory) else { return };
        let mut entries: Vec<_> = directory
            .filter_map(|entry| {
                let (path, metadata) = entry.ok().and_then(|entry| Some((entry.path(), entry.metadata().ok()?)))?;
                Some((metadata.modified().ok()?, metadata.len(), path))
            })
            .collect();
        entries.sort_unstable();
        let mut octets: u64 = entries.iter().map(|(_, octets, _)| octets).sum();
        for (_, size, path) in entries {
            if octets <= most {
                return;
            }
            if fs::remove_file(&path).is_ok() {
                octets -= size;
            }
        }
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

/// The key, made at the first start. One that others could read is no key, and stays refused until somebody has
/// removed it with all that was made with it.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    match fs::File::open(path) {
        Ok(file) => read_key(&file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Written aside and put in place whole: a crash leaves no half of a key, and the first of two makers wins.
            let aside = path.with_extension(format!("{:016x}.tmp", getrandom::u64().map_err(no_randomness)?));
            let made = write_key(&aside).and_then(|()| fs::hard_link(&aside, path));
            let _ = fs::remove_file(&aside);
            match made {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => read_key(&fs::File::open(path)?),
            }
        }
        Err(error) => Err(error),
    }
}

fn write_key(path: &Path) -> io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(no_randomness)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()
}

fn read_key(mut file: &fs::File) -> io::Result<[u8; 32]> {
    let refused = |reason: &str| io::Error::other(format!("{reason}: remove it and the folder `policies` beside it"));
    let metadata = file.metadata()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(refused("others could read it"));
    }
    let mut key = [0; 32];
    if metadata.len() != key.len() as u64 {
        return Err(refused("it is no key of 32 octets"));
    }
    file.read_exact(&mut key)?;
    Ok(key)
}

fn no_randomness(_: getrandom::Error) -> io::Error {
    io::Error::other("the system has no randomness")
}

#[cfg(test)]
mod tests;
