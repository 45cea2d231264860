//! Rotated refresh tokens in files of their own: one for each account, readable by nobody else,
//! whole or not there.
//!
//! A file belongs to the refresh token of the configuration it grew from: when an operator puts a new
//! one there, the old chain is left behind.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use blake2::{Blake2s256, Digest};
use posthouse_oauth::cache::Rotation;
use posthouse_oauth::grant::Grant;
use posthouse_oauth::secret::Secret;

/// The file of one account.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn new(directory: &Path, tenant: &str, account: &str, grant: &Grant) -> Self {
        let Grant::RefreshToken { refresh_token, .. } = grant;
        // A hash that stays the same from one release to the next: the file has to be found again.
        let digest = Blake2s256::digest(refresh_token.expose());
        let origin: String = digest[..8].iter().map(|octet| format!("{octet:02x}")).collect();
        Self { path: directory.join(format!("{tenant}.{account}.{origin}.refresh-token")) }
    }
}

impl Rotation for File {
    /// Written beside its place, synced, and moved there: a crash leaves the old one or the new one.
    fn keep(&self, refresh_token: &Secret) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(refresh_token.expose().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        match self.path.parent() {
            Some(directory) => fs::File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// The grant with the refresh token that was kept, if one was.
pub(super) fn kept(file: &File, grant: &Grant) -> Option<Grant> {
    let Grant::RefreshToken { client_id, client_secret, .. } = grant;
    let refresh_token = Secret::new(fs::read_to_string(&file.path).ok()?);
    Some(Grant::RefreshToken { client_id: client_id.clone(), client_secret: client_secret.clone(), refresh_token })
}

#[cfg(test)]
mod tests;
