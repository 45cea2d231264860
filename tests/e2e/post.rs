//! What most tests begin with: simulated providers, a relay in front of them, a client of raw octets.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use posthouse_relay::config::{from_toml, password};
use posthouse_relay::relay::Relay;
use posthouse_relay::simulation::{self, Doors};
use posthouse_simulator::ledger::Message;
use posthouse_simulator::limits::Limits;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use tokio::time::timeout;

use crate::wire::Wire;

/// AUTH PLAIN for the login `app` with the password `secret`.
pub(crate) const APP: &str = "AGFwcABzZWNyZXQ=";
/// AUTH PLAIN for the login `other` with the password `secret`, which belongs to another tenant.
pub(crate) const OTHER: &str = "AG90aGVyAHNlY3JldA==";

/// Providers and a relay.
pub(crate) struct Post {
    pub(crate) simulator: Simulator,
    pub(crate) relay: Relay,
}

/// What differs from the usual set-up.
#[derive(Default)]
pub(crate) struct Usual<'a> {
    /// Further lines of `[limits]`.
    pub(crate) limits: &'a str,
    /// Lines of `[timeouts]`.
    pub(crate) timeouts: &'a str,
    /// Further lines of the listener without TLS.
    pub(crate) listener: &'a str,
    /// Further lines of each account.
    pub(crate) account: &'a str,
    /// The route of what no other rule places; to the account `gmail` where nothing is said.
    pub(crate) route: &'a str,
    /// Further lines of the login `app`.
    pub(crate) login: &'a str,
    /// The policy of the tenant `acme`.
    pub(crate) policy: &'a str,
    /// The policy of the tenant `globex`.
    pub(crate) other_policy: &'a str,
}

impl Post {
    /// Tenant `acme` with the login `app`, which sends as @acme.example through Gmail and, as
    /// box@acme.example, through Outlook; tenant `globex` with the login `other`.
    pub(crate) async fn new() -> Self {
        Self::with(&Usual::default()).await
    }

    /// The usual set-up, where this policy decides on what `acme` sends.
    pub(crate) async fn deciding(policy: &str) -> Self {
        Self::with(&Usual { policy, ..Usual::default() }).await
    }

    pub(crate) async fn with(usual: &Usual<'_>) -> Self {
        Self::simulating(usual, |_| {}).await
    }

    pub(crate) async fn simulating(usual: &Usual<'_>, change: impl FnOnce(&mut Options)) -> Self {
        let gmail = Mailbox::new(Provider::Gmail, "mail@acme.example");
        let outlook = Mailbox::new(Provider::Outlook, "box@acme.example");
        let globex = Mailbox::new(Provider::Gmail, "mail@globex.example");
        let mut options = Options::new(vec![gmail.clone(), outlook.clone(), globex.clone()]);
        options.gmail.limits = Limits::without_quotas(Provider::Gmail);
        options.outlook.limits = Limits::without_quotas(Provider::Outlook);
        change(&mut options);
        let simulator = Simulator::start(options).await.expect("loopback has free ports");
        let hash = password::hash(b"secret");
        let usually = "default_route = \"all\"\n[[routes]]\nname = \"all\"\naccounts = [\"gmail\"]\n";
        let acme = if usual.route.is_empty() { usually } else { usual.route }.to_owned()
            + &simulation::login("app", &hash, &["@acme.example"], usual.login)
            + &simulation::account("gmail", &gmail, usual.account)
            + &simulation::account("outlook", &outlook, usual.account)
            + usual.policy;
        let globex = simulation::login("other", &hash, &["@globex.example"], "account = \"gmail\"\n")
            + &simulation::account("gmail", &globex, usual.account)
            + usual.other_policy;
        let main = main_file(&simulator, usual);
        let loaded = from_toml(&main, &[("acme", &acme), ("globex", &globex)]);
        let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
        let relay = Relay::start(config, None).await.expect("a relay starts");
        Self { simulator, relay }
    }

    /// A relay in front of these providers, with the tenant `acme`: the login `app`, and what is in this text.
    pub(crate) async fn before(simulator: Simulator, acme: &str) -> Self {
        Self::standing(simulator, acme, "", "delivery = \"10 s\"\n").await
    }

    /// The same with these lines of `[timeouts]`.
    pub(crate) async fn waiting(simulator: Simulator, acme: &str, timeouts: &str) -> Self {
        Self::standing(simulator, acme, "", timeouts).await
    }

    /// The same with these lines before all others of the tenant, such as a default route.
    pub(crate) async fn routed(simulator: Simulator, first: &str, acme: &str) -> Self {
        Self::standing(simulator, acme, first, "delivery = \"10 s\"\n").await
    }

    async fn standing(simulator: Simulator, acme: &str, first: &str, timeouts: &str) -> Self {
        let usual = Usual { timeouts, ..Usual::default() };
        let login = simulation::login("app", &password::hash(b"secret"), &["@acme.example"], "");
        let acme = first.to_owned() + &login + acme;
        let loaded = from_toml(&main_file(&simulator, &usual), &[("acme", &acme)]);
        let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
        let relay = Relay::start(config, None).await.expect("a relay starts");
        Self { simulator, relay }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.relay.address("plain").expect("there is a plain listener")
    }

    /// A client that has been greeted.
    pub(crate) async fn client(&self) -> Wire {
        let mut client = Wire::connect(self.address()).await;
        client.hear("220 ").await;
        client
    }

    /// A client that has said EHLO and logged in as `other`, of the tenant `globex`.
    pub(crate) async fn other(&self) -> Wire {
        let mut client = self.client().await;
        client.expect("EHLO client.example.com", "250").await;
        client.expect(&format!("AUTH PLAIN {OTHER}"), "235 2.7.0").await;
        client
    }

    /// A client that has said EHLO and logged in as `app`.
    pub(crate) async fn app(&self) -> Wire {
        let mut client = self.client().await;
        client.expect("EHLO client.example.com", "250").await;
        client.expect(&format!("AUTH PLAIN {APP}"), "235 2.7.0").await;
        client
    }

    /// The messages at the providers once there are so many; a test that waits in vain has failed.
    pub(crate) async fn messages(&self, count: usize) -> Vec<Message> {
        let waited = timeout(Duration::from_secs(20), self.simulator.ledger().wait_for(count as u64)).await;
        let messages = waited.expect("the messages reach the provider");
        assert_eq!(messages.len(), count, "no more messages than expected");
        messages
    }

    /// Nothing has reached a provider.
    pub(crate) fn is_empty(&self) -> bool {
        self.simulator.ledger().messages().is_empty()
    }
}

fn main_file(simulator: &Simulator, usual: &Usual<'_>) -> String {
    let anywhere = "127.0.0.1:0".parse().expect("an address");
    let certificate = simulator.issue_certificate("localhost").expect("localhost can stand in a certificate");
    let pem = (anywhere, certificate.certificate.as_str(), certificate.key.as_str());
    let ca = std::env::temp_dir().join(format!("posthouse-e2e-{}-{}.pem", std::process::id(), unique()));
    std::fs::write(&ca, simulator.ca_pem()).expect("the temporary directory can be written");
    let doors = Doors { plain: anywhere, starttls: Some(pem), admin: None };
    let text = simulation::main_file(simulator, &doors, &ca.display().to_string());
    let listener = format!("auth_over_cleartext = true\n{}", usual.listener);
    let with_policy = !usual.policy.is_empty() || !usual.other_policy.is_empty();
    let within = std::env::temp_dir().join(format!("posthouse-e2e-{}-{}", std::process::id(), unique()));
    let state = if with_policy { state_directory(&within) } else { String::new() };
    let text = text
        .replace("connections_per_address = 10000\n", "")
        .replace("[limits]\n", &format!("[limits]\n{}", usual.limits))
        .replace("auth_over_cleartext = true", &listener);
    format!("{state}{text}[timeouts]\n{}\n{}", usual.timeouts, policies())
}

/// How policies are compiled in tests: by the real command, and once for all tests.
pub(crate) fn policies() -> String {
    format!("[policies]\ncompile_worker = \"{}\"\n", env!("CARGO_BIN_EXE_posthouse-under-test"))
}

/// A state directory of its own, made where there is none, whose compiled policies all tests of this process share: each
/// guest is compiled once.
pub(crate) fn state_directory(within: &Path) -> String {
    static SHARED: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let shared = std::env::temp_dir().join(format!("posthouse-e2e-{}-compiled", std::process::id()));
        std::fs::create_dir_all(shared.join("policies")).expect("the temporary directory can be written");
        let key =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(shared.join("code-cache.key"));
        std::io::Write::write_all(&mut key.expect("a file can be made"), &[7; 32]).expect("a key can be written");
        shared
    });
    let state = within.join("state");
    if !state.is_dir() {
        std::fs::create_dir_all(&state).expect("the temporary directory can be written");
        for name in ["policies", "code-cache.key"] {
            symlink(shared.join(name), state.join(name)).expect("a new directory takes links");
        }
    }
    format!("state_directory = \"{}\"\n", state.display())
}

/// A number that no other test of this process has.
pub(crate) fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// One message from `from` to `to`, by DATA in lockstep; the reply to its end.
pub(crate) async fn send(client: &mut Wire, from: &str, to: &[&str], content: &str) -> String {
    client.expect(&format!("MAIL FROM:<{from}>"), "250").await;
    for to in to {
        client.expect(&format!("RCPT TO:<{to}>"), "250").await;
    }
    client.expect("DATA", "354").await;
    client.send(format!("{content}.\r\n")).await;
    client.reply().await
}

/// The content as it was sent: what the provider has, without the relay's trace field.
pub(crate) fn without_received(content: &[u8]) -> &[u8] {
    let mut end = 0;
    for (at, pair) in content.windows(2).enumerate() {
        if pair == b"\r\n" && !matches!(content.get(at + 2), Some(b'\t' | b' ')) {
            end = at + 2;
            break;
        }
    }
    assert!(content.starts_with(b"Received: from "), "the trace field is on top");
    &content[end..]
}

/// The policy of `tests/guests/scripted` with these settings, one `key = "steps"` a line.
pub(crate) fn scripted(settings: &str) -> String {
    guest("scripted", "", settings)
}

/// The file of a prebuilt guest of tests/guests.
pub(crate) fn guest_file(name: &str) -> String {
    format!("{}/guests/prebuilt/{name}.wasm", env!("CARGO_MANIFEST_DIR"))
}

/// A prebuilt guest of tests/guests with these lines of `[policy]` and of its settings.
pub(crate) fn guest(name: &str, more: &str, settings: &str) -> String {
    let file = guest_file(name);
    format!("[policy]\nfile = \"{file}\"\n{more}\n[policy.settings]\n{settings}\n")
}

/// A message's octets, all of which the simulator keeps.
pub(crate) fn bytes(message: &Message) -> &[u8] {
    message.content.bytes().expect("the simulator keeps whole contents")
}
