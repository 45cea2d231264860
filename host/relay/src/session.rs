//! One client's session: bytes between its stream and the protocol, events to where they are decided.
//!
//! Nothing of SMTP is parsed here and nothing is decided here. The one invariant: while an answer is
//! owed to the client, nothing more is read from it.

mod content;
mod entry;
mod envelope;
mod login;
mod telling;

use std::io;
use std::sync::Arc;

use posthouse_net::stream::Stream;
use posthouse_smtp::reply::{EnhancedCode, Reply};
use posthouse_smtp::server::{Event, ServerSession};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Duration, Instant, timeout_at};
use tracing::{info, warn};

use crate::admission::Admitted;
use crate::client::Client;
use crate::front::Front;
use crate::identifiers::{SessionId, TransactionId};
use crate::listener::Rules;
use crate::shutdown::Draining;
use crate::transaction::Transaction;

pub(crate) use entry::serve;

/// A client's session.
pub(crate) struct Session {
    id: SessionId,
    stream: Stream,
    protocol: ServerSession,
    client: Client,
    rules: Arc<Rules>,
    front: Arc<Front>,
    draining: Draining,
    transaction: Option<Box<Transaction>>,
    transactions: u32,
    /// When a content began that flows through; its transaction is elsewhere then.
    in_flight: Option<Instant>,
    /// What the provider has accepted and the client was not told yet.
    unacknowledged: Option<TransactionId>,
    deadline: Instant,
    _place: Admitted,
    /// Its place among its tenant's connections, once it has logged in.
    of_tenant: Option<OfTenant>,
}

/// A connection's place among those of a tenant.
struct OfTenant {
    tenant: String,
    _place: OwnedSemaphorePermit,
}

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The protocol said so: QUIT, or a reply that closes.
    Closed,
    /// The client is gone, or its channel broke.
    Lost(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl Session {
    /// Serves the client until the session is over.
    async fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.step().await {
                return end;
            }
        }
    }

    async fn step(&mut self) -> Result<(), End> {
        let mut nowhere = Vec::new();
        let sink = self.transaction.as_mut().map_or(&mut nowhere, |open| &mut open.content);
        match self.protocol.advance(sink) {
            Event::NeedInput => self.converse().await?,
            Event::StartTls => self.start_tls().await?,
            Event::Authenticate(credentials) => self.authenticate(credentials).await,
            Event::ClientIdentity(identity) => self.identify(&identity),
            Event::Mail(mail) => self.mail(mail),
            Event::Recipient(recipient) => self.recipient(recipient).await,
            Event::ContentStarts { .. } => self.content_starts().await,
            Event::Content => self.content_grew().await?,
            Event::ContentEnds => self.content_ends().await,
            Event::Spoiled(fault) => self.spoiled(fault),
            Event::Abandoned => self.transaction = None,
            Event::Closed => {
                self.flush().await?;
                return Err(End::Closed);
            }
        }
        Ok(())
    }

    /// Sends what is due and takes what comes.
    async fn converse(&mut self) -> Result<(), End> {
        self.flush().await?;
        match self.read().await? {
            Read::Octets => Ok(()),
            Read::End => Err(End::Closed),
            Read::TimedOut => {
                self.front.metrics.timeouts.increment(1);
                self.protocol.close(Reply::new(421, EnhancedCode::new(4, 4, 2), "too slow; closing the connection"));
                Ok(())
            }
            Read::Draining => {
                self.protocol.close(Reply::new(421, EnhancedCode::new(4, 3, 2), "the relay is going down; try again"));
                Ok(())
            }
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        let output = self.protocol.output();
        if output.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + self.rules.timeouts.command;
        let sent = timeout_at(deadline, self.stream.send(output)).await;
        output.clear();
        // What was said anew began a new wait: deadlines are by command, not by octet.
        match self.is_in_content() {
            true => self.extend_content_deadline(),
            false => self.deadline = Instant::now() + self.patience(),
        }
        if sent.as_ref().is_ok_and(Result::is_ok) {
            self.unacknowledged = None;
        }
        Ok(sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?)
    }

    /// Reads once. A session in the middle of a message is not interrupted by shutdown.
    async fn read(&mut self) -> Result<Read, End> {
        let in_content = self.is_in_content();
        let Self { stream, protocol, draining, deadline, .. } = self;
        let read = stream.receive(|octets| {
            protocol.receive(octets);
            octets.len()
        });
        let read = async {
            tokio::select! {
                biased;
                read = read => read.map(|count| if count == 0 { Read::End } else { Read::Octets }),
                () = draining.begun(), if !in_content => Ok(Read::Draining),
            }
        };
        match timeout_at(*deadline, read).await {
            Ok(read) => Ok(read?),
            Err(_) => Ok(Read::TimedOut),
        }
    }

    /// How long the client may take for what it is to send next.
    fn patience(&self) -> Duration {
        if self.is_in_content() { self.rules.timeouts.content } else { self.rules.timeouts.command }
    }

    fn is_in_content(&self) -> bool {
        self.in_flight.is_some() || self.transaction.as_ref().is_some_and(|open| open.content_began.is_some())
    }

    fn log_end(&self, end: &End) {
        let (session, state) = (self.id, self.protocol.state_name());
        if let Some(transaction) = self.unacknowledged {
            // RFC 1047: the client may send it again; nobody can know.
            warn!(%session, %transaction, "delivered, not acknowledged");
        }
        match end {
            End::Closed => info!(%session, transactions = self.transactions, "session ended"),
            End::Lost(error) => info!(%session, transactions = self.transactions, %error, state, "client lost"),
        }
    }
}

enum Read {
    Octets,
    End,
    TimedOut,
    Draining,
}
