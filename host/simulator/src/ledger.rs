//! What reached the providers: every message that was accepted, once, and the counts around it.
//!
//! The ledger is the truth that tests account against, so a message is in it before its 250 is written. Connections
//! write to different shards: under load nobody waits for a lock that another one holds for long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::account::Count;
use crate::gathered::Gathered;
use crate::ledger::connections::Connections;
use crate::options::Keep;
use crate::provider::Provider;

pub mod connections;

const SHARDS: usize = 32;

/// The content of a message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of it, dots unstuffed, without the final dot.
    Whole(Vec<u8>),
    /// What is left of it.
    Digest {
        /// Its length.
        octets: u64,
        /// [`digest`](crate::digest::digest) of all.
        digest: u128,
        /// [`body_digest`](crate::digest::body_digest).
        body: u128,
    },
}

impl Content {
    /// Its length.
    pub const fn octets(&self) -> u64 {
        match self {
            Self::Whole(content) => content.len() as u64,
            Self::Digest { octets, .. } => *octets,
        }
    }

    /// The octets; none where only the digest was kept.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(content) => Some(content),
            Self::Digest { .. } => None,
        }
    }
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number at this simulator, from 1, in the order of acceptance.
    pub number: u64,
    /// By whom.
    pub provider: Provider,
    /// From which mailbox: the login.
    pub mailbox: Arc<str>,
    /// MAIL FROM, without brackets; empty for `<>`.
    pub reverse_path: String,
    /// RCPT TO, without brackets, in the order of acceptance.
    pub recipients: Vec<String>,
    /// The content.
    pub content: Content,
    /// The number of the connection, from 1.
    pub connection: u64,
    /// Which message on its connection it was, from 1.
    pub index: u64,
    /// When it was accepted.
    pub at: Instant,
}

impl Message {
    /// The content; no octets where it was not kept whole.
    pub fn bytes(&self) -> &[u8] {
        self.content.bytes().unwrap_or_default()
    }

    /// The content as text, for assertions.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// A message on its way into the ledger.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) provider: Provider,
    pub(crate) mailbox: Arc<str>,
    pub(crate) reverse_path: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) content: Gathered,
    pub(crate) connection: u64,
    pub(crate) index: u64,
}

/// What was counted at one provider since the simulator's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections that were accepted.
    pub connections: u64,
    /// TLS handshakes that were completed.
    pub handshakes: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins that were refused.
    pub refused_logins: u64,
    /// Requests to the token endpoint.
    pub token_requests: u64,
    /// Access tokens that were issued.
    pub tokens: u64,
    /// MAIL commands that were well-formed and legal.
    pub transactions: u64,
    /// Messages that were accepted.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Their octets.
    pub octets: u64,
}

/// The same, being counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: Count,
    pub(crate) handshakes: Count,
    pub(crate) logins: Count,
    pub(crate) refused_logins: Count,
    pub(crate) token_requests: Count,
    pub(crate) tokens: Count,
    pub(crate) transactions: Count,
    pub(crate) messages: Count,
    pub(crate) recipients: Count,
    pub(crate) octets: Count,
}

/// The ledger.
#[derive(Debug)]
pub struct Ledger {
    counts: [Counts; 2],
    shards: Vec<Mutex<Vec<Message>>>,
    accepted: AtomicU64,
    news: Notify,
    connections: Connections,
}

impl Ledger {
    pub(crate) fn new(keep: Keep) -> Self {
        Self {
            counts: [Counts::default(), Counts::default()],
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            accepted: AtomicU64::new(0),
            news: Notify::new(),
            connections: Connections::new(keep),
        }
    }

    /// The messages in the order in which they were accepted; none where only counts are kept.
    pub fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for shard in &self.shards {
            messages.extend(shard.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        }
        messages.sort_by_key(|message| message.number);
        messages
    }

    /// The messages to this recipient.
    pub fn messages_to(&self, recipient: &str) -> Vec<Message> {
        let is_to = |message: &Message| message.recipients.iter().any(|to| to.eq_ignore_ascii_case(recipient));
        self.messages().into_iter().filter(is_to).collect()
    }

    /// How many messages were accepted since the start or the last [`Ledger::clear`].
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Waits until so many messages were accepted, for as long as it takes, and returns all of them.
    pub async fn wait_for(&self, number: u64) -> Vec<Message> {
        loop {
            let news = self.news.notified();
            if self.accepted() >= number {
                return self.messages();
            }
            news.await;
        }
    }

    /// Forgets the messages; counts and connections stay.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.accepted.store(0, Ordering::SeqCst);
    }

    /// The connections that were accepted, with what happened on them, in the order of acceptance. Where only counts
    /// are kept: those that are open.
    pub fn connections(&self) -> Vec<connections::Connection> {
        self.connections.list()
    }

    /// How many connections are open at this provider.
    pub fn open_connections(&self, provider: Provider) -> usize {
        self.connections.open(provider)
    }

    /// Waits until so many connections are open at this provider, or fewer.
    pub async fn wait_until_open(&self, provider: Provider, at_most: usize) {
        self.connections.wait_until_open(provider, at_most).await;
    }

    /// What was counted at this provider.
    pub fn counters(&self, provider: Provider) -> Counters {
        let counts = self.counts(provider);
        Counters {
            connections: counts.connections.value(),
            handshakes: counts.handshakes.value(),
            logins: counts.logins.value(),
            refused_logins: counts.refused_logins.value(),
            token_requests: counts.token_requests.value(),
            tokens: counts.tokens.value(),
            transactions: counts.transactions.value(),
            messages: counts.messages.value(),
            recipients: counts.recipients.value(),
            octets: counts.octets.value(),
        }
    }

    pub(crate) const fn counts(&self, provider: Provider) -> &Counts {
        &self.counts[provider.index()]
    }

    pub(crate) const fn registry(&self) -> &Connections {
        &self.connections
    }

    /// Writes a message down; its number.
    pub(crate) fn record(&self, entry: Entry) -> u64 {
        let counts = self.counts(entry.provider);
        counts.messages.add(1);
        counts.recipients.add(entry.recipients.len() as u64);
        counts.octets.add(entry.content.octets());
        let Entry { provider, mailbox, reverse_path, recipients, content, connection, index } = entry;
        let Some(content) = content.kept() else { return self.accept() };
        let shard = usize::try_from(connection % SHARDS as u64).unwrap_or(0);
        let mut messages = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        // Counted while the shard is locked: who sees the count finds the message.
        let number = self.accept();
        let at = Instant::now();
        messages.push(Message { number, provider, mailbox, reverse_path, recipients, content, connection, index, at });
        number
    }

    fn accept(&self) -> u64 {
        let number = self.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        self.news.notify_waiters();
        number
    }
}

#[cfg(test)]
mod tests;
