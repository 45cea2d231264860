//! Which hashes are verified at all, and by which password.

use super::{HashError, check, hash, verify};

const SALT_AND_HASH: &str = "c2FsdHNhbHRzYWx0c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

fn with(parameters: &str) -> Result<(), HashError> {
    check(&format!("$argon2id$v=19${parameters}${SALT_AND_HASH}"))
}

#[test]
fn a_hash_matches_its_own_password_only() {
    let hash = hash(b"correct horse");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(check(&hash), Ok(()));
    assert!(verify(&hash, b"correct horse"));
    assert!(!verify(&hash, b"correct horses"));
    assert!(!verify(&hash, b""));
}

#[test]
fn the_same_password_never_hashes_to_the_same_text() {
    assert_ne!(hash(b"twice"), hash(b"twice"));
}

#[test]
fn a_hash_that_would_be_an_attack_on_the_relay_is_refused_unverified() {
    let too_much = HashError::Parameter { name: 'm', value: 1_048_576, least: 7_168, most: 262_144 };
    assert_eq!(with("m=1048576,t=2,p=1"), Err(too_much));
    assert!(matches!(with("m=19456,t=1000,p=1"), Err(HashError::Parameter { name: 't', .. })));
    assert!(matches!(with("m=19456,t=2,p=64"), Err(HashError::Parameter { name: 'p', .. })));
    assert!(!verify(&format!("$argon2id$v=19$m=1048576,t=2,p=1${SALT_AND_HASH}"), b"any"));
}

#[test]
fn a_hash_that_protects_nothing_is_refused() {
    assert!(matches!(with("m=64,t=1,p=1"), Err(HashError::Parameter { name: 'm', .. })));
    assert_eq!(check("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA"), Err(HashError::Incomplete { least: 8 }));
}

#[test]
fn other_texts_are_no_hash() {
    assert_eq!(check("secret"), Err(HashError::Format));
    assert_eq!(check(""), Err(HashError::Format));
    assert_eq!(
        check(&format!("$argon2i$v=19$m=19456,t=2,p=1${SALT_AND_HASH}")),
        Err(HashError::Algorithm("argon2i".to_owned()))
    );
    assert_eq!(check(&format!("$argon2id$v=16$m=19456,t=2,p=1${SALT_AND_HASH}")), Err(HashError::Version));
    assert!(!verify("secret", b"secret"));
}
