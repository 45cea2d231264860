//! The store of the state directory, opened when the relay starts, and the file of its keys.
//!
//! One process has it at a time: nothing that may run beside a relay (`posthouse check`) opens it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthouse_store::error::Error as StoreError;
use posthouse_store::keys::{Keys, NoKeys};
use posthouse_store::store::Store;
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::config::store::StoreKeys;

/// The keys' own file in the state directory.
const KEY_FILE: &str = "store.key";

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of its keys cannot be read or made.
    #[error("cannot {attempt} {}: {source}", .path.display())]
    KeyFile {
        /// What was attempted.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is in it is no key.
    #[error("{}: {source}", .path.display())]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: NoKeys,
    },
    /// Others could read it.
    #[error("others than its owner can read {}: `chmod 600` it, and think of whoever may have read it", .path.display())]
    Readable {
        /// The file.
        path: PathBuf,
    },
    /// There is a store, and not the key that it was begun with.
    #[error(
        "there is a store and no key file {}: put the key file back, or name the keys in [store]; without them move \
         the store away, and give the accounts new refresh tokens",
        .path.display()
    )]
    KeyGone {
        /// The file.
        path: PathBuf,
    },
}

/// Opens the store; none without a state directory. Blocks.
pub(crate) fn open(config: &Config) -> Result<Option<Arc<Store>>, StateError> {
    // A directory that is not there is a warning of the configuration: what cannot be kept lives as long as the process.
    let Some(directory) = config.state_directory.as_deref().filter(|directory| directory.is_dir()) else {
        return Ok(None);
    };
    let keys = match &config.store_keys {
        StoreKeys::Given(keys) => keys.clone(),
        StoreKeys::OwnFile => own_keys(directory)?,
    };
    let store = Store::open(directory, keys)?;
    seal_anew(&store);
    let torn = store.budgets().torn();
    if torn > 0 {
        warn!(
            octets = torn,
            "the end of the budgets' journal was torn: what was taken last before the end is not counted"
        );
    }
    Ok(Some(Arc::new(store)))
}

/// Where the operator gives a new key before the old ones, the next start without these has to find everything under it.
fn seal_anew(store: &Store) {
    match store.refresh_tokens().reencrypt() {
        Ok(0) => {}
        Ok(count) => info!(count, "refresh tokens sealed anew under the first key"),
        // That of an account which is still there is an error of its own, soon after.
        Err(error) => warn!(%error, "refresh tokens are not sealed anew"),
    }
}

fn own_keys(directory: &Path) -> Result<Keys, StateError> {
    let path = directory.join(KEY_FILE);
    match fs::File::open(&path) {
        Ok(file) => read(&file, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound && Store::exists(directory) => {
            Err(StateError::KeyGone { path })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(source) => Err(StateError::KeyFile { attempt: "open", path, source }),
    }
}

fn read(mut file: &fs::File, path: PathBuf) -> Result<Keys, StateError> {
    let mut octets = Zeroizing::new(Vec::new());
    let metadata = file.metadata().and_then(|metadata| {
        io::Read::read_to_end(&mut file, &mut octets)?;
        Ok(metadata)
    });
    match metadata {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Err(StateError::Readable { path }),
        Ok(_) => Keys::parse(&octets).map_err(|source| StateError::NoKeys { path, source }),
        Err(source) => Err(StateError::KeyFile { attempt: "read", path, source }),
    }
}

/// Written aside and put in place whole: a crash leaves no half of a key. Of two makers the first one wins, and the store
/// is not begun before the key is there.
fn make(path: &Path) -> Result<Keys, StateError> {
    let failed = |source| StateError::KeyFile { attempt: "make", path: path.to_owned(), source };
    let (_, line) = Keys::generate()?;
    let unique = getrandom::u64().map_err(|_| StoreError::Randomness)?;
    let aside = path.with_extension(format!("{unique:016x}.new"));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).and_then(|mut file| {
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&aside, path)?;
        path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
    });
    let _ = fs::remove_file(&aside);
    match made {
        Ok(()) => info!(file = %path.display(), "made a key for the store"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    read(&fs::File::open(path).map_err(failed)?, path.to_owned())
}

#[cfg(test)]
mod tests;
