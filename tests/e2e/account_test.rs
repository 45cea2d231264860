//! `posthouse account test`: its whole output for set-ups that are broken, each in its way, and for one that is not.
//!
//! What is expected is in tests/e2e/account_test/*.txt. `POSTHOUSE_GOLDEN=write` writes those files, to be read and
//! committed by a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use posthouse_relay::simulation::over_http;
use posthouse_simulator::applications::{Application, Delegation};
use posthouse_simulator::keys::{ClientCertificate, Validity};
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::command::{configuration, directory, run};

const OUTLOOK: &str = "box@acme.example";
const GMAIL: &str = "mail@acme.example";
const APPLICATION: &str = "kind = \"client_credentials\"\nclient_id = \"daemon\"\ndirectory = \"contoso.test\"\n";
const CONSENT: &str = "kind = \"refresh_token\"\nclient_id = \"posthouse\"\nclient_secret = \"posthouse-secret\"\n";

async fn simulator() -> Simulator {
    let mailboxes =
        vec![Mailbox::new(Provider::Gmail, GMAIL), Mailbox::new(Provider::Outlook, OUTLOOK).directory("contoso.test")];
    Simulator::start(Options::new(mailboxes)).await.expect("loopback has free ports")
}

/// The account `it` at this provider.
fn account(provider: &str, more: &str, grant: &str) -> String {
    let address = if provider == "gmail" { GMAIL } else { OUTLOOK };
    format!(
        "[[accounts]]\nid = \"it\"\naddress = \"{address}\"\nprovider = \"{provider}\"\n{more}[accounts.grant]\n{grant}\n"
    )
}

fn consent(provider: &str, more: &str) -> String {
    let address = if provider == "gmail" { GMAIL } else { OUTLOOK };
    account(provider, more, &format!("{CONSENT}refresh_token = \"refresh-{address}\""))
}

fn application(secret: &str) -> String {
    account("outlook", "", &format!("{APPLICATION}client_secret = \"{secret}\""))
}

/// Runs the doctor, and compares all that it says with the golden file of this name.
async fn says(name: &str, simulator: &Simulator, acme: &str, more: &[&str]) {
    says_trusting(name, simulator, &simulator.ca_pem(), acme, more).await;
}

async fn says_trusting(name: &str, simulator: &Simulator, ca_pem: &str, acme: &str, more: &[&str]) {
    let directory = configuration(simulator, ca_pem, acme);
    let arguments = [&["account", "test", "acme/it", "--config", "posthouse.toml"], more].concat();
    let said = tokio::time::timeout(Duration::from_secs(60), run(&directory, &arguments)).await.expect("it ends");
    let whole = format!("{}{}exit: {}\n", said.out, said.err, if said.ok { "content" } else { "not content" });
    let whole = normalised(&whole, simulator, &directory);
    for secret in ["posthouse-secret", "refresh-", "s3cret", "ya29.", "eyJ", "BEGIN"] {
        assert!(!whole.contains(secret), "{secret} in\n{whole}");
    }
    let golden = golden(name);
    if std::env::var_os("POSTHOUSE_GOLDEN").is_some_and(|wanted| wanted == "write") {
        fs::write(&golden, &whole).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(whole == expected, "{} expects\n{expected}\nand it is\n{whole}", golden.display());
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/account_test").join(format!("{name}.txt"))
}

/// Without what is different each time: ports, times, directories, the numbers of messages.
fn normalised(text: &str, simulator: &Simulator, directory: &Path) -> String {
    let mut text = text.replace(&directory.display().to_string(), "DIRECTORY");
    text = text.replace(&format!(":{}/", simulator.token_address().port()), ":TOKENS/");
    for provider in Provider::ALL {
        let addresses = [simulator.implicit_address(provider), simulator.starttls_address(provider)];
        for address in addresses.into_iter().chain([simulator.api_address(provider)]) {
            let port = address.port();
            for (before, after) in [(":", " "), ("port ", " "), ("port ", ":")] {
                text = text.replace(&format!("{before}{port}{after}"), &format!("{before}PORT{after}"));
            }
        }
    }
    // What a resolver says is its own affair.
    if let Some((before, after)) = text.split_once("nowhere.invalid: ") {
        let after = after.split_once('\n').map_or("", |(_, after)| after);
        text = format!("{before}nowhere.invalid: ERROR\n{after}");
    }
    let lines = text.lines().map(|line| match (line.split_once(" in "), line.split_once("taken: ")) {
        (Some((before, _)), _) if line.ends_with(" ms") => format!("{before} in N ms"),
        (_, Some((before, _))) => format!("{before}taken: REPLY"),
        _ if line.contains("localhost is ") => "ok      DNS      localhost is ADDRESSES".to_owned(),
        _ => line.trim_end().to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[tokio::test]
async fn an_account_that_works() {
    let simulator = simulator().await;
    says("works", &simulator, &consent("gmail", ""), &["--send"]).await;
    let messages = simulator.ledger().messages();
    assert_eq!(messages.len(), 1, "it went to the mailbox itself");
    let grant = format!("{APPLICATION}client_secret = \"s3cret\"");
    simulator.register(Application::new("daemon").secret("s3cret").mailbox(OUTLOOK));
    says("works-application", &simulator, &account("outlook", "", &grant), &[]).await;
}

#[tokio::test]
async fn an_account_that_works_over_http() {
    let simulator = simulator().await;
    says("works-by-gmail-api", &simulator, &consent("gmail", &over_http(&simulator, Provider::Gmail)), &["--send"])
        .await;
    assert_eq!(simulator.ledger().messages().len(), 1, "it went to the mailbox itself");
    simulator.register(Application::new("daemon").secret("s3cret").mailbox(OUTLOOK));
    let grant = format!("{APPLICATION}client_secret = \"s3cret\"");
    let acme = account("outlook", &over_http(&simulator, Provider::Outlook), &grant);
    says("works-by-graph", &simulator, &acme, &[]).await;
    assert_eq!(simulator.ledger().messages().len(), 1, "nothing was sent");
}

#[tokio::test]
async fn an_application_that_graph_does_not_let_into_the_mailbox() {
    let simulator = simulator().await;
    simulator.register(Application::new("daemon").secret("s3cret"));
    let grant = format!("{APPLICATION}client_secret = \"s3cret\"");
    let acme = account("outlook", &over_http(&simulator, Provider::Outlook), &grant);
    says("graph-access-denied", &simulator, &acme, &["--send"]).await;
}

#[tokio::test]
async fn a_token_for_smtp_is_none_for_graph() {
    let simulator = simulator().await;
    let more =
        over_http(&simulator, Provider::Outlook) + "scope = \"https://outlook.office.com/SMTP.Send offline_access\"\n";
    says("graph-token-for-smtp", &simulator, &consent("outlook", &more), &[]).await;
}

#[tokio::test]
async fn a_port_that_nobody_listens_on() {
    let simulator = simulator().await;
    simulator.close_ports(Provider::Outlook).await;
    says("port-closed", &simulator, &consent("outlook", ""), &[]).await;
}

#[tokio::test]
async fn a_name_that_nobody_knows() {
    let simulator = simulator().await;
    says("name-unknown", &simulator, &consent("outlook", "host = \"nowhere.invalid\"\n"), &[]).await;
}

#[tokio::test]
async fn a_name_that_is_known() {
    let simulator = simulator().await;
    says("works-by-name", &simulator, &consent("outlook", "host = \"localhost\"\n"), &[]).await;
}

#[tokio::test]
async fn a_consent_of_somebody_else() {
    let simulator = simulator().await;
    simulator.add_mailbox(Mailbox::new(Provider::Gmail, "other@acme.example"));
    let grant = format!("{CONSENT}refresh_token = \"refresh-other@acme.example\"");
    says("consent-of-another", &simulator, &account("gmail", "", &grant), &[]).await;
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts() {
    let (one, other) = (simulator().await, simulator().await);
    says_trusting("certificate-untrusted", &one, &other.ca_pem(), &consent("outlook", ""), &[]).await;
}

#[tokio::test]
async fn a_certificate_of_another_host() {
    let simulator = simulator().await;
    let more = "server_name = \"smtp.another.test\"\n";
    says("certificate-of-another-host", &simulator, &consent("gmail", more), &[]).await;
}

#[tokio::test]
async fn tls_at_once_on_a_port_for_starttls() {
    let simulator = simulator().await;
    says("tls-wrong-mode", &simulator, &consent("outlook", "tls = \"implicit\"\n"), &[]).await;
}

#[tokio::test]
async fn an_expired_secret() {
    let simulator = simulator().await;
    simulator.register(Application::new("daemon").expired_secret("s3cret").mailbox(OUTLOOK));
    says("secret-expired", &simulator, &application("s3cret"), &[]).await;
}

#[tokio::test]
async fn a_wrong_directory() {
    let simulator = simulator().await;
    let acme = consent("outlook", "") + "directory = \"fabrikam.test\"\n";
    says("directory-wrong", &simulator, &acme, &[]).await;
}

#[tokio::test]
async fn an_application_without_consent() {
    let simulator = simulator().await;
    simulator.register(Application::new("daemon").secret("s3cret").mailbox(OUTLOOK).without_consent());
    says("consent-missing", &simulator, &application("s3cret"), &[]).await;
}

#[tokio::test]
async fn an_application_without_the_mailbox() {
    let simulator = simulator().await;
    simulator.register(Application::new("daemon").secret("s3cret"));
    says("mailbox-permission-missing", &simulator, &application("s3cret"), &["--send"]).await;
}

#[tokio::test]
async fn smtp_auth_switched_off() {
    let simulator = simulator().await;
    simulator.disable(Provider::Outlook, OUTLOOK).expect("a mailbox");
    says("smtp-auth-disabled", &simulator, &consent("outlook", ""), &[]).await;
}

#[tokio::test]
async fn a_consent_that_was_withdrawn() {
    let simulator = simulator().await;
    simulator.revoke(Provider::Gmail, GMAIL).expect("a mailbox");
    says("consent-withdrawn", &simulator, &consent("gmail", ""), &[]).await;
}

#[tokio::test]
async fn a_wrong_clock() {
    let (simulator, keys) = (simulator().await, directory());
    let file = simulator.service_account("robot@project.test", Delegation::Granted).expect("a key");
    simulator.set_clock_ahead(3_630);
    says("clock-wrong", &simulator, &service_account(&keys, &file), &[]).await;
}

#[tokio::test]
async fn a_service_account_without_delegation() {
    let (simulator, keys) = (simulator().await, directory());
    let file = simulator.service_account("robot@project.test", Delegation::Missing).expect("a key");
    says("delegation-missing", &simulator, &service_account(&keys, &file), &[]).await;
}

#[tokio::test]
async fn an_expired_certificate_and_one_that_nobody_knows() {
    let (simulator, keys) = (simulator().await, directory());
    let old = ClientCertificate::new("daemon", Validity::Expired).expect("a certificate");
    simulator.register(Application::new("daemon").certificate(&old).mailbox(OUTLOOK));
    says("certificate-expired", &simulator, &certificate(&keys, &old), &[]).await;
    let unknown = ClientCertificate::new("daemon", Validity::Long).expect("a certificate");
    says("certificate-unknown", &simulator, &certificate(&keys, &unknown), &[]).await;
}

#[tokio::test]
async fn a_scope_that_is_not_for_smtp() {
    let simulator = simulator().await;
    let more = "scope = \"https://www.googleapis.com/auth/gmail.readonly\"\n";
    says("scope-wrong", &simulator, &consent("gmail", more), &[]).await;
}

fn certificate(keys: &Path, made: &ClientCertificate) -> String {
    write_private(&keys.join("crt"), &made.certificate);
    write_private(&keys.join("key"), &made.key);
    let files = format!("certificate_file = \"{0}/crt\"\nkey_file = \"{0}/key\"", keys.display());
    account("outlook", "", &format!("{APPLICATION}{files}"))
}

fn service_account(keys: &Path, file: &str) -> String {
    write_private(&keys.join("robot.json"), file);
    account("gmail", "", &format!("kind = \"service_account\"\nkey_file = \"{}/robot.json\"", keys.display()))
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).expect("a file can be written");
}
