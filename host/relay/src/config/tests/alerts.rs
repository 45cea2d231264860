//! `[alerts]`, the ends of credentials, and accounts whose refresh token is in the store.

use std::time::Duration;

use super::fixture::{ACME, MAIN, acme_error, config, errors, main_error, one, warnings};
use crate::config::provider::built_in::BuiltIn;

#[test]
fn a_webhook_is_a_url_that_keeps_secrets_and_is_never_shown() {
    let read = |more: &str| config(&format!("{MAIN}[alerts]\n{more}\n"), ACME).alerts.unwrap();
    let alerts = read("webhook = \"https://hooks.example.com/secret-path\"");
    assert_eq!(alerts.webhook.url.expose(), "https://hooks.example.com/secret-path");
    assert!(alerts.webhook.token.is_none() && alerts.webhook.signing_key.is_none());
    assert!(!format!("{alerts:?}").contains("secret-path"));
    let alerts =
        read("webhook = \"http://127.0.0.1:9/\"\ntoken = \"env:CARGO_PKG_NAME\"\nsigning_key = \"env:CARGO_PKG_NAME\"");
    assert_eq!(alerts.webhook.token.unwrap().expose(), "posthouse-relay");
    for wrong in ["http://hooks.example.com/secret-path", "httpsecret-path"] {
        let fault = main_error(&format!("[alerts]\nwebhook = \"{wrong}\"\n"));
        assert!(fault.contains("alerts.webhook") && !fault.contains("secret-path"), "{fault}");
    }
    let missing = main_error("[alerts]\ntoken = \"env:CARGO_PKG_NAME\"\n");
    assert!(missing.contains("alerts.webhook: missing"), "{missing}");
}

#[test]
fn the_end_of_a_secret_is_a_day() {
    let secret = "client_secret = \"env:CARGO_PKG_NAME\"\n";
    let with = |day: &str| ACME.replacen(secret, &format!("{secret}client_secret_expires = {day}\n"), 1);
    for day in ["\"2027-01-31\"", "2027-01-31"] {
        // date -ud 2027-01-31 +%s
        assert_eq!(config(MAIN, &with(day)).tenants[0].accounts[0].client_secret_ends, Some(1_801_353_600), "{day}");
    }
    for wrong in ["\"2027-02-30\"", "\"soon\"", "\"2027-01-31T10:00:00\"", "20270131", "\"31.01.2027\""] {
        let fault = one(errors(MAIN, &with(wrong)));
        assert!(fault.contains("client_secret_expires") && fault.contains("expected a day, such as"), "{fault}");
    }
    let alone = warnings(MAIN, &ACME.replacen(secret, "client_secret_expires = \"2027-01-31\"\n", 1));
    assert!(one(alone).contains("there is no `client_secret` here whose end this could be"));
}

#[test]
fn an_account_may_have_its_refresh_token_in_the_store_if_there_is_one() {
    let token = "refresh_token = \"env:CARGO_MANIFEST_DIR\"\n";
    let fault = acme_error(token, "");
    assert!(fault.contains("state_directory") && fault.contains("acme/acme-gmail"), "{fault}");
    let directory = super::fixture::directory("unconfigured");
    let main = format!("state_directory = \"{}\"\n{MAIN}", directory.display());
    let config = config(&main, &ACME.replacen(token, "", 1));
    assert!(config.tenants[0].accounts[0].lacks_refresh_token());
}

#[test]
fn consents_live_as_long_as_the_provider_says_unless_somebody_knows_better() {
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    assert_eq!(BuiltIn::Gmail.provider().refresh_token_idle, days(180));
    assert_eq!(BuiltIn::Generic.provider().refresh_token_idle, None);
    let more = "provider = \"gmail\"\nrefresh_token_age = \"7 d\"\nrefresh_token_idle = \"60 d\"\n";
    let own = config(MAIN, &ACME.replacen("provider = \"gmail\"\n", more, 1));
    let provider = &own.tenants[0].accounts[0].provider;
    assert_eq!((provider.refresh_token_age, provider.refresh_token_idle), (days(7), days(60)));
    assert!(
        acme_error("provider = \"gmail\"\n", "provider = \"gmail\"\nrefresh_token_age = \"0 d\"\n")
            .contains("expected from")
    );
}
