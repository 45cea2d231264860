//! What the log says of ends: a warning at each of their days, of whom, what, how long, and what to do. It is what people
//! have who have no webhook, so its fields are a promise.

use std::fs;
use std::path::Path;
use std::time::Duration;

use posthouse_relay::simulation;
use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::Options;
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use super::certificates::{certificate, pem};
use super::ends::day;
use crate::command::{configuration, start};

const PATIENCE: Duration = Duration::from_secs(30);

/// A relay in a process of its own, and the warnings that it has written so far.
struct Logged {
    log: Lines<BufReader<ChildStdout>>,
    warnings: Vec<Value>,
    _relay: Child,
}

impl Logged {
    fn of(directory: &Path) -> Self {
        let mut relay = start(directory, &["run", "--config", "posthouse.toml"]);
        let log = BufReader::new(relay.stdout.take().expect("it is piped")).lines();
        Self { log, warnings: Vec::new(), _relay: relay }
    }

    /// Reads on until such a warning comes.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let reading = async {
            loop {
                let line = self.log.next_line().await.expect("the log is text").expect("the relay runs");
                let entry: Value = serde_json::from_str(&line).expect("each line is JSON");
                if entry["level"] == "WARN" {
                    self.warnings.push(entry.clone());
                    if wanted(&entry) {
                        return entry;
                    }
                }
            }
        };
        let read = timeout(PATIENCE, reading).await;
        read.unwrap_or_else(|_| panic!("no such warning: {:?}", self.warnings))
    }

    /// Reads what comes within this time.
    async fn during(&mut self, time: Duration) {
        let _none = timeout(time, self.until(|_| false)).await;
    }

    fn with(&self, field: &str) -> Vec<&Value> {
        self.warnings.iter().filter(|warning| !warning[field].is_null()).collect()
    }
}

/// The account `gmail` of `acme`, whose application's secret ends at this day.
fn account(mailbox: &Mailbox, end: &str) -> String {
    let secret = "client_secret = \"posthouse-secret\"\n";
    let account = simulation::account("gmail", mailbox, "");
    account.replacen(secret, &format!("{secret}client_secret_expires = \"{end}\"\n"), 1)
}

#[tokio::test]
async fn an_end_is_logged_at_each_of_its_days_with_whom_what_how_long_and_what_to_do() {
    let mailbox = Mailbox::new(Provider::Gmail, "mail@acme.example");
    let simulator = Simulator::start(Options::new(vec![mailbox.clone()])).await.expect("loopback has free ports");
    let directory = configuration(&simulator, &simulator.ca_pem(), &account(&mailbox, &day(60)));
    let read = |name: &str| fs::read_to_string(directory.join(name)).expect("there is one");
    let write = |name: &str, text: &str| fs::write(directory.join(name), text).expect("a file can be written");
    let listener = "[[listeners]]\nname = \"tls\"\naddress = \"127.0.0.1:0\"\ntls = \"implicit\"\n";
    write("posthouse.toml", &(read("posthouse.toml") + listener + &pem(&certificate(300, 6).0)));
    let mut relay = Logged::of(&directory);
    let told = relay.until(|warning| warning["listener"] == "tls").await;
    assert_eq!(told["left"], "6 days", "{told}");
    assert_eq!(told["message"], "the certificate ends: put a new one in its place");
    let before = account(&mailbox, &day(60));
    let login = read("tenants/acme.toml").replace(&before, "");
    // The day is one of Greenwich, some of which is over; the last one is told in hours.
    let days = [(30, "29 days"), (14, "13 days"), (7, "6 days"), (3, "2 days"), (1, " h"), (0, "none: it has ended")];
    for (days, left) in days {
        write("tenants/acme.toml", &(login.clone() + &account(&mailbox, &day(days))));
        let is_of_that_day = |warning: &Value| warning["left"].as_str().is_some_and(|said| said.ends_with(left));
        let told = relay.until(is_of_that_day).await;
        for (field, value) in [("tenant", "acme"), ("account", "gmail"), ("credential", "client_secret")] {
            assert_eq!(told[field], value, "{told}");
        }
        let next =
            "make a new one for the application, put it in the account's grant, and its end in client_secret_expires";
        assert_eq!(told["next"], next, "{told}");
        assert_eq!(told["message"], "a credential of the account ends", "{told}");
    }
    // None is told twice, though somebody looks each second; and what the account has come to is said once besides.
    relay.during(Duration::from_millis(2500)).await;
    assert_eq!(relay.with("left").len(), 7, "{:?}", relay.warnings);
    let states = relay.with("state");
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(states[0]["state"] == "expiring" && states[0]["account"] == "gmail", "{states:?}");
    let reason = states[0]["reason"].as_str().expect("a text");
    assert!(reason.starts_with("its client secret ends in 29 days; make a new one for the application"), "{reason}");
}
