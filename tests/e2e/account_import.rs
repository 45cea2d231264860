//! `posthouse account import`: both forms of accounts.json and CSV become a tenant that `posthouse check` takes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::command::{Said, directory, run};

const MAIN: &str =
    "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"a\"\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n";

const OUTLOOK: &str = r#"{
    "account_id": "out 1", "email": "one@acme.example", "ip_address": "127.0.0.1", "vmta_name": "vmta-1",
    "provider": "outlook", "client_id": "app-1", "client_secret": "hush \"1\"", "refresh_token": "1.refresh",
    "oauth_endpoint": "smtp.office365.com:587",
    "oauth_token_url": "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token",
    "max_concurrent_connections": 2, "max_messages_per_hour": 600, "favourite_colour": "blue"
}"#;
const GMAIL: &str = r#"{
    "email": "two@acme.example", "provider": "gmail", "client_id": "app-2", "client_secret": "hush2",
    "refresh_token": "1//refresh", "oauth_endpoint": "smtp.gmail.com:587", "max_concurrent_connections": 0,
    "oauth_token_url": "https://oauth2.googleapis.com/token", "max_messages_per_hour": 30
}"#;

async fn import(directory: &Path, file: &str) -> Said {
    let said = run(directory, &["account", "import", file, "--tenant", "acme", "--output", "tenants"]).await;
    for secret in ["hush", "1.refresh", "1//refresh"] {
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{secret} in {}{}", said.out, said.err);
    }
    said
}

async fn is_taken(directory: &Path) {
    fs::write(directory.join("posthouse.toml"), MAIN).expect("a file can be written");
    let said = run(directory, &["check", "--config", "posthouse.toml"]).await;
    assert!(said.ok && said.out.starts_with("The configuration is good:"), "{}{}", said.out, said.err);
}

fn fate<'s>(said: &'s Said, field: &str) -> &'s str {
    let found = said.out.lines().find(|line| line.split_whitespace().next() == Some(field));
    found.unwrap_or_else(|| panic!("{field} in {}", said.out))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[tokio::test]
async fn a_list_becomes_a_tenant() {
    let directory = directory();
    fs::write(directory.join("accounts.json"), format!("[{OUTLOOK},{GMAIL}]")).expect("a file can be written");
    let said = import(&directory, "accounts.json").await;
    assert!(said.ok, "{}", said.err);
    assert!(fate(&said, "email").ends_with("2         renamed: address"), "{}", said.out);
    assert!(fate(&said, "refresh_token").contains("in a file, named by grant.refresh_token"));
    assert!(fate(&said, "vmta_name").contains("1         dropped: PowerMTA's own"));
    assert!(fate(&said, "favourite_colour").contains("dropped: not known"));
    let text = fs::read_to_string(directory.join("tenants/acme.toml")).expect("the tenant's file");
    for line in [
        "id = \"out-1\"",
        "source_address = \"127.0.0.1\"",
        "sessions = 2",
        "messages_per_minute = 10",
        "directory = \"contoso.test\"",
        "client_secret = \"file:secrets/acme/out-1-client-secret\"",
        "id = \"two\"",
        "port = 587",
        "messages_per_minute = 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(!text.contains("hush") && !text.contains("host = "), "{text}");
    let secrets = directory.join("tenants/secrets/acme");
    assert_eq!(fs::read_to_string(secrets.join("out-1-client-secret")).expect("a secret"), "hush \"1\"");
    assert_eq!(fs::read_to_string(secrets.join("two-refresh-token")).expect("a secret"), "1//refresh");
    for name in ["out-1-client-secret", "out-1-refresh-token", "login-password"] {
        assert_eq!(mode(&secrets.join(name)), 0o600, "{name}");
    }
    is_taken(&directory).await;
    let again = import(&directory, "accounts.json").await;
    assert!(!again.ok && again.err.contains("exists, and is not overwritten"), "{}", again.err);
}

#[tokio::test]
async fn objects_of_both_forms_become_tenants() {
    for text in [
        format!("{{\"out-1\": {}, \"two\": {GMAIL}}}", OUTLOOK.replace("\"account_id\": \"out 1\", ", "")),
        format!("{{\"version\": 1, \"accounts\": [{OUTLOOK}, {GMAIL}]}}"),
    ] {
        let directory = directory();
        fs::write(directory.join("accounts.json"), text).expect("a file can be written");
        let said = import(&directory, "accounts.json").await;
        assert!(said.ok, "{}", said.err);
        let text = fs::read_to_string(directory.join("tenants/acme.toml")).expect("the tenant's file");
        assert!(text.contains("id = \"out-1\"") && text.contains("id = \"two\""), "{text}");
        is_taken(&directory).await;
    }
}

#[tokio::test]
async fn csv_becomes_a_tenant() {
    let directory = directory();
    let text = "email,provider,client_id,client_secret,refresh_token\n\
                one@acme.example,google,app,\"hush,1\",1//refresh\n\
                two@acme.example,o365,app,,1.refresh\n";
    fs::write(directory.join("accounts.csv"), text).expect("a file can be written");
    let said = import(&directory, "accounts.csv").await;
    assert!(said.ok, "{}", said.err);
    assert!(fate(&said, "client_secret").contains(" 1 "), "{}", said.out);
    is_taken(&directory).await;
}

#[tokio::test]
async fn what_cannot_be_used_is_left_out_and_told() {
    let directory = directory();
    let cases = [
        (r#"{"email": "three@acme.example"}"#, "account 2 (three@acme.example): it is not clear who its provider is"),
        (r#"{"email": "nobody"}"#, "account 2 (nobody): its email is no address"),
        (r#"{"account_id": "x"}"#, "account 2 (x): it has no email"),
        (GMAIL, "account 2 (two@acme.example): another account is the same mailbox"),
        (r#"{"email": "a@b.test", "provider": "gmail"}"#, "it has neither a refresh_token nor a password"),
        (r#"{"email": "a@b.test", "provider": "gmail", "refresh_token": "1//refresh"}"#, "and no client_id"),
        (r#"{"email": "a@b.test", "provider": "gmail", "ip_address": "here"}"#, "its ip_address is no IP address"),
    ];
    for (number, (bad, told)) in cases.into_iter().enumerate() {
        fs::write(directory.join("accounts.json"), format!("[{GMAIL},{bad}]")).expect("a file can be written");
        let tenant = format!("t{number}");
        let said =
            run(&directory, &["account", "import", "accounts.json", "--tenant", &tenant, "--output", "out"]).await;
        assert!(!said.ok && said.out.contains(told), "{told} in {}{}", said.out, said.err);
        assert!(said.out.contains("Written: 1 of 2 accounts"), "{}", said.out);
    }
    for (text, told) in [("nonsense", "this is no JSON"), ("3", "expected a list"), ("[1]", "account 1 is no object")] {
        fs::write(directory.join("accounts.json"), text).expect("a file can be written");
        let said = import(&directory, "accounts.json").await;
        assert!(!said.ok && said.err.contains(told), "{}", said.err);
    }
}
