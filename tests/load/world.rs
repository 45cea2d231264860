//! What a scenario runs in: simulated providers in this process, and a program under measurement
//! in another one.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use posthouse_simulator::mailbox::Mailbox;
use posthouse_simulator::options::{Keep, Options};
use posthouse_simulator::provider::Provider;
use posthouse_simulator::simulator::Simulator;

use crate::drive::{self, Load, Outcome};
use crate::machine::Machine;
use crate::peers::Peer;

/// Providers, their mailboxes, and a directory for what the programs need.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) directory: PathBuf,
    numbers: Arc<AtomicU64>,
}

/// Where the programs' logs are, in the world's directory.
const LOGS: &str = "logs";

/// What a run cost the program under measurement.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) micros_per_message: f64,
    pub(crate) peak_rss_kib: u64,
    /// Of the time of this machine's processors, what its host gave to others while something wanted to run.
    pub(crate) stolen: f64,
}

/// What was used before a run.
struct Before {
    cpu: Duration,
    machine: Machine,
}

impl Before {
    fn of(peer: &Peer) -> Self {
        Self { cpu: peer.process.cpu(), machine: Machine::now() }
    }

    fn cost(&self, peer: &Peer, accepted: u64) -> Cost {
        let cpu = peer.process.cpu().saturating_sub(self.cpu);
        #[expect(clippy::cast_precision_loss, reason = "a count of messages fits the 53 bits")]
        let micros_per_message = cpu.as_secs_f64() * 1e6 / accepted.max(1) as f64;
        let stolen = Machine::now().stolen_since(self.machine);
        Cost { cpu, micros_per_message, peak_rss_kib: peer.process.peak_rss_kib(), stolen }
    }
}

impl World {
    /// Providers with so many mailboxes at Gmail, whose replies are so long on their way.
    pub(crate) async fn new(mailboxes: usize, latency: Duration) -> io::Result<Self> {
        // The digest of each message is kept, so that every copy can be accounted for.
        Self::keeping(mailboxes, latency, Keep::Digest).await
    }

    /// The same, which keep so much of each message.
    pub(crate) async fn keeping(mailboxes: usize, latency: Duration, keep: Keep) -> io::Result<Self> {
        let mailboxes: Vec<Mailbox> =
            (0..mailboxes).map(|number| Mailbox::new(Provider::Gmail, format!("g{number}@load.example"))).collect();
        let mut options = Options::for_load(mailboxes.clone());
        options.keep = keep;
        options.gmail.latency = latency;
        // The largest message of the scenarios is larger than what Gmail takes.
        options.gmail.limits.message_size = 200_000_000;
        let simulator = Simulator::start(options).await.map_err(io::Error::other)?;
        let directory = std::env::temp_dir().join(format!("posthouse-load-{}", std::process::id()));
        std::fs::create_dir_all(directory.join(LOGS))?;
        std::fs::write(directory.join("ca.pem"), simulator.ca_pem())?;
        Ok(Self { simulator, mailboxes, directory, numbers: Arc::default() })
    }

    /// Runs a load through a peer and takes its cost.
    pub(crate) async fn run(&self, peer: &Peer, load: Load) -> io::Result<(Outcome, Cost)> {
        let before = Before::of(peer);
        let outcome = drive::run(load, Arc::clone(&self.numbers)).await?;
        let cost = before.cost(peer, outcome.accepted);
        Ok((outcome, cost))
    }

    /// Runs two loads at the same time; the cost is what both cost, over what the first one brought.
    pub(crate) async fn run_both(&self, peer: &Peer, loads: [Load; 2]) -> io::Result<([Outcome; 2], Cost)> {
        let before = Before::of(peer);
        let outcomes = drive::run_both(loads, Arc::clone(&self.numbers)).await?;
        let cost = before.cost(peer, outcomes[0].accepted);
        Ok((outcomes, cost))
    }

    /// Whether the provider has each message that was accepted, once, and no other.
    pub(crate) fn has_each_once(&self, accepted: u64) -> bool {
        let messages = self.simulator.ledger().messages();
        let distinct: HashSet<&str> =
            messages.iter().flat_map(|message| message.recipients.iter().map(String::as_str)).collect();
        messages.len() as u64 == accepted && distinct.len() as u64 == accepted
    }

    /// Where logs are.
    pub(crate) fn logs(&self) -> PathBuf {
        self.directory.join(LOGS)
    }

    pub(crate) fn forget(&self) {
        self.simulator.ledger().clear();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A port that nobody uses at the moment.
pub(crate) fn free_port() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
