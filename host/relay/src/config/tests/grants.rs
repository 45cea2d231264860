//! Grants beside the refresh token: applications by secret, certificate and token file; service accounts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use posthouse_oauth::grant::{Grant as Asked, Proof};
use posthouse_simulator::keys::{ClientCertificate, Validity};

use super::fixture::{ACME, MAIN, config, directory, errors, one, warnings};
use crate::config::account::Grant;

/// The tenant with this grant at this provider.
fn acme(provider: &str, grant: &str) -> String {
    let (start, end) = (ACME.find("kind =").unwrap(), ACME.find("\n[[routes]]").unwrap());
    format!("{}{grant}\n{}", &ACME[..start], &ACME[end..]).replace("\"gmail\"", &format!("\"{provider}\""))
}

fn asked(provider: &str, grant: &str) -> (String, Option<String>, Asked) {
    match &config(MAIN, &acme(provider, grant)).tenants[0].accounts[0].grant {
        Grant::Token { endpoint, grant, .. } => (endpoint.token_url.clone(), endpoint.scope.clone(), grant.clone()),
        other => unreachable!("{other:?}"),
    }
}

/// Certificates and keys on disk: good, expired, and another one's key.
fn files() -> &'static PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let directory = directory("grants");
        let write = |name: &str, text: &str| {
            fs::write(directory.join(name), text).unwrap();
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        };
        for (name, validity) in [("good", Validity::Long), ("old", Validity::Expired)] {
            let made = ClientCertificate::new(name, validity).unwrap();
            write(&format!("{name}.crt"), &made.certificate);
            write(&format!("{name}.key"), &made.key);
        }
        let key = fs::read_to_string(directory.join("good.key")).unwrap().replace('\n', "\\n");
        let json = |kind: &str| {
            format!(r#"{{"type":"{kind}","client_email":"robot@p.test","private_key_id":"k1","private_key":"{key}"}}"#)
        };
        write("robot.json", &json("service_account"));
        write("user.json", &json("authorized_user"));
        write("token", "a.b.c");
        directory
    })
}

const APPLICATION: &str = "kind = \"client_credentials\"\nclient_id = \"app\"\ndirectory = \"contoso.test\"\n";

fn with_certificate(certificate: &str, key: &str) -> String {
    let files = files().display();
    format!("{APPLICATION}certificate_file = \"{files}/{certificate}\"\nkey_file = \"{files}/{key}\"\n")
}

#[test]
fn an_application_asks_in_its_directory_for_all_that_it_was_given() {
    let (url, scope, grant) = asked("outlook", &format!("{APPLICATION}client_secret = \"env:CARGO_PKG_NAME\""));
    assert_eq!(url, "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token");
    assert_eq!(scope.as_deref(), Some("https://outlook.office365.com/.default"));
    assert!(matches!(grant, Asked::ClientCredentials { proof: Proof::Secret(_), .. }));
    for more in ["", "algorithm = \"rs256\"\n", "key_id = \"k1\"\n"] {
        let (_, _, grant) = asked("outlook", &(with_certificate("good.crt", "good.key") + more));
        assert!(matches!(grant, Asked::ClientCredentials { proof: Proof::Certificate(_), .. }));
    }
    let token = files().join("token");
    let (_, _, grant) = asked("outlook-china", &format!("{APPLICATION}token_file = \"{}\"", token.display()));
    assert!(matches!(grant, Asked::ClientCredentials { proof: Proof::TokenFile(path), .. } if path == token));
}

#[test]
fn a_service_account_acts_for_the_account_s_user() {
    let file = files().join("robot.json");
    let grant = format!("kind = \"service_account\"\nkey_file = \"{}\"\n", file.display());
    let (url, scope, asked) = asked("gmail", &grant);
    assert_eq!(url, "https://oauth2.googleapis.com/token");
    assert_eq!(scope.as_deref(), Some("https://mail.google.com/"));
    assert!(matches!(&asked, Asked::ServiceAccount(account) if account.email() == "robot@p.test"));
    assert!(format!("{asked:?}").contains("subject: \"app@example.com\""));
    assert!(!format!("{asked:?}").contains("BEGIN"), "no key is shown");
    let other = config(MAIN, &acme("gmail", &format!("{grant}subject = \"owner@example.com\"")));
    assert!(format!("{:?}", other.tenants[0].accounts[0].grant).contains("subject: \"owner@example.com\""));
}

#[test]
fn what_is_wrong_with_a_grant_is_told_with_the_next_step() {
    let account = "tenants/acme.toml:13: accounts[acme-gmail].grant";
    let fault = |provider: &str, grant: &str| one(errors(MAIN, &acme(provider, grant)));
    let ways = "the application has to prove itself in one way; give `client_secret`, or `certificate_file` and \
                `key_file`, or `token_file`";
    assert_eq!(fault("outlook", APPLICATION), format!("{account}.kind: {ways}"));
    let two = with_certificate("good.crt", "good.key") + "client_secret = \"env:CARGO_PKG_NAME\"";
    assert_eq!(fault("outlook", &two), format!("{account}.kind: {ways}"));
    let secret = format!("{APPLICATION}client_secret = \"env:CARGO_PKG_NAME\"");
    assert_eq!(
        fault("gmail", &secret.replace("directory = \"contoso.test\"\n", "")),
        format!(
            "{account}.kind: Google lets no application into mailboxes by itself; use `service_account` with domain-wide \
             delegation"
        )
    );
    assert_eq!(
        fault("outlook", &secret.replace("contoso.test", "organizations")),
        "tenants/acme.toml:15: accounts[acme-gmail].grant.directory = \"organizations\": an application that acts for itself \
         has no such directory; name the id or domain of the mailboxes' directory"
    );
    assert_eq!(
        fault("outlook", &secret.replace("directory = \"contoso.test\"\n", "")),
        "tenants/acme.toml:12: accounts[acme-gmail].grant.directory: missing: the id or domain of the mailboxes' directory \
         (Microsoft's tenant)"
    );
    let line = "tenants/acme.toml:17: accounts[acme-gmail].grant.key_file";
    assert_eq!(
        fault("outlook", &with_certificate("good.crt", "old.key")),
        format!("{line}: the private key belongs to another certificate")
    );
    let keyless = fault("outlook", &with_certificate("good.crt", "good.crt"));
    assert!(keyless.starts_with(&format!("{line}: no private key found;")), "{keyless}");
    let no_certificate = fault("outlook", &with_certificate("good.key", "good.key"));
    assert!(no_certificate.contains(":16: accounts[acme-gmail].grant.certificate_file: no X.509"), "{no_certificate}");
    let half = with_certificate("good.crt", "good.key").replace("key_file", "#key_file");
    assert!(fault("outlook", &half).ends_with("grant.key_file: missing: the private key of the certificate (PEM)"));
    let service = |file: &str| format!("kind = \"service_account\"\nkey_file = \"{}\"\n", files().join(file).display());
    assert_eq!(
        fault("gmail", &service("user.json")),
        "tenants/acme.toml:14: accounts[acme-gmail].grant.key_file: this is no key file of a service account; JSON with \
         `\"type\": \"service_account\"` is expected"
    );
    assert_eq!(
        fault("outlook", &service("robot.json")),
        format!("{account}.kind: service accounts are Google's; Microsoft has `client_credentials`")
    );
}

#[test]
fn what_will_not_last_is_a_warning() {
    let told = one(warnings(MAIN, &acme("outlook", &with_certificate("old.crt", "old.key"))));
    assert_eq!(
        told,
        "tenants/acme.toml:16: accounts[acme-gmail].grant.certificate_file: the certificate has expired, and the provider \
         refuses it; upload a new one to the application (Certificates & secrets), and name it here"
    );
    let told = one(warnings(MAIN, &acme("outlook", &format!("{APPLICATION}token_file = \"/nonexistent/token\""))));
    assert!(told.contains("cannot find /nonexistent/token (yet)"), "{told}");
    let open = files().join("open.key");
    fs::copy(files().join("good.key"), &open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let told = one(warnings(MAIN, &acme("outlook", &with_certificate("good.crt", "open.key"))));
    assert!(told.contains("others than its owner can read"), "{told}");
}
