//! Passwords of logins: Argon2id hashes as PHC strings (RFC 9106), made and verified.
//!
//! Not the place where guesses are slowed down. Invariant: a hash that would cost more memory or
//! time than the bounds in `defaults` is never computed, wherever it came from.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::defaults;

/// What is wrong with a password's hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// It is some other text.
    #[error("it is no PHC string (`$argon2id$v=19$m=..,t=..,p=..$salt$hash`)")]
    Format,
    /// It is a hash of another kind.
    #[error("it is a hash by {0}; only argon2id is taken")]
    Algorithm(String),
    /// It is Argon2id, but of the version before the standard's.
    #[error("it is of a version of Argon2 other than 19 (0x13)")]
    Version,
    /// A parameter is out of bounds: too cheap to protect, or so dear that a login would be an attack on the relay.
    #[error("its parameter {name} is {value}; {least} to {most} is taken")]
    Parameter {
        /// The parameter's letter.
        name: char,
        /// What the hash says.
        value: u32,
        /// The least that is taken.
        least: u32,
        /// The most that is taken.
        most: u32,
    },
    /// It has no salt or no hash in it.
    #[error("it lacks its salt or its hash, or one of them is shorter than {least} octets")]
    Incomplete {
        /// The least octets of each.
        least: usize,
    },
}

/// Whether this hash can be verified at a cost that the relay can bear.
///
/// # Errors
/// It cannot.
pub fn check(hash: &str) -> Result<(), HashError> {
    parsed(hash).map(|_| ())
}

/// Whether the password is the one that the hash was made of. A hash that `check` refuses matches none.
pub fn verify(hash: &str, password: &[u8]) -> bool {
    parsed(hash).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// The password's hash, with fresh salt.
pub fn hash(password: &[u8]) -> String {
    let params = Params::new(defaults::HASH_MEMORY_KIB, defaults::HASH_PASSES, defaults::HASH_LANES, None)
        .expect("the parameters in `defaults` are within Argon2's own bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password)
        .expect("Argon2 fails only on parameters, on passwords over 4 GiB, or without the system's randomness")
        .to_string()
}

fn parsed(text: &str) -> Result<PasswordHash, HashError> {
    let hash = PasswordHash::new(text).map_err(|_| HashError::Format)?;
    if hash.algorithm.as_str() != "argon2id" {
        return Err(HashError::Algorithm(hash.algorithm.as_str().to_owned()));
    }
    if hash.version != Some(Version::V0x13 as u32) {
        return Err(HashError::Version);
    }
    let params = Params::try_from(&hash).map_err(|_| HashError::Format)?;
    bounded('m', params.m_cost(), defaults::HASH_MEMORY_KIB_LEAST, defaults::HASH_MEMORY_KIB_MOST)?;
    bounded('t', params.t_cost(), 1, defaults::HASH_PASSES_MOST)?;
    bounded('p', params.p_cost(), 1, defaults::HASH_LANES_MOST)?;
    let least = defaults::HASH_OCTETS_LEAST;
    let is_whole =
        hash.salt.is_some_and(|salt| salt.len() >= least) && hash.hash.is_some_and(|hash| hash.len() >= least);
    if is_whole { Ok(hash) } else { Err(HashError::Incomplete { least }) }
}

fn bounded(name: char, value: u32, least: u32, most: u32) -> Result<(), HashError> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(HashError::Parameter { name, value, least, most }) }
}

#[cfg(test)]
mod tests;
