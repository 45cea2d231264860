//! One authenticated session with a provider: the protocol's state, the connection, and how long
//! both may be used. It moves bytes; it does not know why.
//!
//! Invariant: a session that stopped in the middle of anything is not usable again.

use std::io;
use std::task::{Context, Waker};
use std::time::Duration;

use posthouse_net::stream::Stream;
use posthouse_smtp::client::{self, ClientSession, Event};
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::error::Error;
use crate::gate::Attempt;
use crate::http::HttpWire;
use crate::limits::{Earlier, PoolLimits};
use crate::pool::gauges::Open;
use crate::stage::Stage;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) line: Line,
    number: u64,
    /// The end of its time, be it for its age or for its token.
    ends_at: Instant,
    idle_until: Instant,
    messages: u32,
    earlier: Earlier,
    /// The attempt at the gate that it was opened by, as long as nobody has looked at its credentials.
    pub(crate) unproven: Option<Attempt>,
    _open: Open,
}

/// What is spoken on a session.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "sessions are boxed, and nearly all of them are SMTP's")]
pub(crate) enum Line {
    /// SMTP.
    Smtp(Wire),
    /// A provider's interface over HTTP.
    Http(Box<HttpWire>),
}

/// The protocol's state and the connection under it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) client: ClientSession,
    pub(crate) stream: Stream,
}

/// Why the exchange of bytes could not go on.
#[derive(Debug)]
pub(crate) enum Interruption {
    /// The connection ended.
    Lost(io::Error),
    /// Nothing came, or nothing could be sent, in time.
    TimedOut,
    /// The peer broke the protocol.
    Protocol(client::Error),
}

impl Interruption {
    /// The error of an exchange in which no content was sent.
    pub(crate) fn at(self, stage: Stage, state: &'static str) -> Error {
        match self {
            Self::Lost(source) => Error::ConnectionLost { stage, state, source },
            Self::TimedOut => Error::TimedOut { stage, state },
            Self::Protocol(source) => Error::Protocol { stage, source },
        }
    }
}

impl Session {
    pub(crate) fn new(line: Line, number: u64, ends_at: Instant, open: Open) -> Self {
        let earlier = Earlier::by_chance();
        Self { line, number, ends_at, idle_until: ends_at, messages: 0, earlier, unproven: None, _open: open }
    }

    /// The number of the session among its account's.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Counts a message that was begun.
    pub(crate) fn begin_message(&mut self) {
        self.messages += 1;
    }

    /// Until when it may lie idle.
    pub(crate) fn idle_until(&self) -> Instant {
        self.idle_until
    }

    /// Whether it has begun the last of its messages.
    pub(crate) fn is_spent(&self, limits: &PoolLimits) -> bool {
        self.messages >= limits.messages_of(self.earlier)
    }

    /// Whether it stands between two messages and is good for another one; if so, its time of
    /// lying idle begins.
    pub(crate) fn may_serve_again(&mut self, limits: &PoolLimits, now: Instant) -> bool {
        self.idle_until = self.ends_at.min(now + limits.idle);
        self.is_usable() && !self.is_spent(limits) && now < self.ends_at
    }

    /// Whether it stands between two messages.
    pub(crate) fn is_usable(&self) -> bool {
        match &self.line {
            Line::Smtp(wire) => wire.client.reusable() && !wire.client.has_stray_input(),
            Line::Http(wire) => wire.is_usable(),
        }
    }

    /// Whether the idle provider has ended the connection, or has said something unasked. If not,
    /// the waker is called when it does. No system call as long as nothing came.
    pub(crate) fn is_noisy(&mut self, context: &mut Context<'_>) -> bool {
        match &mut self.line {
            Line::Smtp(wire) => wire.client.has_stray_input() || wire.stream.poll_quiet(context).is_ready(),
            Line::Http(wire) => wire.is_noisy(context),
        }
    }

    /// A last look before use, after which nobody watches it any more.
    pub(crate) fn is_quiet(&mut self) -> bool {
        !self.is_noisy(&mut Context::from_waker(Waker::noop()))
    }

    /// Says goodbye and closes. The caller bounds the time.
    pub(crate) async fn quit(self) {
        let (mut client, mut stream) = match self.line {
            Line::Smtp(Wire { client, stream }) => (client, stream),
            Line::Http(wire) => return wire.quit().await,
        };
        client.quit();
        let said = stream.send(client.output()).await;
        if said.is_ok() {
            // Whatever the answer is: it is the last one.
            let _answer = stream.receive(<[u8]>::len).await;
            stream.close().await;
        }
    }
}

impl Wire {
    /// Runs the protocol until it has something to say.
    pub(crate) async fn next(&mut self, alarm: &mut Alarm) -> Result<Event, Interruption> {
        loop {
            match self.client.advance().map_err(Interruption::Protocol)? {
                Event::NeedInput => {
                    self.flush(alarm).await?;
                    self.receive(alarm).await?;
                }
                event => return Ok(event),
            }
        }
    }

    /// What is being waited for at present, as an operator says it.
    pub(crate) fn state(&self) -> &'static str {
        self.client.state().name
    }

    /// Sends what the protocol has to send.
    pub(crate) async fn flush(&mut self, alarm: &mut Alarm) -> Result<(), Interruption> {
        if self.client.output().is_empty() {
            return Ok(());
        }
        let patience = self.client.state().timeout;
        let sent = alarm.within(patience, self.stream.send(self.client.output())).await;
        self.client.output().clear();
        interrupted(sent)
    }

    /// Sends octets that are not the protocol's own.
    pub(crate) async fn send(&mut self, octets: &[u8], alarm: &mut Alarm) -> Result<(), Interruption> {
        let patience = self.client.state().timeout;
        interrupted(alarm.within(patience, self.stream.send(octets)).await)
    }

    async fn receive(&mut self, alarm: &mut Alarm) -> Result<(), Interruption> {
        let patience = self.client.state().timeout;
        self.receive_within(patience, alarm).await
    }

    /// One read, and no longer than that.
    pub(crate) async fn receive_within(&mut self, patience: Duration, alarm: &mut Alarm) -> Result<(), Interruption> {
        let Self { client, stream } = self;
        let take = |octets: &[u8]| {
            client.receive(octets);
            octets.len()
        };
        match interrupted(alarm.within(patience, stream.receive(take)).await)? {
            0 => Err(Interruption::Lost(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }
}

fn interrupted<T>(outcome: Option<io::Result<T>>) -> Result<T, Interruption> {
    match outcome {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(Interruption::Lost(error)),
        None => Err(Interruption::TimedOut),
    }
}
