//! A relay whose configuration is in files, as an operator's is, and what an operator does to them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use posthouse_relay::config::{from_toml, load, password};
use posthouse_relay::control::report::{Cause, Report};
use posthouse_relay::relay::{Origin, Relay, StartError};
use posthouse_relay::simulation::{self, Doors};
use posthouse_simulator::limits::Limits;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::post::{policies, state_directory, unique};
use crate::wire::Wire;

/// Files, the relay that reads them, and the providers behind it.
pub(crate) struct Files {
    pub(crate) simulator: Simulator,
    pub(crate) relay: Relay,
    pub(crate) directory: PathBuf,
    pub(crate) mailboxes: [Mailbox; 3],
    pub(crate) hash: String,
}

impl Files {
    /// Tenant `acme` with the login `app`, which sends through Gmail; the listener `plain`.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// The same with these lines in the tenant's file.
    pub(crate) async fn with(more: &str) -> Self {
        Self::operated("", more).await
    }

    /// The same with these lines in the main file too, such as an `[admin]`.
    pub(crate) async fn operated(main: &str, more: &str) -> Self {
        let mailboxes = [
            Mailbox::new(Provider::Gmail, "mail@acme.example"),
            Mailbox::new(Provider::Outlook, "box@acme.example"),
            Mailbox::new(Provider::Gmail, "mail@globex.example"),
        ];
        let mut options = Options::new(mailboxes.to_vec());
        options.gmail.limits = Limits::without_quotas(Provider::Gmail);
        options.outlook.limits = Limits::without_quotas(Provider::Outlook);
        let simulator = Simulator::start(options).await.expect("loopback has free ports");
        let directory = std::env::temp_dir().join(format!("posthouse-files-{}-{}", std::process::id(), unique()));
        std::fs::create_dir_all(directory.join("tenants")).expect("the temporary directory can be written");
        let hash = password::hash(b"secret");
        std::fs::write(directory.join("ca.pem"), simulator.ca_pem()).expect("a file can be written");
        let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).expect("a file can be written");
        write("posthouse.toml", &main_file(&simulator, &directory, main));
        write("tenants/acme.toml", &acme(&mailboxes[0], &hash, more));
        let relay = started(&directory).await;
        Self { simulator, relay, directory, mailboxes, hash }
    }

    /// Ends the relay and starts another one with what is in the files now.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    /// Ends the relay.
    pub(crate) async fn stop(&mut self) {
        let nothing = started_with_nothing().await;
        std::mem::replace(&mut self.relay, nothing).stop().await;
    }

    /// Starts another one with what is in the files now.
    pub(crate) async fn start(&mut self) {
        let relay = started(&self.directory).await;
        std::mem::replace(&mut self.relay, relay).stop().await;
    }

    /// The main file with these lines before its listeners.
    pub(crate) fn main_file(&self, more: &str) -> String {
        main_file(&self.simulator, &self.directory, more)
    }

    /// The file of `acme` with these lines after all others.
    pub(crate) fn acme(&self, more: &str) -> String {
        acme(&self.mailboxes[0], &self.hash, more)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.join(name), text).expect("a file can be written");
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.directory.join(name)).expect("there is such a file");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Reloads, as SIGHUP does.
    pub(crate) async fn reload(&self) -> Report {
        self.relay.control().reload(Cause::Signal).await.expect("the relay is not ending")
    }

    /// Writes a file and reloads.
    pub(crate) async fn change(&self, name: &str, text: &str) -> Report {
        self.write(name, text);
        self.reload().await
    }

    pub(crate) fn generation(&self) -> u64 {
        self.relay.control().status().last.generation
    }

    /// Waits until the files have been taken for this generation.
    pub(crate) async fn until_generation(&self, generation: u64) {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while self.generation() < generation {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        waited.await.unwrap_or_else(|_| {
            panic!("generation {generation} does not come: {}", self.relay.control().status().last)
        });
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.relay.address("plain").expect("there is a plain listener")
    }

    /// A client that has said EHLO and logged in with this AUTH PLAIN.
    pub(crate) async fn client(&self, auth: &str) -> Wire {
        let mut client = Wire::connect(self.address()).await;
        client.hear("220 ").await;
        client.expect("EHLO client.example.com", "250").await;
        client.expect(&format!("AUTH PLAIN {auth}"), "235 2.7.0").await;
        client
    }
}

async fn started(directory: &Path) -> Relay {
    let file = directory.join("posthouse.toml");
    let loaded = load(&file);
    let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
    let starting = async {
        loop {
            let origin = Origin { file: Some(file.clone()), sources: loaded.sources.clone() };
            match Relay::start_from(origin, config, None).await {
                // Whoever had the state directory before lets go of it soon after its end.
                Err(StartError::State(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                started => return started.expect("a relay starts"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), starting).await.expect("the state directory is free again")
}

/// A relay that stands in for another one while that is ended.
async fn started_with_nothing() -> Relay {
    let main =
        "hostname = \"relay.example.com\"\n[[listeners]]\nname = \"none\"\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n";
    let tenant = "[[logins]]\nname = \"nobody\"\nsenders = [\"@nobody.example\"]\n";
    let loaded = from_toml(main, &[("nobody", tenant)]);
    let config = loaded.config.as_ref().unwrap_or_else(|| panic!("{}", loaded.report()));
    Relay::start(config, None).await.expect("a relay starts")
}

impl Drop for Files {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

fn main_file(simulator: &Simulator, directory: &Path, more: &str) -> String {
    let anywhere = "127.0.0.1:0".parse().expect("an address");
    let ca = directory.join("ca.pem").display().to_string();
    let text = simulation::main_file(simulator, &Doors { plain: anywhere, starttls: None, admin: None }, &ca);
    let state = state_directory(directory);
    let mut whole = format!("{state}{}", text.replace("[limits]\n", &format!("{more}\n[limits]\n")));
    let _ = write!(whole, "{}", policies());
    whole
}

/// The file of the tenant `acme`.
pub(crate) fn acme(mailbox: &Mailbox, hash: &str, more: &str) -> String {
    "default_route = \"all\"\n[[routes]]\nname = \"all\"\naccounts = [\"gmail\"]\n".to_owned()
        + &simulation::login("app", hash, &["@acme.example"], "")
        + &simulation::account("gmail", mailbox, "")
        + more
}
