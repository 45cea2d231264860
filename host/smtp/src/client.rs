//! The client's side of a session: replies in, commands and events out.
//!
//! A state is a struct; a transition consumes it. The invariants: never a credential nor content on
//! a channel that is not protected as demanded; every reply is matched to what it answers, and
//! after anything odd the session is not reusable.

mod auth;
mod core;
mod envelope;
mod error;
pub mod login;
mod opening;
mod state;
mod transfer;

use std::time::Duration;

use crate::capability::Capabilities;
use crate::client::core::Core;
use crate::client::login::Login;
use crate::client::state::State;
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
    /// The replies to the recipients, in their order, as far as they came.
    pub recipients: Vec<Reply>,
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
    /// The server answered before the content was sent: stop, and drop the connection.
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
    /// A name, user or token holds octets that would end a line or change its meaning.
    Unwritable(&'static str),
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

    /// What is to be sent. Whoever sends it clears it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.core.output
    }

    /// Goes on until there is something to say.
    ///
    /// # Errors
    /// The server refused the session, or does not speak SMTP. The session is of no more use.
    pub fn advance(&mut self) -> Result<Event, Error> {
        loop {
            let state = std::mem::replace(&mut self.state, State::Failed);
            let (state, event) = state.advance(&mut self.core)?;
            self.state = state;
            if let Some(event) = event {
                return Ok(event);
            }
        }
    }

    /// The channel is encrypted: what the server said before is forgotten (RFC 3207 4.2).
    pub fn secured(&mut self) {
        self.core.secured();
        self.state = opening::say_ehlo(&mut self.core);
    }

    /// Logs in.
    ///
    /// # Errors
    /// The server does not offer the mechanism, or the login holds octets that cannot be sent.
    pub fn authenticate(&mut self, login: &Login) -> Result<(), Error> {
        self.state = auth::begin(login, &mut self.core)?;
        Ok(())
    }

    /// Goes on without a login.
    pub fn skip_login(&mut self) {
        self.state = State::ReadyNow;
    }

    /// Begins a transaction. With [`Framing::Bdat`], one recipient and PIPELINING, the output ends
    /// with the announcement of the chunk, and the content is to be sent right behind it: then
    /// [`ClientSession::content_phase`] says that it may have been.
    ///
    /// # Errors
    /// The session is not ready for one.
    pub fn begin(&mut self, transaction: &Transaction<'_>, framing: Framing) -> Result<(), Error> {
        self.state = envelope::begin(self.ready()?, transaction, framing, &mut self.core);
        Ok(())
    }

    /// Asks about recipients without sending anything.
    ///
    /// # Errors
    /// The session is not ready for it.
    pub fn begin_probe(&mut self, reverse_path: &ReversePath, recipients: &[ForwardPath]) -> Result<(), Error> {
        self.state = envelope::probe(self.ready()?, reverse_path, recipients, &mut self.core);
        Ok(())
    }

    /// Announces the content as one last chunk; its octets follow at once.
    pub fn send_bdat(&mut self, size: u64) {
        self.with_state(|state, core| transfer::announce_chunk(state, size, core));
    }

    /// Asks for the go-ahead for the content.
    pub fn send_data(&mut self) {
        self.with_state(transfer::ask_for_go_ahead);
    }

    /// The content and its final dot were sent.
    pub fn content_sent(&mut self) {
        self.with_state(transfer::sent);
    }

    /// Says goodbye.
    pub fn quit(&mut self) {
        self.core.output.extend_from_slice(b"QUIT\r\n");
        self.state = State::Quitting;
    }

    /// What the server offers.
    pub fn capabilities(&self) -> &Capabilities {
        &self.core.capabilities
    }

    /// How much of the content the server may have.
    pub fn content_phase(&self) -> ContentPhase {
        self.state.content_phase()
    }

    /// Whether another transaction may begin.
    pub fn reusable(&self) -> bool {
        matches!(self.state, State::Ready) && !self.core.is_closing
    }

    /// Whether the server said something that nobody asked for.
    pub fn has_stray_input(&self) -> bool {
        matches!(self.state, State::Ready) && !self.core.input.is_empty()
    }

    /// What is being waited for.
    pub fn state(&self) -> &'static Wait {
        self.state.wait()
    }

    fn ready(&self) -> Result<(), Error> {
        match self.state {
            State::Ready if !self.core.input.is_empty() => Err(Error::StrayInput),
            State::Ready if !self.core.is_closing => Ok(()),
            _ => Err(Error::NotReady),
        }
    }

    fn with_state(&mut self, transition: impl FnOnce(State, &mut Core) -> State) {
        let state = std::mem::replace(&mut self.state, State::Failed);
        self.state = transition(state, &mut self.core);
    }
}

#[cfg(test)]
mod tests;
