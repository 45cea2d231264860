//! What a relay keeps in its state directory: through restarts, kills and upgrades, and for one process at a time.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use posthouse_relay::audit::Actor;
use posthouse_relay::config::{load, password};
use posthouse_relay::pauses::Subject;
use posthouse_relay::relay::{Relay, StartError};
use posthouse_relay::simulation::{self, Doors};
use posthouse_simulator::faults::{Action, Fault, Stage};
use posthouse_simulator::limits::Limits;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::{Options, Rotation};
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::files::acme;
use crate::post::{APP, bytes, scripted, send, unique};
use crate::wire::Wire;

const POSTHOUSE: &str = env!("CARGO_BIN_EXE_posthouse-under-test");

/// An operator's files, and an Outlook that lets a refresh token be used once.
struct Place {
    simulator: Simulator,
    directory: PathBuf,
}

/// A relay in a process of its own.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Place {
    async fn new() -> Self {
        Self::with("", "", Limits::without_quotas(Provider::Outlook)).await
    }

    /// The same with these lines of the account, and of the tenant, and limits of the mailbox.
    async fn with(account: &str, tenant: &str, limits: Limits) -> Self {
        let mailbox = Mailbox::new(Provider::Outlook, "mail@acme.example");
        let mut options = Options::new(vec![mailbox.clone()]);
        options.outlook.limits = limits;
        options.outlook.rotation = Rotation::OldDie;
        let simulator = Simulator::start(options).await.expect("loopback has free ports");
        let directory = std::env::temp_dir().join(format!("posthouse-keeps-{}-{}", std::process::id(), unique()));
        fs::create_dir_all(directory.join("tenants")).expect("the temporary directory can be written");
        fs::create_dir_all(directory.join("state")).expect("the temporary directory can be written");
        let place = Self { simulator, directory };
        place.write("ca.pem", &place.simulator.ca_pem());
        let text = acme(&mailbox, &password::hash(b"secret"), tenant);
        let provider = "provider = \"outlook\"\n";
        place.write("tenants/acme.toml", &text.replace(provider, &format!("{provider}{account}")));
        place.configure("");
        place
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).expect("a file can be written");
    }

    /// The main file, with these lines behind the others.
    fn configure(&self, more: &str) {
        let doors = Doors { plain: "127.0.0.1:0".parse().expect("an address"), starttls: None, admin: None };
        let ca = self.directory.join("ca.pem").display().to_string();
        let text = simulation::main_file(&self.simulator, &doors, &ca);
        self.write("posthouse.toml", &format!("state_directory = \"state\"\n{text}\n{more}"));
    }

    fn command(&self, command: &str) -> Command {
        let mut posthouse = Command::new(POSTHOUSE);
        posthouse.args([command, "--config"]).arg(self.directory.join("posthouse.toml"));
        posthouse
    }

    /// A relay that listens.
    fn start(&self) -> Process {
        let mut child = self.command("run").stdout(Stdio::piped()).spawn().expect("the relay is built");
        let mut log = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let read = log.read_line(&mut line).expect("the log is text");
            assert!(read > 0, "the relay ended: {said}");
            said += &line;
            if let Some((_, rest)) = line.split_once("\"address\":\"").filter(|_| line.contains("\"listening\"")) {
                break rest.split('"').next().and_then(|address| address.parse().ok()).expect("an address");
            }
        };
        // Whoever does not read a log stops the one that writes it.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
        Process { child, address }
    }

    /// What `posthouse run` says where it does not start; one that runs on has failed the test.
    async fn refused(&self) -> String {
        let mut relay = tokio::process::Command::from(self.command("run"));
        let ended = tokio::time::timeout(Duration::from_secs(20), relay.kill_on_drop(true).output()).await;
        let output = ended.expect("the relay does not start").expect("the relay is built");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn state(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join("state")).expect("there is one");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.directory);
    }
}

impl Process {
    /// Ends as systemd ends it.
    fn stop(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("there is a kill");
        assert!(told.success() && self.child.wait().expect("it ends").success());
    }

    async fn send(&self) -> String {
        let mut client = Wire::connect(self.address).await;
        client.hear("220 ").await;
        client.expect("EHLO client.example.com", "250").await;
        client.expect(&format!("AUTH PLAIN {APP}"), "235 2.7.0").await;
        send(&mut client, "app@acme.example", &["ann@example.org"], "Subject: x\r\n\r\nx\r\n").await
    }
}

impl Drop for Process {
    /// Killed, as by a machine that has no memory left.
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_used_after_a_kill() {
    let place = Place::new().await;
    for _ in 0..3 {
        let relay = place.start();
        let reply = relay.send().await;
        assert!(reply.starts_with("250 "), "{reply}");
    }
    assert_eq!(place.simulator.ledger().messages().len(), 3);
    let kept = ["budgets-0.journal", "budgets-1.journal", "posthouse.pid", "posthouse.redb", "store.key"];
    assert_eq!(place.state(), kept);
    // The proof that it needed what was kept: without it the consent is spent.
    for name in place.state() {
        fs::remove_file(place.directory.join("state").join(name)).expect("it was there");
    }
    let reply = place.start().send().await;
    assert!(reply.starts_with("454 4.7.0 "), "{reply}");
}

#[tokio::test]
async fn a_second_relay_on_a_state_directory_is_refused_and_a_check_is_not() {
    let place = Place::new().await;
    let relay = place.start();
    let said = place.refused().await;
    let expected =
        "posthouse.redb is in use by another process: stop the other relay, or give this one a state_directory";
    assert!(said.contains(expected), "{said}");
    let check = place.command("check").output().expect("the relay is built");
    assert!(check.status.success(), "{check:?}");
    let reply = relay.send().await;
    assert!(reply.starts_with("250 "), "{reply}");
}

#[tokio::test]
async fn a_check_of_policies_writes_nothing_and_says_what_is_refused() {
    let place = Place::with("", &scripted("message = \"proceed\""), Limits::without_quotas(Provider::Outlook)).await;
    let check = place.command("check").output().expect("the relay is built");
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success() && said.contains("The configuration is good: "), "{check:?}");
    assert_eq!(place.state(), Vec::<String>::new(), "whoever checks may be another user than the relay's");
    let acme = fs::read_to_string(place.directory.join("tenants/acme.toml")).expect("it was written");
    place.write("tenants/acme.toml", &acme.replace("message = \"proceed\"", "message = \"dance\""));
    let check = place.command("check").output().expect("the relay is built");
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(
        !check.status.success() && said.contains("but a policy is refused and") && said.contains("dance"),
        "{check:?}"
    );
}

#[tokio::test]
async fn a_key_that_is_not_given_keeps_the_relay_from_losing_a_token() {
    let place = Place::new().await;
    let (one, two) = ("31".repeat(32), "32".repeat(32));
    place.configure("[store]\nkey_file = \"keys\"\n");
    write_private(&place.directory.join("keys"), &one);
    let reply = place.start().send().await;
    assert!(reply.starts_with("250 "), "{reply}");
    write_private(&place.directory.join("keys"), &two);
    let said = place.refused().await;
    assert!(said.contains("the refresh token of acme/gmail is sealed under the key "), "{said}");
    assert!(said.contains(": add that key behind them") && !said.contains(&one) && !said.contains(&two), "{said}");
    write_private(&place.directory.join("keys"), &format!("{two}\n{one}\n"));
    let reply = place.start().send().await;
    assert!(reply.starts_with("250 "), "{reply}");
    // That start has sealed everything under the first key: the other one is not wanted any more.
    write_private(&place.directory.join("keys"), &two);
    let reply = place.start().send().await;
    assert!(reply.starts_with("250 "), "{reply}");
}

#[tokio::test]
async fn budgets_are_right_to_the_message_after_kills() {
    let limits = Limits { recipients_per_day: Some(7), ..Limits::without_quotas(Provider::Outlook) };
    let place = Place::with("recipients_per_day = 7\n", "", limits).await;
    for _ in 0..2 {
        let relay = place.start();
        for _ in 0..2 {
            let reply = relay.send().await;
            assert!(reply.starts_with("250 "), "{reply}");
        }
    }
    // Killed with a message on its way that the provider has, and whose answer nobody has heard.
    let relay = place.start();
    place.simulator.inject(Provider::Outlook, Fault::new(Stage::Recorded, Action::Stall));
    let on_its_way = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::select! {
            reply = relay.send() => panic!("nobody answers: {reply}"),
            _ = place.simulator.ledger().wait_for(5) => {}
        }
    });
    on_its_way.await.expect("it reaches the provider");
    drop(relay);
    let relay = place.start();
    for _ in 0..2 {
        let reply = relay.send().await;
        assert!(reply.starts_with("250 "), "{reply}");
    }
    let reply = relay.send().await;
    let expected =
        "451 4.7.1 account gmail is over its budget of 7 recipients in 24 hours; this message will pass at 20";
    assert!(reply.starts_with(expected), "{reply}");
    // A regular end folds the journal into the database, and counts nothing twice.
    relay.stop();
    let reply = place.start().send().await;
    assert!(reply.starts_with(expected), "{reply}");
    assert_eq!(place.simulator.ledger().messages().len(), 7);
    let report = place.simulator.report(Provider::Outlook, "mail@acme.example").expect("there is such a mailbox");
    assert_eq!(report.violations.daily, 0, "{report:?}");
}

#[tokio::test]
async fn what_a_policy_remembers_is_there_after_a_restart() {
    let policy = scripted("message = \"remember colour blue; echo remembered colour\"");
    let place = Place::with("", &policy, Limits::without_quotas(Provider::Outlook)).await;
    let relay = place.start();
    assert!(relay.send().await.starts_with("250 "));
    relay.stop();
    let mailbox = Mailbox::new(Provider::Outlook, "mail@acme.example");
    let policy = scripted("message = \"echo remembered colour\"");
    place.write("tenants/acme.toml", &acme(&mailbox, &password::hash(b"secret"), &policy));
    assert!(place.start().send().await.starts_with("250 "));
    let messages = place.simulator.ledger().messages();
    let says = |number: usize| String::from_utf8_lossy(bytes(&messages[number])).contains("X-remembered: blue\r\n");
    assert!(says(0) && says(1), "{messages:?}");
}

#[tokio::test]
async fn pauses_and_the_audit_log_are_there_after_a_restart() {
    let place = Place::new().await;
    let file = place.directory.join("posthouse.toml");
    let first = started(&file).await;
    let actor = || Actor { who: "ann".to_owned(), from: None, tenant: None };
    let subject = |account: Option<&str>| Subject { tenant: "acme".to_owned(), account: account.map(str::to_owned) };
    for account in [Some("gmail"), None] {
        first
            .control()
            .pause(actor(), subject(account), "moving house".to_owned())
            .await
            .expect("there is such a tenant");
    }
    first.control().resume(actor(), subject(None)).await.expect("it was paused");
    let before = first.control().audit().recent(None);
    assert_eq!(before.len(), 3);
    first.stop().await;
    let second = started(&file).await;
    assert_eq!(second.control().audit().recent(None), before);
    let snapshot = second.snapshot();
    let pauses = &snapshot.tenants["acme"].pauses;
    assert_eq!(pauses.whole, None);
    let pause = pauses.of("gmail").expect("it is paused");
    assert_eq!((&*pause.reason, &*pause.by, pause.by_operator), ("moving house", "ann", true));
    let mut client = Wire::connect(second.address("plain").expect("there is one")).await;
    client.hear("220 ").await;
    client.expect("EHLO client.example.com", "250").await;
    client.expect(&format!("AUTH PLAIN {APP}"), "235 2.7.0").await;
    client.expect("MAIL FROM:<app@acme.example>", "451 4.3.2 account gmail is paused: moving house").await;
}

/// A relay of this process on these files; whoever had its state directory before lets go of it soon after its end.
async fn started(file: &Path) -> Relay {
    let loaded = load(file);
    let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
    let starting = async {
        loop {
            match Relay::start(config, None).await {
                Err(StartError::State(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                started => return started.expect("a relay starts"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), starting).await.expect("the state directory is free again")
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).expect("a file can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
}
