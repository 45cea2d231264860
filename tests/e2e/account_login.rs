//! `posthouse account login`: consent by a device's code and in a browser, and a refresh token that works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;

use crate::command::{Said, configuration, run, start};

const OUTLOOK: &str = "box@acme.example";
const GMAIL: &str = "mail@acme.example";
const PATIENCE: Duration = Duration::from_secs(30);

async fn simulator() -> Simulator {
    let mailboxes =
        vec![Mailbox::new(Provider::Gmail, GMAIL), Mailbox::new(Provider::Outlook, OUTLOOK).client("public", None)];
    Simulator::start(Options::new(mailboxes)).await.expect("loopback has free ports")
}

/// A configuration that knows the providers; its one account is to be replaced.
fn providers(simulator: &Simulator) -> std::path::PathBuf {
    let account = "[[accounts]]\nid = \"x\"\naddress = \"x@acme.example\"\nprovider = \"generic\"\nhost = \"h.test\"\n\
                   grant.kind = \"none\"\n";
    configuration(simulator, &simulator.ca_pem(), account)
}

fn login(directory: &Path, more: &[&str]) -> Child {
    let arguments = ["account", "login", "--config", "posthouse.toml", "--output", "secrets/token"];
    start(directory, &[&arguments[..], more].concat())
}

/// The first line that holds this, while the command goes on.
async fn line(child: &mut Child, wanted: &str) -> (String, BufReader<tokio::process::ChildStdout>) {
    let mut out = BufReader::new(child.stdout.take().expect("the output is read"));
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        let read = timeout(PATIENCE, out.read_line(&mut line)).await.expect("a line in time").expect("a line");
        assert!(read > 0, "the command ended before it said {wanted}");
    }
    (line.trim().to_owned(), out)
}

async fn end(mut child: Child, mut out: BufReader<tokio::process::ChildStdout>) -> Said {
    let mut said = Said { out: String::new(), err: String::new(), ok: false };
    timeout(PATIENCE, out.read_to_string(&mut said.out)).await.expect("an end in time").expect("text");
    let mut err = child.stderr.take().expect("the errors are read");
    err.read_to_string(&mut said.err).await.expect("text");
    said.ok = child.wait().await.expect("the command ends").success();
    said
}

/// Opens a page as a browser would: the status line, and where it leads.
async fn open(url: &str) -> (String, Option<String>) {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL on loopback");
    let mut socket = TcpStream::connect(host.replace("localhost", "127.0.0.1")).await.expect("somebody listens");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it can be asked");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    let to = answer.lines().find_map(|line| line.strip_prefix("location: ")).map(|to| to.replacen("?", "/?", 1));
    (answer, to)
}

/// The token is in its file, in no output, and opens the account as the command says to configure it.
async fn is_kept(directory: &Path, said: &Said) {
    assert!(said.ok, "{}{}", said.out, said.err);
    let file = directory.join("secrets/token");
    let token = fs::read_to_string(&file).expect("the token is kept");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert!(!said.out.contains(&token) && !said.err.contains(&token), "the token is not shown");
    let from = said.out.find("[[accounts]]").expect("it says what to configure");
    let to = said.out.find("Then `posthouse check`").expect("it says what is next");
    let tenant = directory.join("tenants/acme.toml");
    let text = fs::read_to_string(&tenant).expect("the tenant's file");
    let login = text.split("[[accounts]]").next().expect("its login");
    fs::write(&tenant, format!("{login}{}", &said.out[from..to])).expect("a file can be written");
    let id = said.out[from..].split('"').nth(1).expect("an id");
    let name = format!("acme/{id}");
    let tested = run(directory, &["account", "test", &name, "--config", "posthouse.toml"]).await;
    assert!(tested.ok, "{}{}", tested.out, tested.err);
}

#[tokio::test]
async fn microsoft_is_asked_by_a_code_that_is_typed_in_elsewhere() {
    let simulator = simulator().await;
    let directory = providers(&simulator);
    let mut child = login(&directory, &["--provider", "outlook", "--client-id", "public", "--address", OUTLOOK]);
    let (line, out) = line(&mut child, "Enter ").await;
    let code = line.split_whitespace().nth(1).expect("a code").to_owned();
    assert_eq!(simulator.device_codes(), [code.as_str()]);
    simulator.approve_device(&code, OUTLOOK).expect("a mailbox");
    is_kept(&directory, &end(child, out).await).await;
    let again = run(
        &directory,
        &["account", "login", "--provider", "outlook", "--client-id", "public", "--output", "secrets/token"],
    );
    let again = again.await;
    assert!(!again.ok && again.err.contains("secrets/token exists; name another file"), "{}", again.err);
}

#[tokio::test]
async fn who_says_no_is_believed() {
    let simulator = simulator().await;
    let directory = providers(&simulator);
    let mut child = login(&directory, &["--provider", "outlook", "--client-id", "public"]);
    let (line, out) = line(&mut child, "Enter ").await;
    simulator.decline_device(line.split_whitespace().nth(1).expect("a code"));
    let said = end(child, out).await;
    assert!(!said.ok && said.err.contains("Whoever was asked said no."), "{}", said.err);
    assert!(!directory.join("secrets/token").exists());
}

#[tokio::test]
async fn google_and_microsoft_are_asked_in_a_browser() {
    let simulator = simulator().await;
    for (provider, client, address, more) in [
        ("gmail", "posthouse", GMAIL, &["--client-secret-file", "client-secret"][..]),
        ("outlook", "public", OUTLOOK, &["--browser"]),
    ] {
        let directory = providers(&simulator);
        fs::write(directory.join("client-secret"), "posthouse-secret\n").expect("a file can be written");
        let arguments = ["--provider", provider, "--client-id", client, "--address", address];
        let mut child = login(&directory, &[&arguments[..], more].concat());
        let (link, out) = line(&mut child, "http://127.0.0.1").await;
        let (page, to) = open(&link).await;
        let to = to.unwrap_or_else(|| panic!("{page}"));
        // What else comes to the port is no answer.
        let foreign = to.replace("state=", "state=x");
        assert!(open(&foreign).await.0.starts_with("HTTP/1.1 404 "), "{foreign}");
        assert!(open(&to).await.0.contains("Consent was given"), "{to}");
        is_kept(&directory, &end(child, out).await).await;
    }
}

#[tokio::test]
async fn a_browser_that_brings_a_refusal_ends_it() {
    let simulator = simulator().await;
    let directory = providers(&simulator);
    let mut child = login(&directory, &["--provider", "gmail", "--client-id", "posthouse", "--address", GMAIL]);
    let (link, out) = line(&mut child, "http://127.0.0.1").await;
    let (_, to) = open(&format!("{link}&decline=1")).await;
    assert!(open(&to.expect("a way back")).await.0.contains("Consent was not given"));
    let said = end(child, out).await;
    assert!(!said.ok && said.err.contains("access_denied"), "{}", said.err);
}
