//! Password hashes: Argon2id, in PHC strings.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// A hash that takes more memory than this would be a weapon against the relay itself.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;

/// Why a text is no hash that can be used.
pub(super) fn complaint(hash: &str) -> Option<&'static str> {
    let expected = "expected an Argon2id hash (make one with `posthouse hash-password`)";
    let Ok(parsed) = PasswordHash::new(hash) else { return Some(expected) };
    let Ok(params) = Params::try_from(&parsed) else { return Some(expected) };
    if parsed.algorithm.as_str() != "argon2id" || parsed.hash.is_none() {
        return Some(expected);
    }
    if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES {
        return Some("the hash asks for more than 256 MiB or 16 passes at each login");
    }
    None
}

/// Whether this is the password behind the hash.
pub fn verify(hash: &str, password: &[u8]) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// The hash of a password: 19 MiB, two passes, one lane (OWASP's second choice: the first to fit many logins).
pub fn hash(password: &[u8]) -> String {
    let params = Params::new(19 * 1024, 2, 1, None).expect("these parameters are within Argon2's bounds");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password(password).expect("the system has randomness for a salt");
    hash.to_string()
}
