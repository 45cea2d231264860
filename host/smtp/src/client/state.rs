//! The states of a session, who takes each further, and how long each is waited in: tables of
//! one-line arms.

use std::time::Duration;

use super::auth::Authenticating;
use super::core::Core;
use super::envelope::Envelope;
use super::ready::{Ready, Resetting, Unsent};
use super::transfer::{Accepted, Answering, Asked, Sending};
use super::{Error, Event, Wait, opening, ready};

/// The state that follows, and what there is to say about it.
pub(super) type Step = Result<(State, Option<Event>), Error>;

#[derive(Debug)]
pub(super) enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    /// The handshake is being made.
    Securing,
    /// A login is awaited.
    Identified,
    Authenticating(Authenticating),
    /// Ready without a login, and nobody was told yet.
    Unauthenticated,
    Ready(Ready),
    /// A message that this side refuses by itself.
    Unsent(Unsent),
    Resetting(Resetting),
    Envelope(Envelope),
    /// Sender and recipients are accepted; the content is awaited from this side.
    Accepted(Accepted),
    /// DATA was said.
    Asked(Asked),
    /// The content is being sent.
    Sending(Sending),
    /// The content's reply is awaited.
    Answering(Answering),
    Quitting,
    /// The server closes, or was left in the middle of something.
    Over,
    /// An error has latched.
    Failed(Error, &'static Wait),
}

impl State {
    pub(super) fn advance(self, core: &mut Core) -> Step {
        match self {
            Self::Greeting => opening::greeting(core),
            Self::Ehlo => opening::ehlo(core),
            Self::Helo => opening::helo(core),
            Self::StartTls => opening::start_tls(core),
            Self::Securing => ready::idle(Self::Securing, core),
            Self::Identified => ready::idle(Self::Identified, core),
            Self::Authenticating(state) => state.advance(core),
            Self::Unauthenticated => Ok((Self::Ready(Ready::default()), Some(Event::Ready))),
            Self::Ready(state) => ready::idle(Self::Ready(state), core),
            Self::Unsent(state) => Ok(state.advance()),
            Self::Resetting(state) => state.advance(core),
            Self::Envelope(state) => state.advance(core),
            Self::Accepted(state) => state.advance(core),
            Self::Asked(state) => state.advance(core),
            Self::Sending(state) => state.advance(core),
            Self::Answering(state) => state.advance(core),
            Self::Quitting => ready::quitting(core),
            Self::Over => Ok((Self::Over, Some(Event::NeedInput))),
            Self::Failed(error, _) => Err(error),
        }
    }

    pub(super) fn wait(&self) -> &'static Wait {
        match self {
            Self::Greeting => &GREETING,
            Self::Ehlo | Self::Helo => &EHLO,
            Self::StartTls => &STARTTLS,
            Self::Securing => &HANDSHAKE,
            Self::Authenticating(_) => &AUTH,
            Self::Identified | Self::Unauthenticated | Self::Ready(_) | Self::Unsent(_) => &IDLE,
            Self::Resetting(_) => &RSET,
            Self::Envelope(state) => state.wait(),
            Self::Accepted(_) => &ACCEPTED,
            Self::Asked(_) => &DATA,
            Self::Sending(_) => &CONTENT,
            Self::Answering(_) => &END,
            Self::Quitting | Self::Over => &QUIT,
            Self::Failed(_, wait) => wait,
        }
    }
}

const fn wait(name: &'static str, seconds: u64) -> Wait {
    Wait { name, timeout: Duration::from_secs(seconds) }
}

/// RFC 5321 4.5.3.2.1.
pub(super) static GREETING: Wait = wait("waiting for the greeting", 300);
/// RFC 5321 speaks of no command before MAIL: what MAIL has is enough for those.
pub(super) static EHLO: Wait = wait("waiting for the reply to EHLO", 300);
pub(super) static STARTTLS: Wait = wait("waiting for the reply to STARTTLS", 120);
static HANDSHAKE: Wait = wait("shaking hands", 120);
pub(super) static AUTH: Wait = wait("waiting for the reply to AUTH", 120);
/// The server says nothing here; what is sent here begins a message.
static IDLE: Wait = wait("between messages", 300);
/// Nothing is at stake but the session.
pub(super) static RSET: Wait = wait("waiting for the reply to RSET", 20);
/// RFC 5321 4.5.3.2.2.
pub(super) static MAIL: Wait = wait("waiting for the reply to MAIL", 300);
/// RFC 5321 4.5.3.2.3.
pub(super) static RCPT: Wait = wait("waiting for the reply to RCPT", 300);
static ACCEPTED: Wait = wait("waiting for the content", 120);
/// RFC 5321 4.5.3.2.4.
pub(super) static DATA: Wait = wait("waiting for the reply to DATA", 120);
/// RFC 5321 4.5.3.2.5: for each block.
pub(super) static CONTENT: Wait = wait("sending the content", 180);
/// RFC 5321 4.5.3.2.6: shorter waits make duplicates.
pub(super) static END: Wait = wait("waiting for the reply to the content -- may be delivered", 600);
static QUIT: Wait = wait("saying goodbye", 5);
