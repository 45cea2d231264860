//! Refusals with a cause that can be seen from here.

use std::time::{Duration, SystemTime};

use super::explained;
use crate::error::{Error, Skew};
use crate::fixture::certificate;
use crate::grant::{Grant, Proof};
use crate::key::Algorithm;
use crate::secret::Secret;

fn refused() -> Error {
    Error::Refused { code: "invalid_client".to_owned(), description: "AADSTS700024: expired".to_owned() }
}

fn with(proof: Proof) -> Grant {
    Grant::ClientCredentials { client_id: "app".to_owned(), proof }
}

#[test]
fn a_refused_assertion_and_a_wrong_clock_are_told_together() {
    let signed = with(Proof::Certificate(certificate(Algorithm::Ps256)));
    let secret = with(Proof::Secret(Secret::new("s")));
    let theirs = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let seconds = Duration::from_secs;
    let clock = |grant: &Grant, ours| match explained(refused(), grant, ours, Some(theirs)) {
        Error::ClockSkew { clock, .. } => Some(clock),
        _ => None,
    };
    assert_eq!(clock(&signed, theirs + seconds(61)), Some(Skew::Ahead(seconds(61))));
    assert_eq!(clock(&signed, theirs - seconds(541)), Some(Skew::Behind(seconds(541))));
    assert_eq!(clock(&signed, theirs + seconds(60)), None);
    assert_eq!(clock(&signed, theirs - seconds(540)), None);
    assert_eq!(clock(&secret, theirs + seconds(6_100)), None, "a secret has no date");
    let told = explained(refused(), &signed, theirs - seconds(900), Some(theirs));
    assert!(!told.is_permanent(), "clocks get set");
    assert_eq!(
        told.to_string(),
        "token endpoint refuses, and this host's clock is 15 min behind the endpoint's: set the clock (NTP); it says \
         invalid_client: AADSTS700024: expired"
    );
}

#[test]
fn an_expired_certificate_is_told_with_its_date() {
    let signed = with(Proof::Certificate(certificate(Algorithm::Ps256)));
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1_993_248_001);
    let told = explained(refused(), &signed, later, None);
    assert!(told.is_permanent());
    assert!(told.to_string().contains("expired on Tue, 01 Mar 2033 00:00:00 GMT: upload"), "{told}");
    assert!(matches!(explained(refused(), &signed, later - Duration::from_secs(2), None), Error::Refused { .. }));
    assert!(matches!(explained(Error::Interrupted, &signed, later, None), Error::Interrupted));
}
