//! New consents: brought to a relay that runs or into its store, used at once, kept, and never one that does not work.

use std::fs;
use std::path::Path;
use std::time::Duration;

use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::{Options, Rotation};
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use super::{account, give_consent, until_state};
use crate::admin::http::Ask;
use crate::admin::operated::{ACME, OPERATOR, Operated, admin};
use crate::command::{Said, configuration, run, start};
use crate::post::{APP, send, state_directory};
use crate::wire::Wire;

const BOX: &str = "mail@acme.example";
const OUTLOOK: &str = "box@acme.example";
const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";
const PATIENCE: Duration = Duration::from_secs(30);

async fn deliver(relay: &Operated) -> String {
    let mut client = relay.files.client(APP).await;
    send(&mut client, BOX, TO, MAIL).await
}

#[tokio::test]
async fn a_new_consent_heals_at_once() {
    let relay = Operated::new().await;
    let simulator = &relay.files.simulator;
    simulator.revoke(Provider::Gmail, BOX).expect("a mailbox");
    assert!(deliver(&relay).await.starts_with("454 4.7.0"));
    until_state(&relay, "gmail", "needs_consent").await;
    // What the provider does not take changes nothing, and is not kept.
    let refused = give_consent(&relay, "gmail", "refresh-of-nobody").await;
    refused.refused(422);
    assert!(refused.body.contains("invalid_grant") && !refused.body.contains("refresh-of-nobody"), "{refused:?}");
    assert_eq!(account(&relay, "gmail").await["state"]["name"], "needs_consent");
    // The owner consents, by another token than the configured one, which stays dead.
    relay.files.simulator.add_mailbox(Mailbox::new(Provider::Gmail, BOX).refresh_token("refresh-anew"));
    let given = give_consent(&relay, "gmail", "refresh-anew").await.done();
    assert_eq!(given["state"]["name"], "ready", "{given}");
    assert!(deliver(&relay).await.starts_with("250 "), "no reload, no restart");
    let entries = relay.get("/v1/audit", OPERATOR).await.done();
    let deeds: Vec<_> =
        entries["entries"].as_array().expect("entries").iter().map(|it| (&it["action"], &it["outcome"])).collect();
    assert!(deeds.iter().any(|deed| *deed.0 == "consent" && *deed.1 == "done"), "{deeds:?}");
    assert!(!entries.to_string().contains("refresh-"), "{entries}");
}

#[tokio::test]
async fn only_an_operator_gives_consents_and_only_to_accounts_that_have_one() {
    let relay = Operated::new().await;
    let ask = |token: &str| {
        Ask::post("/v1/tenants/acme/accounts/gmail/consent")
            .token(token)
            .json("{\"refresh_token\":\"refresh-mail@acme.example\"}")
    };
    relay.ask(&ask(ACME)).await.refused(403);
    give_consent(&relay, "nobody", "x").await.refused(404);
    give_consent(&relay, "gmail", "two words").await.refused(422);
}

/// An account without a configured refresh token, in a directory with a state directory.
fn unconfigured(simulator: &Simulator) -> std::path::PathBuf {
    let account = format!(
        "[[accounts]]\nid = \"box\"\naddress = \"{OUTLOOK}\"\nprovider = \"outlook\"\n[accounts.grant]\nkind = \"refresh_token\"\n\
         client_id = \"public\"\n"
    );
    operated(simulator, &account)
}

/// The tenant `acme` with these accounts, in a directory with a state directory and an admin address.
pub(super) fn operated(simulator: &Simulator, accounts: &str) -> std::path::PathBuf {
    let directory = configuration(simulator, &simulator.ca_pem(), accounts);
    let main = fs::read_to_string(directory.join("posthouse.toml")).expect("there is one");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("loopback has ports")
        .port();
    let admin = admin("").replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    fs::write(directory.join("posthouse.toml"), format!("{}{main}{admin}", state_directory(&directory)))
        .expect("a file");
    fs::write(directory.join("port"), port.to_string()).expect("a file");
    fs::write(directory.join("operator"), OPERATOR).expect("a file");
    directory
}

fn login(directory: &Path, more: &[&str]) -> Child {
    start(directory, &[&["account", "login", "acme/box", "--config", "posthouse.toml"][..], more].concat())
}

/// The owner types the code in that the command shows; its end.
async fn agreed(simulator: &Simulator, mut child: Child) -> Said {
    let mut out = BufReader::new(child.stdout.take().expect("the output is read"));
    let mut said = Said { out: String::new(), err: String::new(), ok: false };
    let mut line = String::new();
    while timeout(PATIENCE, out.read_line(&mut line)).await.expect("a line in time").expect("text") > 0 {
        if let Some(code) = line.strip_prefix("Enter ") {
            simulator.approve_device(code.trim(), OUTLOOK).expect("a mailbox");
        }
        said.out.push_str(&std::mem::take(&mut line));
    }
    child.stderr.take().expect("the errors are read").read_to_string(&mut said.err).await.expect("text");
    said.ok = child.wait().await.expect("the command ends").success();
    said
}

async fn simulator() -> Simulator {
    let mut options = Options::new(vec![Mailbox::new(Provider::Outlook, OUTLOOK).client("public", None)]);
    options.outlook.rotation = Rotation::OldDie;
    Simulator::start(options).await.expect("loopback has free ports")
}

/// The relay of these files in a process of its own, once it listens.
pub(super) async fn running(directory: &Path) -> (Child, u16) {
    let child = start(directory, &["run", "--config", "posthouse.toml"]);
    let port: u16 = fs::read_to_string(directory.join("port")).expect("a file").parse().expect("a number");
    let listening = async { while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {} };
    timeout(PATIENCE, listening).await.expect("the relay listens");
    (child, port)
}

#[tokio::test]
async fn a_login_goes_into_the_store_while_no_relay_runs_and_to_the_relay_while_one_does() {
    let simulator = simulator().await;
    let directory = unconfigured(&simulator);
    let said = agreed(&simulator, login(&directory, &[])).await;
    assert!(said.ok && said.out.contains("the relay uses it when it is started"), "{}{}", said.out, said.err);
    let (relay, port) = running(&directory).await;
    let url = format!("http://127.0.0.1:{port}");
    // Somebody else has the store now, and without a token nothing can be brought to it: nobody is asked in vain.
    let said = run(&directory, &["account", "login", "acme/box", "--config", "posthouse.toml", "--admin", &url]).await;
    let expected = "a relay has the store open, and takes refresh tokens at its admin address only: there is no token";
    assert!(!said.ok && said.err.contains(expected), "{}", said.err);
    assert!(simulator.device_codes().is_empty());
    let said = agreed(&simulator, login(&directory, &["--admin", &url, "--token-file", "operator"])).await;
    assert!(said.ok && said.out.contains("account box is ready"), "{}{}", said.out, said.err);
    // The provider lets each refresh token be used once: what is kept is the newest, whatever the account is called.
    let file = directory.join("tenants/acme.toml");
    let tenant = fs::read_to_string(&file).expect("the tenant's file");
    killed(relay).await;
    for id in ["box", "renamed", "renamed"] {
        fs::write(&file, tenant.replace("id = \"box\"", &format!("id = \"{id}\""))).expect("a file");
        let (relay, port) = running(&directory).await;
        let reply = send(&mut client(port).await, OUTLOOK, TO, MAIL).await;
        assert!(reply.starts_with("250 "), "{id}: {reply}");
        killed(relay).await;
    }
    assert_eq!(simulator.report(Provider::Outlook, OUTLOOK).expect("a mailbox").messages, 3);
}

/// Ends it as a machine without memory does.
pub(super) async fn killed(mut relay: Child) {
    relay.kill().await.expect("it runs");
}

/// A client of the relay with this admin port, logged in.
pub(super) async fn client(admin: u16) -> Wire {
    let status = Ask::get("/v1/status").token(OPERATOR).send(([127, 0, 0, 1], admin).into()).await.done();
    let address = status["listeners"][0]["address"].as_str().expect("an address");
    let mut client = Wire::connect(address.parse().expect("an address")).await;
    client.hear("220 ").await;
    client.expect("EHLO client.example.com", "250").await;
    client.expect(&format!("AUTH PLAIN {APP}"), "235 2.7.0").await;
    client
}

#[tokio::test]
async fn an_account_without_a_token_and_a_state_directory_is_a_fault() {
    let simulator = simulator().await;
    let directory = unconfigured(&simulator);
    let main = fs::read_to_string(directory.join("posthouse.toml")).expect("there is one");
    let without: String =
        main.lines().filter(|line| !line.starts_with("state_directory")).map(|line| format!("{line}\n")).collect();
    fs::write(directory.join("posthouse.toml"), without).expect("a file");
    let said = run(&directory, &["check", "--config", "posthouse.toml"]).await;
    assert!(
        !said.ok
            && (said.out.clone() + &said.err).contains("the refresh token of acme/box is not in the configuration"),
        "{}{}",
        said.out,
        said.err
    );
}
