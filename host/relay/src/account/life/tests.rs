//! Ends, by what they are counted from.

use std::time::Duration;

use super::{Credential, Expiry, Life};
use crate::config::provider::built_in::BuiltIn;

const DAY: u64 = 86_400;

#[test]
fn a_consent_ends_by_its_last_use_or_by_its_age_whichever_is_first() {
    let life = Life::default();
    let mut provider = BuiltIn::Gmail.provider();
    assert_eq!(life.ends(&provider), None, "nobody knows when it was used");
    life.note_use(100 * DAY);
    assert_eq!(life.ends(&provider), Some(280 * DAY));
    life.note_use(150 * DAY);
    assert_eq!(life.ends(&provider), Some(330 * DAY));
    provider.refresh_token_age = Some(Duration::from_secs(7 * DAY));
    assert_eq!(life.ends(&provider), Some(107 * DAY), "a use does not make it younger");
    life.begin(160 * DAY);
    assert_eq!(life.ends(&provider), Some(167 * DAY));
    assert_eq!(life.ends(&BuiltIn::Generic.provider()), None);
}

#[test]
fn an_end_says_how_near_it_is_and_what_to_do() {
    let expiry = Expiry { credential: Credential::ClientSecret, at: 100 * DAY };
    assert_eq!(expiry.notice(), 70 * DAY);
    assert!(expiry.describe(93 * DAY).starts_with("its client secret ends in 7 days; make a new one"));
    assert!(expiry.describe(100 * DAY - 7_200).starts_with("its client secret ends in 2 h; "));
    assert!(expiry.describe(101 * DAY).starts_with("its client secret has ended; "));
}
