//! The client's side of a session: replies in, commands and events out.
//!
//! A state is a struct; a transition consumes it; an error latches. No timeouts are kept here, but
//! each state names its own. The invariants: never a credential nor content on a channel that is not
//! protected as demanded; every reply is matched to what it answers, and after anything odd the
//! session is not reusable.

mod auth;
mod core;
mod envelope;
mod error;
pub mod login;
mod opening;
mod ready;
mod state;
mod transfer;

use std::time::Duration;

use crate::capability::Capabilities;
use crate::client::core::Core;
use crate::client::login::Login;
use crate::client::ready::Purpose;
use crate::client::state::State;
use crate::client::transfer::Accepted;
use crate::command::Body;
use crate::path::{ForwardPath, ReversePath};
use crate::reply::Reply;
use crate::reply_reader::ReplyError;
use crate::sasl::Mechanism;

/// How the channel has to be protected before anything secret is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsRule {
    /// By TLS from the first octet; whoever drives the session has seen to it.
    Implicit,
    /// By STARTTLS; without it the session ends.
    StartTls,
    /// Not at all.
    None,
}

/// What a session is begun with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What this side calls itself in EHLO.
    pub hostname: String,
    /// How the channel has to be protected.
    pub tls: TlsRule,
}

/// One message's envelope.
#[derive(Debug, Clone, Copy)]
pub struct Transaction<'a> {
    /// Where notifications go.
    pub reverse_path: &'a ReversePath,
    /// Where the message goes: at least one.
    pub recipients: &'a [ForwardPath],
    /// Octets of its content, where known.
    pub size: Option<u64>,
    /// What its content is made of.
    pub body: Body,
    /// Whether it needs SMTPUTF8.
    pub smtputf8: bool,
}

/// How the content is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// As one last chunk of so many octets.
    Bdat {
        /// Octets of content.
        size: u64,
    },
    /// After a 354, stuffed.
    Data,
}

/// How far the exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The greeting.
    Connection,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL.
    MailFrom,
    /// RCPT.
    RcptTo,
    /// DATA, until its 354.
    Data,
    /// The content.
    Content,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where it was decided.
    pub stage: Stage,
    /// The reply that decided it. The message was accepted if it is a 2yz to the content.
    pub reply: Reply,
    /// The replies to the recipients, in their order, as far as they came; none where the sender was
    /// refused.
    pub recipients: Vec<Reply>,
    /// Whose reply it is.
    pub origin: Origin,
}

/// Whose reply decided a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The server's.
    Server,
    /// This side's own: the server does not offer what the message needs (552, 553, 554), or cannot
    /// be given one (421). Nothing of the message was sent.
    Session,
}

/// What a session has to say to whoever drives it.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Send the output, then bring more input.
    NeedInput,
    /// Make the handshake, then call [`ClientSession::secured`]. Nothing was buffered behind the 220.
    StartTls,
    /// The server is known and the channel protected: [`ClientSession::authenticate`] or
    /// [`ClientSession::skip_login`].
    Identified,
    /// A transaction may [`begin`](ClientSession::begin).
    Ready,
    /// Sender and recipients are accepted: [`ClientSession::send_bdat`] or [`ClientSession::send_data`].
    RecipientsAccepted,
    /// 354: stuff and send the content, then call [`ClientSession::content_sent`].
    GoAhead,
    /// The server refused the content before it was sent: stop, and drop the connection.
    EarlyReply(Reply),
    /// The transaction is over.
    Answered(Outcome),
}

/// How much of the content the server may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentPhase {
    /// None.
    NotBegun,
    /// Some of it, or all.
    MayHaveBeenSent,
    /// All of it.
    FinalDotSent,
}

/// Why a session is of no more use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The server refused the session itself, before any message.
    Refused {
        /// Where.
        stage: Stage,
        /// What it said.
        reply: Reply,
        /// What a token's refusal said before, in JSON.
        detail: Option<String>,
    },
    /// The server does not offer STARTTLS, which is demanded.
    TlsNotOffered,
    /// The server does not offer the mechanism that the account logs in with.
    MechanismNotOffered(Mechanism),
    /// A name, user or token is empty, or holds octets that would end a line or change its meaning.
    Unwritable(&'static str),
    /// The login does not fit into a line of AUTH (RFC 4954 4: 12,288 octets).
    LoginTooLong,
    /// What the server sent is no reply.
    Protocol(ReplyError),
    /// The server said something that nobody asked for.
    StrayInput,
    /// The server sent octets in the clear behind its answer to STARTTLS.
    BytesBehindStartTls,
    /// A reply that cannot be one to what was asked.
    UnexpectedReply {
        /// What was being waited for.
        state: &'static str,
        /// What it said.
        reply: Reply,
    },
    /// The session failed before, or is in the middle of something.
    NotReady,
}

/// What is being waited for, and how long at most (RFC 5321 4.5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// As an operator says it.
    pub name: &'static str,
    /// The longest time.
    pub timeout: Duration,
}

/// A session with one server.
#[derive(Debug)]
pub struct ClientSession {
    core: Core,
    state: State,
}

impl ClientSession {
    /// A session that waits for the server's greeting.
    pub fn new(settings: Settings) -> Self {
        Self { core: Core::new(settings), state: State::Greeting }
    }

    /// Takes octets from the server.
    pub fn receive(&mut self, octets: &[u8]) {
        self.core.receive(octets);
    }

    /// What is to be sent. Whoever sends it clears it; behind AUTH it holds a secret.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.core.output
    }

    /// Goes on until there is something to say.
    ///
    /// # Errors
    /// The server refused the session, or does not speak SMTP. The session is of no more use.
    pub fn advance(&mut self) -> Result<Event, Error> {
        loop {
            let (state, event) = self.step(|state, core| state.advance(core))?;
            self.state = state;
            if let Some(event) = event {
                return Ok(event);
            }
        }
    }

    /// The channel is encrypted: what the server said before is forgotten (RFC 3207 4.2).
    pub fn secured(&mut self) {
        if let Ok(state) = self.step(|_, core| opening::secured(core)) {
            self.state = state;
        }
    }

    /// Logs in.
    ///
    /// # Errors
    /// The server does not offer the mechanism, or the login cannot be sent; nothing was.
    pub fn authenticate(&mut self, login: &Login) -> Result<(), Error> {
        match &self.state {
            State::Identified => self.state = auth::begin(login, &mut self.core)?,
            State::Failed(error, _) => return Err(error.clone()),
            _ => return Err(Error::NotReady),
        }
        Ok(())
    }

    /// Goes on without a login.
    pub fn skip_login(&mut self) {
        if matches!(self.state, State::Identified) {
            self.state = State::Unauthenticated;
        }
    }

    /// Begins a transaction. With [`Framing::Bdat`], one recipient and PIPELINING, the output ends
    /// with the announcement of the chunk, and the content is to be sent right behind it: then
    /// [`ClientSession::content_phase`] says that it may have been. Without CHUNKING a single
    /// recipient's content is asked for with DATA, whatever the framing.
    ///
    /// A message that needs what the server does not offer is [`Event::Answered`] by this side.
    ///
    /// # Errors
    /// The session is not ready for one.
    pub fn begin(&mut self, transaction: &Transaction<'_>, framing: Framing) -> Result<(), Error> {
        self.begin_for(Purpose::Deliver(framing), transaction)
    }

    /// Asks about recipients without sending anything.
    ///
    /// # Errors
    /// The session is not ready for it.
    pub fn begin_probe(&mut self, reverse_path: &ReversePath, recipients: &[ForwardPath]) -> Result<(), Error> {
        let body = Body::SevenBit;
        self.begin_for(Purpose::Ask, &Transaction { reverse_path, recipients, size: None, body, smtputf8: false })
    }

    /// Announces the content as one last chunk; its octets follow at once.
    ///
    /// # Panics
    /// [`Event::RecipientsAccepted`] was not the last event, or the server does not offer CHUNKING:
    /// what follows would be taken for commands.
    pub fn send_bdat(&mut self, size: u64) {
        assert!(self.core.capabilities.chunking, "a chunk is announced to a server without CHUNKING");
        self.state = accepted(self.take_state()).send_bdat(size, &mut self.core);
    }

    /// Asks for the go-ahead for the content.
    ///
    /// # Panics
    /// [`Event::RecipientsAccepted`] was not the last event.
    pub fn send_data(&mut self) {
        if let Ok(state) = self.step(|state, core| accepted(state).send_data(core)) {
            self.state = state;
        }
    }

    /// The content and its final dot were sent. Of a chunk nothing need be said.
    pub fn content_sent(&mut self) {
        self.state = match self.take_state() {
            State::Sending(state) => state.sent(&mut self.core),
            other => other,
        };
    }

    /// Says goodbye, where the server would understand it.
    pub fn quit(&mut self) {
        self.state = ready::quit(&self.state, &mut self.core);
    }

    /// What the server offers.
    pub fn capabilities(&self) -> &Capabilities {
        &self.core.capabilities
    }

    /// How much of the content the server may have; an error does not change that.
    pub fn content_phase(&self) -> ContentPhase {
        self.core.phase
    }

    /// Whether another transaction may begin.
    pub fn reusable(&self) -> bool {
        matches!(self.state, State::Ready(_)) && !self.core.has_unread()
    }

    /// Whether the server said something that nobody asked for.
    pub fn has_stray_input(&self) -> bool {
        matches!(self.state, State::Ready(_)) && self.core.has_unread()
    }

    /// What is being waited for; after an error, what was.
    pub fn state(&self) -> &'static Wait {
        self.state.wait()
    }

    fn begin_for(&mut self, purpose: Purpose, transaction: &Transaction<'_>) -> Result<(), Error> {
        self.core.quiet()?;
        self.state = match self.take_state() {
            State::Ready(state) => state.begin(transaction, purpose, &mut self.core),
            State::Failed(error, wait) => {
                self.state = State::Failed(error.clone(), wait);
                return Err(error);
            }
            other => {
                self.state = other;
                return Err(Error::NotReady);
            }
        };
        Ok(())
    }

    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Over)
    }

    /// Takes the state further; an error latches.
    fn step<T>(&mut self, transition: impl FnOnce(State, &mut Core) -> Result<T, Error>) -> Result<T, Error> {
        let state = self.take_state();
        let wait = state.wait();
        transition(state, &mut self.core).inspect_err(|error| self.state = State::Failed(error.clone(), wait))
    }
}

fn accepted(state: State) -> Accepted {
    match state {
        State::Accepted(state) => state,
        other => unreachable!("content is announced to recipients that were not accepted, {}", other.wait().name),
    }
}

#[cfg(test)]
mod tests;
