//! One call of a policy: everything that its host functions can reach, and nothing else.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use posthouse_mail::header::{HeaderBlock, body_offset};
use tokio::time::Instant;

use crate::decided::Instructions;
use crate::failure::Failure;
use crate::log::Lines;
use crate::memory::Memory;
use crate::realm::{Account, Realm};
use crate::tenant::TenantMemory;

/// A tenant's settings, by key.
pub type Settings = Arc<BTreeMap<String, String>>;

/// Who asks, and when: the same for all hooks.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// What the policy may see and name.
    pub realm: Arc<dyn Realm>,
    /// The message's envelope.
    pub envelope: Envelope,
    /// When.
    pub moment: Moment,
}

/// Time and chance, fixed for one call.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_milliseconds: u64,
    /// A number that nobody else has.
    pub seed: u64,
    /// The same moment by the clock that entries of the key-value memory end by.
    pub now: Instant,
}

/// What is known of a message without its content.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The transaction's id.
    pub transaction: String,
    /// The client's address.
    pub client: IpAddr,
    /// What the client calls itself.
    pub helo: String,
    /// Whether its channel is encrypted.
    pub is_encrypted: bool,
    /// The login.
    pub login: String,
    /// The reverse-path; empty for `<>`.
    pub sender: String,
    /// The recipients that were accepted.
    pub recipients: Vec<String>,
    /// The size that the client has announced.
    pub declared_size: Option<u64>,
    /// Whether the client asks for SMTPUTF8.
    pub smtputf8: bool,
    /// What `on-message` has left.
    pub carried: Vec<u8>,
}

impl Envelope {
    /// Of no message: for questions that are about none.
    pub fn none() -> Self {
        Self {
            transaction: String::new(),
            client: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            helo: String::new(),
            is_encrypted: false,
            login: String::new(),
            sender: String::new(),
            recipients: Vec::new(),
            declared_size: None,
            smtputf8: false,
            carried: Vec::new(),
        }
    }
}

/// The message. It is handed in and given back, so that it is never copied.
#[derive(Debug)]
pub struct Mail {
    /// The content, or what there is of it; all of the header block is there.
    pub content: Vec<u8>,
    /// Its fields.
    pub block: HeaderBlock,
    /// Whether it is all of the content.
    pub is_whole: bool,
}

impl Mail {
    /// Of a content that holds its whole header block.
    pub fn new(content: Vec<u8>, is_whole: bool) -> Self {
        let block = HeaderBlock::parse(&content);
        Self { content, block, is_whole }
    }

    pub(crate) fn none() -> Self {
        Self::new(Vec::new(), true)
    }

    /// The body, or what there is of it.
    pub(crate) fn body(&self) -> &[u8] {
        let start = match self.content.get(self.block.end()..) {
            Some(rest) if rest.starts_with(b"\r\n") => self.block.end() + 2,
            Some(_) => self.block.end(),
            None => body_offset(&self.content).unwrap_or(self.content.len()),
        };
        &self.content[start..]
    }
}

/// What came of an attempt to deliver.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The account.
    pub account: String,
    /// What became of the message.
    pub outcome: Outcome,
    /// The reply's code.
    pub code: u16,
    /// The reply's text.
    pub text: String,
    /// How long it took.
    pub took: Duration,
    /// Whether the next account may be tried.
    pub can_go_on: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has taken it.
    Accepted,
    /// Not now.
    Deferred,
    /// Never.
    Refused,
    /// Nobody can know.
    Unknown,
}

/// What a call has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time on a processor.
    pub cpu: Duration,
    /// Time by the clock.
    pub time: Duration,
    /// Octets of memory.
    pub memory: usize,
    /// Instructions, where they are counted.
    pub instructions: Option<u64>,
}

/// What came of a call.
#[derive(Debug)]
pub struct Report<T> {
    /// The decision, or why there is none.
    pub result: Result<T, Failure>,
    /// What it has cost.
    pub cost: Cost,
    /// What the policy has logged, whatever the result.
    pub lines: Lines,
}

/// The state of a running call.
pub(crate) struct Call {
    pub(crate) tenant: Arc<TenantMemory>,
    pub(crate) settings: Settings,
    pub(crate) inquiry: Inquiry,
    pub(crate) mail: Mail,
    pub(crate) attempt: Option<Attempt>,
    pub(crate) reads_body: bool,
    pub(crate) body_read: usize,
    pub(crate) instructions: Instructions,
    pub(crate) edits: usize,
    pub(crate) edit_bytes: usize,
    pub(crate) lines: Lines,
    pub(crate) memory: Memory,
    accounts: Option<Vec<Account>>,
    signed: Option<Vec<String>>,
    is_ascii: Option<bool>,
}

impl Call {
    pub(crate) fn new(tenant: Arc<TenantMemory>, settings: Settings, inquiry: Inquiry, memory: usize) -> Self {
        Self {
            tenant,
            settings,
            inquiry,
            mail: Mail::none(),
            attempt: None,
            reads_body: false,
            body_read: 0,
            instructions: Instructions::default(),
            edits: 0,
            edit_bytes: 0,
            lines: Lines::default(),
            memory: Memory::new(memory),
            accounts: None,
            signed: None,
            is_ascii: None,
        }
    }

    /// The accounts, as they were when they were first asked for: the same for the whole call.
    pub(crate) fn accounts(&mut self) -> &[Account] {
        let realm = &self.inquiry.realm;
        self.accounts.get_or_insert_with(|| realm.accounts())
    }

    /// The names of fields under a signature, in lower case, in order.
    pub(crate) fn signed(&mut self) -> &[String] {
        let mail = &self.mail;
        self.signed.get_or_insert_with(|| posthouse_mail::dkim::signed_fields(&mail.content, &mail.block))
    }

    /// Whether the header block is US-ASCII, which is looked at once.
    pub(crate) fn has_ascii_header(&mut self) -> bool {
        let mail = &self.mail;
        *self.is_ascii.get_or_insert_with(|| mail.content[..mail.block.end()].is_ascii())
    }
}
