//! The memory of verified passwords: a keyed hash of login, password and the hash in the
//! configuration, so that neither a changed password nor a changed file finds an old proof.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use blake2::Blake2sMac256;
use blake2::digest::{FixedOutput, KeyInit, Update};
use tokio::time::Instant;

/// How long a verified password is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How many are remembered; beyond it the memory starts anew, at the cost of one hash each.
const MOST: usize = 65_536;

/// What is remembered of a verified password.
pub(super) type Proof = [u8; 32];

#[derive(Debug)]
pub(super) struct Verified {
    key: [u8; 32],
    until: Mutex<HashMap<Proof, Instant>>,
}

impl Verified {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, until: Mutex::default() }
    }

    /// The key's hash over the three; lengths go in too, so that no two triples run together.
    pub(super) fn proof(&self, login: &str, password: &[u8], hash: &str) -> Proof {
        let mut mac = Blake2sMac256::new_from_slice(&self.key).expect("32 octets are a key of Blake2s");
        for part in [login.as_bytes(), password, hash.as_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize_fixed().into()
    }

    pub(super) fn knows(&self, proof: &Proof, now: Instant) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(proof).is_some_and(|until| now < *until)
    }

    pub(super) fn remember(&self, proof: Proof, now: Instant) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= MOST {
            until.retain(|_, until| now < *until);
            if until.len() >= MOST {
                until.clear();
            }
        }
        until.insert(proof, now + REMEMBERED);
    }
}
