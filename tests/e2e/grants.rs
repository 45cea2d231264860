//! Accounts that need nobody's consent: mail flows with every grant, and a broken one is the account's misfortune,
//! never the message's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use posthouse_simulator::applications::{Application, Delegation};
use posthouse_simulator::keys::{ClientCertificate, Validity};
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::post::{Post, send};

const OUTLOOK: &str = "box@acme.example";
const GMAIL: &str = "mail@acme.example";

async fn simulator() -> Simulator {
    let mailboxes = vec![Mailbox::new(Provider::Gmail, GMAIL), Mailbox::new(Provider::Outlook, OUTLOOK)];
    Simulator::start(Options::new(mailboxes)).await.expect("loopback has free ports")
}

/// A directory of its own.
fn directory() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("posthouse-e2e-grants-{}-{number}", std::process::id()));
    fs::create_dir_all(&path).expect("the temporary directory can be written");
    path
}

/// The one account of the tenant; these lines of it come before its grant.
fn account(address: &str, provider: &str, more: &str, grant: &str) -> String {
    format!(
        "[[accounts]]\nid = \"it\"\naddress = \"{address}\"\nprovider = \"{provider}\"\n{more}\n[accounts.grant]\n{grant}\n"
    )
}

fn application(proof: &str) -> String {
    let grant = "kind = \"client_credentials\"\nclient_id = \"daemon\"\ndirectory = \"contoso.test\"\n";
    account(OUTLOOK, "outlook", "", &format!("{grant}{proof}"))
}

fn certificate(directory: &Path, certificate: &ClientCertificate, more: &str) -> String {
    fs::write(directory.join("crt"), &certificate.certificate).expect("a file can be written");
    fs::write(directory.join("key"), &certificate.key).expect("a file can be written");
    let place = directory.display();
    application(&format!("certificate_file = \"{place}/crt\"\nkey_file = \"{place}/key\"\n{more}"))
}

fn service_account(directory: &Path, file: &str) -> String {
    fs::write(directory.join("robot.json"), file).expect("a file can be written");
    let grant = format!("kind = \"service_account\"\nkey_file = \"{}/robot.json\"", directory.display());
    account(GMAIL, "gmail", "", &grant)
}

/// What a client hears to a message of the account's own.
async fn heard(post: &Post, from: &str) -> String {
    let mut client = post.app().await;
    send(&mut client, from, &["ann@example.org"], "Subject: x\r\n\r\nx\r\n").await
}

async fn flows(post: &Post, from: &str) {
    let reply = heard(post, from).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    post.messages(1).await;
}

/// The client keeps its message, and hears why.
async fn is_deferred(simulator: Simulator, acme: &str, from: &str) {
    let post = Post::before(simulator, acme).await;
    let reply = heard(&post, from).await;
    assert!(reply.starts_with("454 4.7.0 "), "{reply}");
    assert!(post.is_empty());
    let again = heard(&post, from).await;
    assert!(again.starts_with("454 4.7.0 "), "{again}");
}

#[tokio::test]
async fn mail_flows_by_an_application_s_secret() {
    let simulator = simulator().await;
    simulator.register(Application::new("daemon").directory("contoso.test").secret("s3").mailbox(OUTLOOK));
    flows(&Post::before(simulator, &application("client_secret = \"s3\"")).await, OUTLOOK).await;
}

#[tokio::test]
async fn mail_flows_by_an_application_s_certificate() {
    for algorithm in ["ps256", "rs256"] {
        let (simulator, directory) = (simulator().await, directory());
        let made = ClientCertificate::new("daemon", Validity::Long).expect("a certificate");
        simulator.register(Application::new("daemon").certificate(&made).mailbox(OUTLOOK));
        let acme = certificate(&directory, &made, &format!("algorithm = \"{algorithm}\""));
        flows(&Post::before(simulator, &acme).await, OUTLOOK).await;
    }
}

#[tokio::test]
async fn a_token_file_is_read_for_each_request() {
    let (simulator, directory) = (simulator().await, directory());
    simulator.register(Application::new("daemon").federated_subject("system:mail").mailbox(OUTLOOK));
    let file = directory.join("token");
    let post = Post::before(simulator, &application(&format!("token_file = \"{}\"", file.display()))).await;
    let reply = heard(&post, OUTLOOK).await;
    assert!(reply.starts_with("454 4.7.0"), "there is no file yet: {reply}");
    let token = post.simulator.federated_token("system:mail", Duration::from_secs(600)).expect("a token");
    fs::write(&file, token).expect("a file can be written");
    flows_before_long(&post, OUTLOOK).await;
}

/// Mail flows, without a restart: an endpoint is left alone for about a second after a failure.
async fn flows_before_long(post: &Post, from: &str) {
    let flowing = async { while !heard(post, from).await.starts_with("250") {} };
    tokio::time::timeout(Duration::from_secs(20), flowing).await.expect("mail flows again");
}

#[tokio::test]
async fn mail_flows_by_a_service_account() {
    let (simulator, directory) = (simulator().await, directory());
    let file = simulator.service_account("robot@project.test", Delegation::Granted).expect("a key");
    flows(&Post::before(simulator, &service_account(&directory, &file)).await, GMAIL).await;
}

#[tokio::test]
async fn a_wrong_key_an_old_certificate_and_another_audience_are_the_account_s_misfortune() {
    let [known, other] = [(); 2].map(|()| ClientCertificate::new("daemon", Validity::Long).expect("a certificate"));
    let old = ClientCertificate::new("daemon", Validity::Expired).expect("a certificate");
    let registered = async || {
        let simulator = simulator().await;
        simulator.register(Application::new("daemon").certificate(&known).certificate(&old).mailbox(OUTLOOK));
        simulator
    };
    for made in [&other, &old] {
        let acme = certificate(&directory(), made, "");
        is_deferred(registered().await, &acme, OUTLOOK).await;
    }
    let simulator = registered().await;
    let elsewhere = format!("{}?elsewhere", simulator.token_url(Provider::Outlook, Some("{directory}")));
    let acme = certificate(&directory(), &known, "");
    let acme = acme.replacen("[accounts.grant]", &format!("token_url = \"{elsewhere}\"\n[accounts.grant]"), 1);
    is_deferred(simulator, &acme, OUTLOOK).await;
}

#[tokio::test]
async fn what_an_administrator_has_not_allowed_is_the_account_s_misfortune() {
    let simulator_of = async |application: Application| {
        let simulator = simulator().await;
        simulator.register(application.secret("s3"));
        simulator
    };
    let acme = application("client_secret = \"s3\"");
    is_deferred(simulator_of(Application::new("daemon")).await, &acme, OUTLOOK).await;
    let unconsented = Application::new("daemon").mailbox(OUTLOOK).without_consent();
    is_deferred(simulator_of(unconsented).await, &acme, OUTLOOK).await;
    let simulator = simulator().await;
    let file = simulator.service_account("robot@project.test", Delegation::Missing).expect("a key");
    is_deferred(simulator, &service_account(&directory(), &file), GMAIL).await;
}

#[tokio::test]
async fn a_clock_that_was_wrong_needs_no_restart() {
    let simulator = simulator().await;
    let file = simulator.service_account("robot@project.test", Delegation::Granted).expect("a key");
    let post = Post::before(simulator, &service_account(&directory(), &file)).await;
    post.simulator.set_clock_ahead(3_600);
    let reply = heard(&post, GMAIL).await;
    assert!(reply.starts_with("454 4.7.0"), "{reply}");
    post.simulator.set_clock_ahead(0);
    flows_before_long(&post, GMAIL).await;
}
