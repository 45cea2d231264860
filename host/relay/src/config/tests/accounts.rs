//! Accounts: their providers, grants and mailboxes.

use posthouse_smtp::client::TlsRule;

use super::fixture::{ACME, HASH, MAIN, acme_error, config, errors, main_error, one, warnings};
use crate::config::account::Grant;
use crate::config::from_toml;

#[test]
fn an_unknown_provider_names_the_known_ones() {
    assert_eq!(
        acme_error("\"gmail\"", "\"gmial\""),
        "tenants/acme.toml:11: accounts[acme-gmail].provider = \"gmial\": unknown provider; did you mean `gmail`?"
    );
    assert_eq!(
        acme_error("\"gmail\"", "\"pigeon\""),
        "tenants/acme.toml:11: accounts[acme-gmail].provider = \"pigeon\": unknown provider; known are `generic`, `gmail`, \
         `outlook`, `outlook-china` and `outlook-us-gov`; others need a [providers.NAME] in the main file"
    );
}

#[test]
fn the_other_faults_of_an_account_with_an_unknown_provider_are_told_too() {
    let acme = ACME.replace("\"gmail\"", "\"gmial\"\nsessions = 0\nsesions = 1").replace("client_id", "client");
    assert_eq!(
        errors(MAIN, &acme).iter().map(|fault| fault.split(": ").nth(1).unwrap_or_default()).collect::<Vec<_>>(),
        [
            "accounts[acme-gmail].provider = \"gmial\"",
            "accounts[acme-gmail].sessions = 0",
            "accounts[acme-gmail].sesions",
            "accounts[acme-gmail].grant.client_id",
            "accounts[acme-gmail].grant.client",
        ]
    );
}

#[test]
fn a_new_provider_says_what_it_is_like() {
    assert_eq!(
        main_error("[providers.smarthost]\nhost = \"mail.test\"\n"),
        "posthouse.toml:7: providers.smarthost.extends: missing: which provider it is like: `gmail`, `outlook` or `generic`"
    );
    assert_eq!(
        main_error("[providers.gmail]\nextends = \"outlook\"\n"),
        "posthouse.toml:8: providers.gmail.extends = \"outlook\": `gmail` is built in and extends only itself; choose another name"
    );
    assert_eq!(
        main_error("[providers.own]\nextends = \"generic\"\nhost = \"mail.test:25\"\n"),
        "posthouse.toml:9: providers.own.host = \"mail.test:25\": expected a host name or an IP address, without port"
    );
}

#[test]
fn nothing_goes_out_in_the_clear_but_to_loopback() {
    let reason = "credentials and mail would go out in the clear; `none` is only for a generic provider on loopback; \
                  write `starttls` or `implicit`";
    assert_eq!(
        main_error("[providers.gmail]\ntls = \"none\"\nhost = \"127.0.0.1\"\n"),
        format!("posthouse.toml:8: providers.gmail.tls: {reason}")
    );
    assert_eq!(
        main_error("[providers.own]\nextends = \"generic\"\ntls = \"none\"\nhost = \"mail.test\"\n"),
        format!("posthouse.toml:9: providers.own.tls: {reason}")
    );
    let local = format!("{MAIN}[providers.own]\nextends = \"generic\"\ntls = \"none\"\nhost = \"localhost\"\n");
    assert_eq!(errors(&local, ACME), Vec::<String>::new());
    let moved = "\"own\"\nhost = \"mail.test\"\ntoken_url = \"https://token.test/\"";
    let fault = one(errors(&local, &ACME.replace("\"gmail\"", moved)));
    assert_eq!(fault, format!("tenants/acme.toml:8: accounts[acme-gmail].tls: {reason}"));
}

#[test]
fn a_token_is_asked_for_over_https() {
    let fault = main_error("[providers.gmail]\ntoken_url = \"http://token.test/\"\n");
    assert!(fault.starts_with("posthouse.toml:8: providers.gmail.token_url = \"http://token.test/\": "), "{fault}");
    let local = format!("{MAIN}[providers.gmail]\ntoken_url = \"http://127.0.0.1:8080/token\"\n");
    assert_eq!(errors(&local, ACME), Vec::<String>::new());
}

#[test]
fn a_generic_provider_needs_a_host_and_for_tokens_an_endpoint() {
    assert_eq!(
        errors(MAIN, &ACME.replace("\"gmail\"", "\"generic\"")),
        [
            "tenants/acme.toml:8: accounts[acme-gmail].host: missing: where mail is handed over; the provider names no host",
            "tenants/acme.toml:13: accounts[acme-gmail].grant.kind: the provider has no token_url, so that no access token \
             can be asked for; give the provider (or the account) a `token_url`",
        ]
    );
}

#[test]
fn a_mechanism_fits_the_grant_and_the_provider() {
    assert_eq!(
        acme_error("\"gmail\"", "\"gmail\"\nmechanism = \"plain\""),
        "tenants/acme.toml:14: accounts[acme-gmail].grant.kind: an access token does not fit the `mechanism` that the \
         provider or the account sets; it goes with `xoauth2` or `oauthbearer`"
    );
    assert_eq!(
        acme_error("\"gmail\"", "\"outlook\"\nmechanism = \"oauthbearer\""),
        "tenants/acme.toml:12: accounts[acme-gmail].mechanism: Outlook offers `xoauth2` and `login` only"
    );
    let start = ACME.find("kind =").unwrap();
    let end = ACME.find("\n[[routes]]").unwrap();
    let nothing = format!("{}kind = \"none\"\n{}", &ACME[..start], &ACME[end..]);
    assert_eq!(
        one(errors(MAIN, &nothing)),
        "tenants/acme.toml:13: accounts[acme-gmail].grant.kind: `gmail` takes no mail without a login"
    );
}

#[test]
fn a_directory_has_its_place_in_the_token_url() {
    assert_eq!(
        acme_error("kind =", "directory = \"example.com\"\nkind ="),
        "tenants/acme.toml:13: accounts[acme-gmail].grant.directory = \"example.com\": the provider's token_url has no place \
         for a directory ({directory})"
    );
    let outlook = ACME.replace("\"gmail\"", "\"outlook\"").replace("kind =", "directory = \"a/../b\"\nkind =");
    let fault = one(errors(MAIN, &outlook));
    assert!(fault.contains("expected a directory's id or domain"), "{fault}");
}

#[test]
fn one_mailbox_is_one_account() {
    let copy = ACME.replace("HASH", HASH);
    let from = ACME.find("[[accounts]]").unwrap();
    let to = ACME.find("[[routes]]").unwrap();
    let twin = ACME[from..to].replace("acme-gmail", "twin").replace("app@", "APP@");
    let fault = one(errors(MAIN, &format!("{ACME}{twin}")));
    assert_eq!(
        fault,
        "tenants/acme.toml:21: accounts[twin] = \"APP@example.com\": the account at tenants/acme.toml:8 is the same mailbox, \
         whose limits would be used twice"
    );
    let loaded = from_toml(MAIN, &[("acme", &copy), ("globex", &copy.replace("acme-app", "globex-app"))]);
    assert!(loaded.errors.is_empty(), "{}", loaded.report());
    let fault = one(loaded.warnings.iter().map(ToString::to_string).collect());
    assert!(fault.contains("tenant `acme` uses the same mailbox at tenants/acme.toml:8"), "{fault}");
}

#[test]
fn accounts_of_a_smarthost_may_share_an_address() {
    let twin = |id: &str| {
        format!(
            "[[accounts]]\nid = \"{id}\"\naddress = \"b@example.com\"\nprovider = \"generic\"\nhost = \"h.test\"\ngrant.kind = \"none\"\n"
        )
    };
    assert_eq!(warnings(MAIN, &format!("{ACME}{}{}", twin("one"), twin("two"))), Vec::<String>::new());
}

#[test]
fn a_days_budget_is_the_providers_and_an_account_has_its_own_word() {
    let of = |acme: &str| {
        let provider = config(MAIN, acme).tenants.remove(0).accounts.remove(0).provider;
        (provider.recipients_per_day, provider.messages_per_day)
    };
    assert_eq!(of(ACME), (Some(10_000), Some(2_000)));
    let more = "provider = \"gmail\"\nrecipients_per_day = 500\nmessages_per_day = 0";
    assert_eq!(of(&ACME.replace("provider = \"gmail\"", more)), (Some(500), None));
}

#[test]
fn a_directory_limits_the_outlook_accounts_that_name_it() {
    let section = "[directories.\"Acme.example\"]\nrecipients_per_day = 12500\n";
    let main = format!("{MAIN}{section}");
    let outlook = ACME
        .replace("provider = \"gmail\"", "provider = \"outlook\"")
        .replace("kind = \"refresh_token\"", "kind = \"refresh_token\"\ndirectory = \"acme.example\"");
    let directory = config(&main, &outlook).tenants.remove(0).accounts.remove(0).directory.unwrap();
    assert_eq!((&*directory.name, directory.recipients_per_day), ("Acme.example", 12_500));
    assert_eq!(warnings(&main, &outlook), Vec::<String>::new());
    assert_eq!(
        one(warnings(&main, ACME)),
        "posthouse.toml:7: directories.\"Acme.example\": no account's grant has this `directory`, so that it limits nothing; \
         write it as the accounts do: the id, or the domain"
    );
    assert!(main_error("[directories.x]\n").contains("directories.x.recipients_per_day: missing"));
}

#[test]
fn a_transport_brings_what_goes_with_it_and_keeps_the_rest() {
    let graph = "\"outlook\"\ntransport = \"graph\"";
    let account = config(MAIN, &ACME.replace("\"gmail\"", graph)).tenants[0].accounts[0].clone();
    let provider = &account.provider;
    assert_eq!((provider.host.as_str(), provider.port, provider.tls), ("graph.microsoft.com", 443, TlsRule::Implicit));
    assert_eq!((provider.sessions, provider.messages_per_minute, provider.recipients_per_message), (4, Some(30), 500));
    assert_eq!(provider.submission, ("smtp.office365.com".to_owned(), 587), "what is counted is the mailbox's");
    let Grant::Token { endpoint, .. } = &account.grant else { unreachable!("{account:?}") };
    assert_eq!(endpoint.scope.as_deref(), Some("https://graph.microsoft.com/Mail.Send offline_access"));
    let main = format!("{MAIN}[providers.cloud]\nextends = \"outlook-china\"\ntransport = \"graph\"\nsessions = 2\n");
    let cloud = config(&main, &ACME.replace("\"gmail\"", "\"cloud\"")).tenants[0].accounts[0].provider.clone();
    assert_eq!((cloud.host.as_str(), cloud.sessions), ("microsoftgraph.chinacloudapi.cn", 2));
    assert_eq!(cloud.application_scope.as_deref(), Some("https://microsoftgraph.chinacloudapi.cn/.default"));
    let back = ACME.replace("\"gmail\"", "\"cloud\"\ntransport = \"smtp\"");
    let back = config(&main, &back).tenants[0].accounts[0].provider.clone();
    assert_eq!((back.host.as_str(), back.port, back.tls), ("smtp.partner.outlook.cn", 587, TlsRule::StartTls));
    let gmail = ACME.replace("\"gmail\"", "\"gmail\"\ntransport = \"gmail-api\"\nsessions = 7");
    let gmail = config(MAIN, &gmail).tenants[0].accounts[0].provider.clone();
    assert_eq!((gmail.host.as_str(), gmail.sessions), ("gmail.googleapis.com", 7));
    assert_eq!(gmail.scope.as_deref(), Some("https://www.googleapis.com/auth/gmail.send"));
    assert_eq!((gmail.messages_per_day, gmail.messages_per_minute), (Some(2_000), Some(150)));
}

#[test]
fn a_transport_that_does_not_go_with_the_rest_says_what_does() {
    assert_eq!(
        acme_error("\"gmail\"", "\"gmail\"\ntransport = \"graph\""),
        "tenants/acme.toml:12: accounts[acme-gmail].transport = \"graph\": the provider does not take mail by it; \
         `gmail` takes it by `smtp` and `gmail-api`"
    );
    assert_eq!(
        acme_error("\"gmail\"", "\"gmail\"\ntransport = \"gmail-api\"\ntls = \"starttls\""),
        "tenants/acme.toml:13: accounts[acme-gmail].tls: `gmail-api` is HTTP under TLS from the first octet; \
         write `implicit`, or leave it out"
    );
    let password = "kind = \"password\"\npassword = \"env:CARGO_PKG_NAME\"";
    let acme = ACME.replace("\"gmail\"", "\"outlook\"\ntransport = \"graph\"");
    let (start, end) = (acme.find("kind = ").unwrap(), acme.find("[[routes]]").unwrap());
    let acme = format!("{}{password}\n\n{}", &acme[..start], &acme[end..]);
    let fault = one(errors(MAIN, &acme));
    assert!(
        fault.ends_with("a password does not go with `transport = \"graph\"`; it takes access tokens only"),
        "{fault}"
    );
}
