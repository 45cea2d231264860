//! Rotated refresh tokens: where the newest one is found, and where a newer one is kept.
//!
//! A chain belongs to the refresh token of the configuration it grew from: when an operator puts a new one there, the
//! old chain is left behind. What `posthouse account login` brings goes on with the chain that there is, as if the
//! provider had sent it. Without a configured token the chain belongs to whose consent it is: to the application and the
//! login that were consented for, at their token endpoint. The account's id is for people in either case.
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

use crate::config::Config;
use crate::config::account::{Account as Settings, Grant as Asked};
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
    /// The place of an account's tokens; none for a grant that does not rotate.
    pub(super) fn of(store: &Arc<Store>, tenant: &str, settings: &Settings) -> Option<Self> {
        let chain = Chain { tenant: tenant.to_owned(), account: settings.id.clone(), origin: origin(settings)? };
        // At one that brings no new ones, both of two processes may ask.
        let rotates = settings.provider.kind != ProviderKind::Gmail;
        Some(Self { store: Arc::clone(store), chain, rotates })
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

    /// Keeps a consent that was given now. No older one is left that [`copy_logins`] could put in its place.
    pub(super) fn begin(&self, token: &Secret, now: u64) -> Result<(), Error> {
        if self.chain.origin.starts_with(LOGIN) {
            self.store.refresh_tokens().remove(&Chain { origin: LOGIN.to_owned(), ..self.chain.clone() })?;
        }
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

/// Copies the consents that were kept by their accounts' ids alone to the accounts that have these ids now. A release of
/// before, should this process come to nothing, goes on with what it knows; [`forget_logins`] ends that.
///
/// # Errors
/// No key opens one, or the store cannot be written.
pub(crate) fn copy_logins(store: &Store, config: &Config) -> Result<(), Error> {
    let whose = |login: &Chain| {
        let tenant = config.tenants.iter().find(|tenant| tenant.id == login.tenant)?;
        let settings = tenant.accounts.iter().find(|account| account.id == login.account)?;
        Some(Chain { origin: origin_of_login(settings)?, ..login.clone() })
    };
    for (Chain { tenant, account, .. }, whose) in store.refresh_tokens().copy_logins(whose)? {
        match whose {
            Some(_) => info!(tenant, account, "the consent is its mailbox's now, whatever the account is called"),
            None => warn!(tenant, account, "the consent is nobody's: there is no account of this id that takes one"),
        }
    }
    Ok(())
}

/// From now on no id finds another mailbox's consent. To be called once no release of before goes on any more. What is not
/// forgotten is copied once more at the next start, but over nothing that was used since. Blocks.
///
/// # Errors
/// The store cannot be written.
pub(crate) fn forget_logins(store: &Store) -> Result<(), Error> {
    store.refresh_tokens().forget_logins()
}

/// What an account's chain grew from; none for a grant that does not rotate. Hashes that stay the same from one release to
/// the next: the chain has to be found again.
fn origin(settings: &Settings) -> Option<String> {
    match &settings.grant {
        Asked::Token { grant: Grant::RefreshToken { refresh_token: Some(token), .. }, .. } => {
            Some(hex::digits(&Blake2s256::digest(token.expose())[..8]))
        }
        _ => origin_of_login(settings),
    }
}

/// What it grows from where no token is configured.
fn origin_of_login(settings: &Settings) -> Option<String> {
    let Asked::Token { endpoint, grant: Grant::RefreshToken { client_id, .. }, .. } = &settings.grant else {
        return None;
    };
    let mut digest = Blake2s256::new();
    for part in [authority(&endpoint.token_url), client_id, &settings.user.to_lowercase()] {
        // Two parts never look like two others.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    Some(format!("{LOGIN}-{}", hex::digits(&digest.finalize()[..16])))
}

/// Host and port of a URL: its path may name the mailbox's directory, or none, and the consent is the same.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
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
