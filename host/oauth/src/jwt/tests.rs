//! What is signed holds under the public key, and under no other.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{KeyName, Span, signed};
use crate::fixture::{identities, verified};
use crate::key::{Algorithm, SigningKey};

#[test]
fn both_algorithms_hold_under_the_public_key_alone() {
    let [own, other] = identities();
    let key = SigningKey::from_pem(&own.key).unwrap();
    let name = KeyName { field: "kid", value: "key-1".to_owned() };
    for algorithm in [Algorithm::Ps256, Algorithm::Rs256] {
        let token = signed(&key, algorithm, Some(&name), &json!({ "iss": "app" })).unwrap();
        let (header, claims) = verified(&token, &own.public).unwrap();
        assert_eq!(header, json!({ "typ": "JWT", "alg": algorithm.name(), "kid": "key-1" }));
        assert_eq!(claims, json!({ "iss": "app" }));
        assert!(verified(&token, &other.public).is_none());
        let changed = token.replacen("eyJ0", "eyJ1", 1).replacen("eyJh", "eyJi", 1);
        assert!(verified(&changed, &own.public).is_none());
    }
}

#[test]
fn a_span_bears_clocks_that_are_a_little_wrong() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let Span { issued, ends } = Span::around(now);
    assert_eq!((issued, ends), (1_999_999_940, 2_000_000_540));
}

#[test]
fn a_key_is_not_shown() {
    let key = SigningKey::from_pem(&identities()[0].key).unwrap();
    assert_eq!(format!("{key:?}"), "[redacted]");
}
