//! Whether a client is the login that it says it is.
//!
//! Passwords are verified against Argon2id hashes, which is slow on purpose; a verified password is
//! remembered for minutes under a keyed hash, so that connection churn costs microseconds. Failures
//! are slowed down by address and by login at that address: guessing is hopeless, and nobody can lock
//! a login out from elsewhere. An unknown login costs and hears the same as a wrong password.

pub(crate) mod failures;
mod turns;
mod verified;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::authentication::failures::Failures;
use crate::authentication::turns::Turns;
use crate::authentication::verified::{Proof, Verified};
use crate::config::password;

/// What is verified when the login is unknown, so that the answer takes as long.
/// (A hash with the parameters that `posthouse hash-password` uses; of no password anybody knows.)
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9zdGhvdXNlLW5vYm9keQ$YzJ3bXh0dGZ3d3Rtb2JvZHlrbm93c2l0eHg";

/// Why a client was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The password is wrong, or the login unknown.
    WrongCredentials,
    /// Too many failures came from there; nothing was verified.
    TooManyFailures,
}

/// Verifies passwords, and remembers.
#[derive(Debug)]
pub struct Authentication {
    verified: Verified,
    failures: Failures,
    turns: Turns,
    /// Hashing takes a core and 19 MiB for its time: this many at once.
    hashing: Arc<Semaphore>,
}

impl Authentication {
    /// Remembers nothing yet; `key` is fresh randomness of this process.
    pub fn new(key: [u8; 32]) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            verified: Verified::new(key),
            failures: Failures::default(),
            turns: Turns::default(),
            hashing: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Verifies `password` of `login` against `hash`, which is none where the login is unknown.
    ///
    /// # Errors
    /// The password is not that of the login, or too many were wrong before.
    pub async fn verify(&self, peer: IpAddr, login: &str, password: &[u8], hash: Option<&str>) -> Result<(), Refusal> {
        let proof = self.verified.proof(login, password, hash.unwrap_or(NOBODY));
        if hash.is_some() && self.verified.knows(&proof, Instant::now()) {
            return Ok(());
        }
        // A client that opens fifty connections at once brings the same password fifty times: one is
        // verified, the others wait for it, and none of them counts as a guess.
        let turn = self.turns.take(proof).await;
        let verdict = if hash.is_some() && self.verified.knows(&proof, Instant::now()) {
            Ok(())
        } else {
            self.verify_anew(peer, login, password, hash, proof).await
        };
        self.turns.give_back(&proof, turn);
        verdict
    }

    async fn verify_anew(
        &self,
        peer: IpAddr,
        login: &str,
        password: &[u8],
        hash: Option<&str>,
        proof: Proof,
    ) -> Result<(), Refusal> {
        if self.failures.are_too_many(peer, login, Instant::now()) {
            return Err(Refusal::TooManyFailures);
        }
        // Counted before the answer is known: guesses sent at once on many connections must not
        // all be verified before the first of them has failed.
        self.failures.count(peer, login, Instant::now());
        if self.hash_matches(password, hash).await {
            self.failures.forgive(peer, login);
            self.verified.remember(proof, Instant::now());
            Ok(())
        } else {
            Err(Refusal::WrongCredentials)
        }
    }

    async fn hash_matches(&self, password: &[u8], hash: Option<&str>) -> bool {
        let Ok(turn) = Arc::clone(&self.hashing).acquire_owned().await else { return false };
        let (password, known) = (password.to_vec(), hash.is_some());
        let hash = hash.unwrap_or(NOBODY).to_owned();
        let matches = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            password::verify(&hash, &password)
        });
        matches.await.unwrap_or(false) && known
    }
}

#[cfg(test)]
mod tests;
