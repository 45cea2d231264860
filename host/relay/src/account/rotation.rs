//! Rotated refresh tokens: where the newest one is found, and where a newer one is kept.
//!
//! A chain belongs to the refresh token of the configuration it grew from: when an operator puts a new one there, the
//! old chain is left behind. What `posthouse account login` brings goes on with the chain that there is, as if the
//! provider had sent it. An account without a configured token has one chain of its own.
//! Files of the releases before the store are read once, put into it, and removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use blake2::{Blake2s256, Digest};
use posthouse_oauth::cache::{Begun, Rotation};
use posthouse_oauth::grant::Grant;
use posthouse_oauth::secret::Secret;
use posthouse_store::error::Error;
use posthouse_store::lives::Life;
use posthouse_store::refresh_tokens::{Chain, LOGIN};
use posthouse_store::secret::Secret as Stored;
use posthouse_store::store::Store;
use posthouse_upstream::provider::ProviderKind;
use tracing::{info, warn};

use crate::hex;

/// The place of one account's newest token.
#[derive(Debug, Clone)]
pub(super) struct Place {
    store: Arc<Store>,
    chain: Chain,
    /// Whether its provider is known to bring new refresh tokens. Google does not.
    rotates: bool,
}

impl Place {
    /// The place of this grant's tokens; none for a grant that does not rotate.
    pub(super) fn new(store: &Arc<Store>, tenant: &str, account: &str, grant: &Grant) -> Option<Self> {
        let Grant::RefreshToken { refresh_token, .. } = grant else { return None };
        let origin = match refresh_token {
            // A hash that stays the same from one release to the next: the chain has to be found again.
            Some(token) => hex::digits(&Blake2s256::digest(token.expose())[..8]),
            None => LOGIN.to_owned(),
        };
        let chain = Chain { tenant: tenant.to_owned(), account: account.to_owned(), origin };
        Some(Self { store: Arc::clone(store), chain, rotates: true })
    }

    /// The same at a provider that brings no new ones: both of two processes may ask it.
    pub(super) fn at(self, provider: ProviderKind) -> Self {
        Self { rotates: provider != ProviderKind::Gmail, ..self }
    }

    /// The grant with the refresh token that was kept; the grant itself if none was.
    ///
    /// # Errors
    /// There is one that cannot be read: it would be lost if the relay went on with an older one.
    pub(super) fn newest(&self, grant: &Grant) -> Result<Grant, Error> {
        let Grant::RefreshToken { client_id, client_secret, .. } = grant else { return Ok(grant.clone()) };
        let Some(kept) = self.store.refresh_tokens().get(&self.chain)? else { return Ok(grant.clone()) };
        let refresh_token = Some(Secret::new(kept.expose()));
        Ok(Grant::RefreshToken { client_id: client_id.clone(), client_secret: client_secret.clone(), refresh_token })
    }

    /// The chain.
    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Keeps a consent that was given now.
    pub(super) fn begin(&self, token: &Secret, now: u64) -> Result<(), Error> {
        self.store.refresh_tokens().put(&self.chain, &Stored::new(token.expose()))?;
        self.store.lives().keep(&[(self.chain.clone(), Life { began: now, used: now })])
    }

    /// What was written down of its life. What cannot be read is not known.
    pub(super) fn life(&self) -> Option<Life> {
        self.store.lives().get(&self.chain).ok().flatten()
    }

    /// Takes a file of a release before the store in, if there is one. What is in the store already is newer.
    ///
    /// # Errors
    /// The store cannot be read or written; the file stays.
    pub(super) fn migrate(&self) -> Result<(), Error> {
        let Some(path) = self.store.path().parent().map(|directory| self.file(directory)) else { return Ok(()) };
        let Ok(token) = fs::read_to_string(&path).map(Stored::new) else { return Ok(()) };
        let tokens = self.store.refresh_tokens();
        if tokens.get(&self.chain)?.is_none() {
            tokens.put(&self.chain, &token)?;
        }
        match fs::remove_file(&path) {
            Ok(()) => info!(file = %path.display(), "a refresh token moved from its file into the store"),
            Err(error) => warn!(file = %path.display(), %error, "this file is not used any more: remove it"),
        }
        Ok(())
    }

    fn file(&self, directory: &Path) -> PathBuf {
        let Chain { tenant, account, origin } = &self.chain;
        directory.join(format!("{tenant}.{account}.{origin}.refresh-token"))
    }
}

impl Rotation for Place {
    fn begin(&self) -> Option<Begun> {
        let Ok(renewal) = self.store.renewal() else { return (!self.rotates).then(Begun::default) };
        let newest = self.store.refresh_tokens().get(&self.chain).unwrap_or_else(|error| {
            let Chain { tenant, account, .. } = &self.chain;
            warn!(tenant, account, %error, "going on with the refresh token in memory");
            None
        });
        let newest = newest.map(|newest| Secret::new(newest.expose()));
        Some(Begun { newest, until_kept: Some(Box::new(renewal)) })
    }

    fn keep(&self, refresh_token: &Secret) -> io::Result<()> {
        let kept = self.store.refresh_tokens().put(&self.chain, &Stored::new(refresh_token.expose()));
        kept.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests;
