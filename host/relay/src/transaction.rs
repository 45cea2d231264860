//! A message's way, from the client's last octet to its reply:
//!
//! ```text
//! snapshot -> decide -> edit -> resolve -> admit -> deliver -> reply
//! ```
//!
//! All of it happens when the content is there; who may carry it is known before, see `prospects`.
//! Nothing here reads from the client or knows the protocol. The one invariant: 250 is answered
//! only for what the provider has accepted.

mod attempts;
mod decision;
mod record;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use posthouse_mail::date::Date;
use posthouse_mail::header::body_offset;
use posthouse_mail::received::Received;
use posthouse_policy::call::Mail;
use posthouse_smtp::command::{Body, MailFrom};
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::Reply;
use posthouse_upstream::deliver::Delivered;
use posthouse_upstream::verdict::Clients;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::account::{Account, Engaged};
use crate::admission::{ContentMemory, Held, NoContentMemory};
use crate::answer::{self, Undelivered};
use crate::client::Client;
use crate::decide::Decision;
use crate::identifiers::TransactionId;
use crate::policies::TenantPolicy;
use crate::prospects::Prospects;
use crate::snapshot::{Known, Snapshot};
use crate::trace::Trace;

pub(crate) use posthouse_upstream::deliver::Piece;

use attempts::Load;

/// Hosts that a message may have come by; more of them are a loop (RFC 5321 6.3).
const HOPS: usize = 100;
/// The longest silence of a client whose content flows through: it holds one of the mailbox's few sessions.
const STALL: Duration = Duration::from_secs(30);
/// Room for the Received field, so that the content is copied once.
const RECEIVED: usize = 512;

/// One message, from MAIL to its reply, under one snapshot.
#[derive(Debug)]
pub(crate) struct Transaction {
    id: TransactionId,
    snapshot: Arc<Snapshot>,
    known: Known,
    /// The generation of the tenant's policy that decides on all of it.
    policy: Option<Arc<TenantPolicy>>,
    /// What its client does with a 4yz.
    clients: Clients,
    /// Who may carry it: what was said at RCPT holds for them all.
    pub(crate) prospects: Prospects,
    /// The account that carries it, or was the last to try.
    account: Option<Arc<Account>>,
    /// Counts it with the account that it is meant for.
    engaged: Option<Engaged>,
    /// Its one recipient was refused of late by one of the prospects, and so takes no company.
    goes_alone: bool,
    /// Where notifications go.
    pub(crate) reverse_path: ReversePath,
    body: Body,
    smtputf8: bool,
    declared_size: Option<u64>,
    /// The recipients that were accepted.
    pub(crate) recipients: Vec<ForwardPath>,
    /// The content, or what there is of it.
    pub(crate) content: Vec<u8>,
    /// When the content began to come.
    pub(crate) content_began: Option<Instant>,
    /// The content memory that it holds.
    held: Held,
    trace: Trace,
}

/// What holds for the whole of it from MAIL on.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) known: Known,
    pub(crate) policy: Option<Arc<TenantPolicy>>,
    pub(crate) prospects: Prospects,
}

/// How the message came in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) client: Client,
    pub(crate) helo: String,
    pub(crate) extended: bool,
    pub(crate) date: Date,
}

impl Transaction {
    /// Opens a transaction at an accepted MAIL.
    pub(crate) fn open(id: TransactionId, pinned: Pinned, clients: Clients, mail: MailFrom, trace: Trace) -> Self {
        let Pinned { snapshot, known, policy, prospects } = pinned;
        Self {
            id,
            snapshot,
            known,
            policy,
            clients,
            engaged: prospects.only().map(|account| account.engage()),
            prospects,
            account: None,
            goes_alone: false,
            reverse_path: mail.path,
            body: mail.body,
            smtputf8: mail.smtputf8,
            declared_size: mail.size,
            recipients: Vec::new(),
            content: Vec::new(),
            content_began: None,
            held: Held::default(),
            trace,
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> TransactionId {
        self.id
    }

    /// The memory that the content will take, as far as the client has said.
    pub(crate) fn expected_size(&self, most: usize) -> usize {
        self.declared_size.map_or(0, |size| usize::try_from(size).unwrap_or(most)).min(most)
    }

    /// Takes memory for so many octets of content, of the relay's and of the tenant's part in it. An error
    /// where there is none in time.
    pub(crate) async fn cover(&mut self, memory: &ContentMemory, octets: usize) -> Result<(), NoContentMemory> {
        memory.cover(&self.known.tenant.limits.content_memory, &mut self.held, octets).await
    }

    /// From this size on the content flows through; a policy that needs the body has it read further.
    pub(crate) fn stream_threshold(&self, usual: usize) -> usize {
        self.policy.as_ref().map_or(usual, |policy| policy.stream_threshold(usual))
    }

    /// Relays a whole message; the reply is the client's.
    pub(crate) async fn relay(mut self, arrival: &Arrival) -> Reply {
        let started = Instant::now();
        let content = std::mem::take(&mut self.content);
        let size = content.len() as u64;
        let outcome = self.carry(arrival, content, None, started).await;
        self.answer(outcome, size, started)
    }

    /// Relays a message whose body is still coming; `first` holds the header block and what came with it,
    /// `size` grows while more comes.
    pub(crate) async fn relay_through(
        mut self,
        arrival: &Arrival,
        first: Vec<u8>,
        rest: mpsc::Receiver<Piece>,
        size: &AtomicU64,
    ) -> Reply {
        let started = Instant::now();
        let outcome = match body_offset(&first) {
            Some(_) => self.carry(arrival, first, Some(rest), started).await,
            None => Err(Undelivered::EndlessHeader),
        };
        self.answer(outcome, size.load(Ordering::Relaxed), started)
    }

    async fn carry(
        &mut self,
        arrival: &Arrival,
        content: Vec<u8>,
        rest: Option<mpsc::Receiver<Piece>>,
        started: Instant,
    ) -> Result<Delivered, Undelivered> {
        self.check_header(&content)?;
        let mail = Mail::new(content, rest.is_none());
        let (decision, mail) = self.decide(arrival, mail).await?;
        self.tell_decision(&decision, started);
        let (header, body) = self.edit(&decision, arrival, &mail)?;
        let uploading = if rest.is_some() { self.snapshot.content_deadline } else { Duration::ZERO };
        let deadline = self.deadline(started) + uploading;
        self.attempt_each(arrival, &decision, Load { header, body, rest }, deadline).await
    }

    /// The new header block, with our trace field on top, and the body, which stays as it is.
    fn edit<'a>(
        &self,
        decision: &Decision,
        arrival: &Arrival,
        mail: &'a Mail,
    ) -> Result<(Vec<u8>, &'a [u8]), Undelivered> {
        let Mail { content, block, .. } = mail;
        if block.count(content, "Received") >= HOPS {
            return Err(Undelivered::TooManyHops);
        }
        let mut header = Vec::with_capacity(RECEIVED);
        self.received(arrival, &self.id.to_string()).write_to(&mut header);
        if decision.edits.is_empty() {
            return Ok((header, content));
        }
        header.extend_from_slice(&decision.edits.apply(content, block));
        let rest = &content[block.end()..];
        if !rest.is_empty() && !rest.starts_with(b"\r\n") {
            // A header block without its empty line: what follows must not go on with a field of ours.
            header.extend_from_slice(b"\r\n");
        }
        Ok((header, rest))
    }

    fn received<'a>(&'a self, arrival: &'a Arrival, id: &'a str) -> Received<'a> {
        let only = match &self.recipients[..] {
            [ForwardPath::Mailbox(mailbox)] => Some(mailbox.as_str()),
            _ => None,
        };
        Received {
            helo: &arrival.helo,
            peer: arrival.client.address,
            by: &self.snapshot.hostname,
            with: arrival.client.protocol(arrival.extended, self.smtputf8),
            id,
            recipient: only,
            date: arrival.date,
        }
    }

    fn deadline(&self, started: Instant) -> Instant {
        started + self.snapshot.delivery_deadline
    }

    fn answer(self, outcome: Result<Delivered, Undelivered>, size: u64, started: Instant) -> Reply {
        self.record(&outcome, size, started);
        match outcome {
            Ok(delivered) => delivered.verdict().into_reply(),
            Err(undelivered) => answer::reply(&undelivered, self.clients),
        }
    }
}
