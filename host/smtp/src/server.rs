//! The server's side of a session: octets in, events and replies out.
//!
//! A state is a struct in a file of its own; a transition consumes it. Whoever drives the session
//! answers what it asks (may this login in, may this mail be sent), and nothing more is read from the
//! client before. The invariant: replies go out in the order of the commands, one for each.

mod auth;
mod chunk;
mod core;
mod data;
mod envelope;
mod input;
mod replies;
pub mod settings;
mod state;
mod waiting;

use std::sync::Arc;

use crate::command::{MailFrom, RcptTo, XClient};
use crate::data::Newline;
use crate::reply::Reply;
use crate::sasl::Credentials;
use crate::server::core::Core;
use crate::server::settings::Settings;
use crate::server::state::{Answer, State};
use crate::server::waiting::Waiting;

/// What the connection is protected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Nothing.
    Plaintext,
    /// TLS.
    Tls,
}

/// Why a content cannot be accepted, whatever comes behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A CR that no LF follows.
    BareCr,
    /// An LF that no CR precedes.
    BareLf,
    /// It is larger than the limit.
    TooBig,
}

impl From<Newline> for Fault {
    fn from(newline: Newline) -> Self {
        match newline {
            Newline::BareCr => Self::BareCr,
            Newline::BareLf => Self::BareLf,
        }
    }
}

/// What a session has to say to whoever drives it.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Send the output, then bring more input.
    NeedInput,
    /// Send the output, make the handshake, then call [`ServerSession::secured`].
    StartTls,
    /// A client says who it is. Answer: [`ServerSession::accept_login`] or [`ServerSession::refuse`].
    Authenticate(Credentials),
    /// A proxy says who its client is. Answer: [`ServerSession::accept`] or [`ServerSession::refuse`].
    ClientIdentity(XClient),
    /// A transaction is to begin. Answer: [`ServerSession::accept`] or [`ServerSession::refuse`].
    Mail(MailFrom),
    /// A recipient is to be added. Answer: [`ServerSession::accept`] or [`ServerSession::refuse`].
    Recipient(RcptTo),
    /// Content is to come. Answer: [`ServerSession::accept`] or [`ServerSession::refuse`].
    ContentStarts {
        /// By BDAT, and not by DATA.
        chunked: bool,
    },
    /// Octets of content were appended.
    Content,
    /// The content cannot be accepted any more. The session skips to its end and answers by
    /// itself; the transaction is over, and no further event tells so.
    Spoiled(Fault),
    /// The content is whole; its last octets were appended. Answer: [`ServerSession::finish`].
    ContentEnds,
    /// An open transaction ended without its content: the client gave it up, or a chunk was refused.
    Abandoned,
    /// Send the output, then close the connection.
    Closed,
}

/// A session with one client.
#[derive(Debug)]
pub struct ServerSession {
    core: Core,
    state: State,
}

impl ServerSession {
    /// A session that has just begun; its greeting is in the output.
    pub fn new(settings: Arc<Settings>, channel: Channel) -> Self {
        let mut core = Core::new(settings, channel);
        core.greet();
        Self { core, state: State::Waiting(Waiting::default()) }
    }

    /// The client counts as authenticated without AUTH, for the network it comes from. That ends
    /// where XCLIENT names another client; whoever accepts it says whether that one counts as well.
    pub fn presume_login(&mut self) {
        self.core.presume_login();
    }

    /// Takes octets from the client.
    pub fn receive(&mut self, octets: &[u8]) {
        self.core.input.push(octets);
    }

    /// What is to be sent. Whoever sends it clears it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.core.output
    }

    /// Goes on until there is something to say; content is appended to `content`.
    ///
    /// # Panics
    /// An answer is owed: the last event asked for one.
    pub fn advance(&mut self, content: &mut Vec<u8>) -> Event {
        loop {
            let state = std::mem::replace(&mut self.state, State::Closing);
            let (state, event) = state.advance(&mut self.core, content);
            self.state = state;
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// The answer to an event that asked: yes.
    pub fn accept(&mut self) {
        self.answer(Answer::Accepted);
    }

    /// The answer to [`Event::Authenticate`]: yes.
    pub fn accept_login(&mut self) {
        self.answer(Answer::Accepted);
    }

    /// The answer to an event that asked: no. A 421 ends the session.
    pub fn refuse(&mut self, reply: Reply) {
        self.answer(Answer::Refused(reply));
    }

    /// The answer to [`Event::ContentEnds`]. A 421 ends the session.
    pub fn finish(&mut self, reply: Reply) {
        self.answer(Answer::Refused(reply));
    }

    /// The answer to [`Event::StartTls`]: the channel is encrypted, and everything starts anew
    /// (RFC 3207 4.2).
    pub fn secured(&mut self) {
        self.core.secured();
        self.state = State::Waiting(Waiting::default());
    }

    /// Ends the session with this reply, wherever it stands.
    #[expect(clippy::needless_pass_by_value, reason = "a reply is said once, like those of the other answers")]
    pub fn close(&mut self, reply: Reply) {
        self.core.say(&reply);
        self.state = State::Closing;
    }

    /// What the client called itself.
    pub fn helo(&self) -> Option<&str> {
        self.core.helo.as_deref()
    }

    /// Whether it said EHLO.
    pub fn is_esmtp(&self) -> bool {
        self.core.extended
    }

    /// What the channel is protected by.
    pub fn channel(&self) -> Channel {
        self.core.channel
    }

    /// Whether the client has proved a login, or need not.
    pub fn is_authenticated(&self) -> bool {
        self.core.is_authenticated()
    }

    /// What is being waited for, as an operator says it.
    pub fn state_name(&self) -> &'static str {
        self.state.name()
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Refused(reply) if reply.closes() => self.close(reply),
            answer => {
                let state = std::mem::replace(&mut self.state, State::Closing);
                self.state = state.answered(answer, &mut self.core);
            }
        }
    }
}

#[cfg(test)]
mod tests;
