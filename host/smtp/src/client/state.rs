//! The states of a session, who takes each further, and how long each is waited in.

use std::time::Duration;

use super::auth::Authenticating;
use super::core::Core;
use super::envelope::{Envelope, Resetting};
use super::transfer::{Accepted, Transfer};
use super::{ContentPhase, Error, Event, Wait, opening};

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
    /// Ready, and nobody was told yet.
    ReadyNow,
    Ready,
    Envelope(Envelope),
    /// Sender and recipients are accepted; the content is awaited from this side.
    Accepted(Accepted),
    Transfer(Transfer),
    Resetting(Resetting),
    Quitting,
    Failed,
}

impl State {
    pub(super) fn advance(self, core: &mut Core) -> Step {
        match self {
            Self::Greeting => opening::greeting(core),
            Self::Ehlo => opening::ehlo(core),
            Self::Helo => opening::helo(core),
            Self::StartTls => opening::start_tls(core),
            Self::Authenticating(state) => state.advance(core),
            Self::ReadyNow => Ok((Self::Ready, Some(Event::Ready))),
            Self::Envelope(state) => state.advance(core),
            Self::Transfer(state) => state.advance(core),
            Self::Resetting(state) => state.advance(core),
            Self::Failed => Err(Error::NotReady),
            idle @ (Self::Securing | Self::Identified | Self::Ready | Self::Accepted(_) | Self::Quitting) => {
                Ok((idle, Some(Event::NeedInput)))
            }
        }
    }

    pub(super) fn content_phase(&self) -> ContentPhase {
        match self {
            Self::Envelope(state) => state.content_phase(),
            Self::Transfer(state) => state.content_phase(),
            _ => ContentPhase::NotBegun,
        }
    }

    pub(super) fn wait(&self) -> &'static Wait {
        match self {
            Self::Greeting => &GREETING,
            Self::Ehlo | Self::Helo => &EHLO,
            Self::StartTls | Self::Securing => &STARTTLS,
            Self::Identified | Self::Authenticating(_) => &AUTH,
            Self::ReadyNow | Self::Ready | Self::Failed => &READY,
            Self::Envelope(state) => state.wait(),
            Self::Accepted(_) => &RCPT,
            Self::Transfer(state) => state.wait(),
            Self::Resetting(_) => &RSET,
            Self::Quitting => &QUIT,
        }
    }
}

const fn wait(name: &'static str, minutes: u64) -> Wait {
    Wait { name, timeout: Duration::from_secs(minutes * 60) }
}

/// RFC 5321 4.5.3.2.1.
static GREETING: Wait = wait("waiting for the greeting", 5);
static EHLO: Wait = wait("waiting for the reply to EHLO", 5);
static STARTTLS: Wait = wait("waiting for the reply to STARTTLS", 2);
static AUTH: Wait = wait("waiting for the reply to AUTH", 2);
static READY: Wait = wait("between messages", 5);
/// RFC 5321 4.5.3.2.2.
pub(super) static MAIL: Wait = wait("waiting for the reply to MAIL", 5);
/// RFC 5321 4.5.3.2.3.
pub(super) static RCPT: Wait = wait("waiting for the reply to RCPT", 5);
/// RFC 5321 4.5.3.2.4.
pub(super) static DATA: Wait = wait("waiting for the reply to DATA", 2);
/// RFC 5321 4.5.3.2.5.
pub(super) static CONTENT: Wait = wait("sending the content", 3);
/// RFC 5321 4.5.3.2.6.
pub(super) static END: Wait = wait("waiting for the reply to the content -- may be delivered", 10);
static RSET: Wait = wait("waiting for the reply to RSET", 2);
static QUIT: Wait = wait("saying goodbye", 1);
