//! A message's way, from the client's last octet to its reply:
//!
//! ```text
//! snapshot -> decide -> edit -> resolve -> admit -> deliver -> reply
//! ```
//!
//! Deciding and resolving need the envelope only and are done at MAIL, the rest when the content is there.
//! Nothing here reads from the client or knows the protocol. The one invariant: 250 is answered
//! only for what the provider has accepted.

mod record;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use posthouse_mail::date::Date;
use posthouse_mail::header::{HeaderBlock, body_offset};
use posthouse_mail::received::Received;
use posthouse_smtp::client::Transaction as Envelope;
use posthouse_smtp::command::{Body, MailFrom};
use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::Reply;
use posthouse_upstream::deliver::{Content, Delivered, Streamed};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::account::Account;
use crate::admission::Held;
use crate::answer::{self, Undelivered};
use crate::client::Client;
use crate::decide::{self, Decision};
use crate::identifiers::TransactionId;
use crate::snapshot::{Known, Snapshot};

pub(crate) use posthouse_upstream::deliver::Piece;

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
    decision: Decision,
    /// The account that carries it: the decision's, resolved at MAIL, so that what was said at RCPT holds for it.
    pub(crate) account: Arc<Account>,
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
    pub(crate) held: Held,
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
    ///
    /// # Errors
    /// Nobody carries mail of this sender.
    pub(crate) fn open(
        id: TransactionId,
        snapshot: Arc<Snapshot>,
        known: Known,
        mail: MailFrom,
    ) -> Result<Self, Undelivered> {
        let decision = decide::native(&known.tenant, &known.login, &mail.path);
        let account = decide::resolve(&known.tenant, &decision.carrier).cloned().ok_or(Undelivered::NoCarrier)?;
        Ok(Self {
            id,
            snapshot,
            known,
            decision,
            account,
            reverse_path: mail.path,
            body: mail.body,
            smtputf8: mail.smtputf8,
            declared_size: mail.size,
            recipients: Vec::new(),
            content: Vec::new(),
            content_began: None,
            held: Held::default(),
        })
    }

    /// The memory that the content will take, as far as the client has said.
    pub(crate) fn expected_size(&self, most: usize) -> usize {
        self.declared_size.map_or(0, |size| usize::try_from(size).unwrap_or(most)).min(most)
    }

    /// Puts one recipient to the provider, before the client is answered.
    ///
    /// # Errors
    /// The provider refuses it, or cannot be asked.
    pub(crate) async fn verify(&self, recipient: &ForwardPath) -> Result<(), Undelivered> {
        Ok(self.account.verify(&self.reverse_path, recipient, self.deadline(Instant::now())).await?)
    }

    /// Relays a whole message; the reply is the client's.
    pub(crate) async fn relay(self, arrival: &Arrival) -> Reply {
        let started = Instant::now();
        let size = self.content.len() as u64;
        let outcome = self.carry(arrival, &self.content, None, started).await;
        self.answer(outcome, size, started)
    }

    /// Relays a message whose body is still coming; `first` holds the header block and what came with it,
    /// `size` grows while more comes.
    pub(crate) async fn relay_through(
        self,
        arrival: &Arrival,
        first: Vec<u8>,
        rest: mpsc::Receiver<Piece>,
        size: &AtomicU64,
    ) -> Reply {
        let started = Instant::now();
        let outcome = match body_offset(&first) {
            Some(_) => self.carry(arrival, &first, Some(rest), started).await,
            None => Err(Undelivered::EndlessHeader),
        };
        self.answer(outcome, size.load(Ordering::Relaxed), started)
    }

    async fn carry(
        &self,
        arrival: &Arrival,
        content: &[u8],
        rest: Option<mpsc::Receiver<Piece>>,
        started: Instant,
    ) -> Result<Delivered, Undelivered> {
        let (mut header, body) = self.edit(&self.decision, arrival, content)?;
        let account = &self.account;
        let uploading = if rest.is_some() { self.snapshot.content_deadline } else { Duration::ZERO };
        let deadline = self.deadline(started) + uploading;
        account.admit(deadline).await?;
        match rest {
            None => {
                let slices = [&header[..], body];
                let size = Some((header.len() + body.len()) as u64);
                Ok(account.deliver(&self.envelope(size), Content::Whole(&slices), deadline).await?)
            }
            Some(mut rest) => {
                header.extend_from_slice(body);
                let stall = STALL.min(self.snapshot.content_silence);
                let streamed = Streamed { header: &header, body: &mut rest, stall };
                Ok(account.deliver(&self.envelope(None), Content::Streamed(streamed), deadline).await?)
            }
        }
    }

    /// The new header block, with our trace field on top, and the body, which stays as it is.
    fn edit<'a>(
        &self,
        decision: &Decision,
        arrival: &Arrival,
        content: &'a [u8],
    ) -> Result<(Vec<u8>, &'a [u8]), Undelivered> {
        let block = HeaderBlock::parse(content);
        if block.count(content, "Received") >= HOPS {
            return Err(Undelivered::TooManyHops);
        }
        let mut header = Vec::with_capacity(RECEIVED);
        self.received(arrival, &self.id.to_string()).write_to(&mut header);
        if decision.edits.is_empty() {
            return Ok((header, content));
        }
        header.extend_from_slice(&decision.edits.apply(content, &block));
        Ok((header, &content[block.end()..]))
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

    fn envelope(&self, size: Option<u64>) -> Envelope<'_> {
        Envelope {
            reverse_path: &self.reverse_path,
            recipients: &self.recipients,
            size,
            body: self.body,
            smtputf8: self.smtputf8,
        }
    }

    fn deadline(&self, started: Instant) -> Instant {
        started + self.snapshot.delivery_deadline
    }

    fn answer(self, outcome: Result<Delivered, Undelivered>, size: u64, started: Instant) -> Reply {
        self.record(&outcome, size, started);
        match outcome {
            Ok(delivered) => delivered.verdict().into_reply(),
            Err(undelivered) => answer::reply(&undelivered),
        }
    }
}
