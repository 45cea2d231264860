//! Sending a message's content: as one BDAT chunk, or dot-stuffed after DATA.
//!
//! Invariant: the final dot, or the last octet of the chunk, leaves only when all of the content
//! was there; a content that ends early never looks whole to the provider.

use std::io;
use std::mem::take;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use posthouse_net::stream::Noise;
use posthouse_smtp::client::{Event, Outcome};
use posthouse_smtp::data::Stuffer;
use posthouse_smtp::reply::Reply;
use tokio::sync::mpsc::error::TryRecvError;

use super::{Content, Piece, Streamed};
use crate::alarm::Alarm;
use crate::session::{Interruption, Wire};

/// Octets of one write. Up to this size a message is copied into one write with its commands.
const WRITE: usize = 64 * 1024;
/// How long a provider that has closed in the middle of the content is listened to: its reply may
/// be there, and says more than a broken pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much of the content has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Not an octet.
    Nothing,
    /// Some of it, and not the end.
    Some,
    /// All of it: from now on the provider may have delivered the message.
    All,
}

/// Why the content did not leave, or not whole.
#[derive(Debug)]
pub(super) enum Unsent {
    Interrupted(Interruption),
    /// The provider has answered before the end of the content.
    EarlyReply(Reply),
    /// The provider has refused what came before the content.
    Answered(Box<Outcome>),
    /// The client's content ended before its end.
    Abandoned,
    /// The client's content did not come.
    Stalled(Duration),
}

impl From<Interruption> for Unsent {
    fn from(interruption: Interruption) -> Self {
        Self::Interrupted(interruption)
    }
}

/// Sends the chunk that the protocol has announced, together with what it has to say before.
pub(super) async fn send_chunk(
    wire: &mut Wire,
    slices: &[&[u8]],
    sent: &mut Sent,
    alarm: &mut Alarm,
) -> Result<(), Unsent> {
    let mut buffer = take(wire.client.output());
    buffer.reserve_exact(slices.iter().map(|slice| slice.len()).sum::<usize>().min(WRITE));
    for part in slices.iter().flat_map(|slice| slice.chunks(WRITE)) {
        if buffer.len() + part.len() > WRITE {
            write(wire, &mut buffer, sent, Sent::Some, alarm).await?;
        }
        buffer.extend_from_slice(part);
    }
    write(wire, &mut buffer, sent, Sent::All, alarm).await
}

/// Sends the content after a 354, up to the final dot.
pub(super) async fn send_stuffed(
    wire: &mut Wire,
    content: &mut Content<'_>,
    sent: &mut Sent,
    alarm: &mut Alarm,
) -> Result<(), Unsent> {
    let mut stuffed = Stuffed { wire, stuffer: Stuffer::default(), buffer: Vec::new(), sent, alarm };
    match content {
        Content::Whole(slices) => {
            for slice in *slices {
                stuffed.add(slice).await?;
            }
        }
        Content::Streamed(streamed) => {
            stuffed.add(streamed.header).await?;
            while let Some(octets) = stuffed.next_piece(streamed).await? {
                stuffed.add(&octets).await?;
            }
        }
    }
    stuffed.finish().await
}

/// Content on its way through the dot-stuffing.
struct Stuffed<'a> {
    wire: &'a mut Wire,
    stuffer: Stuffer,
    buffer: Vec<u8>,
    sent: &'a mut Sent,
    alarm: &'a mut Alarm,
}

impl Stuffed<'_> {
    async fn add(&mut self, octets: &[u8]) -> Result<(), Unsent> {
        for part in octets.chunks(WRITE) {
            if self.buffer.len() + part.len() > WRITE {
                self.write(Sent::Some).await?;
            }
            self.stuffer.stuff(part, &mut self.buffer);
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), Unsent> {
        let Self { wire, stuffer, mut buffer, sent, alarm } = self;
        stuffer.finish(&mut buffer);
        write(wire, &mut buffer, sent, Sent::All, alarm).await
    }

    async fn write(&mut self, then: Sent) -> Result<(), Unsent> {
        write(self.wire, &mut self.buffer, self.sent, then, self.alarm).await
    }

    /// The next octets from the client; `None` after its last ones.
    async fn next_piece(&mut self, from: &mut Streamed<'_>) -> Result<Option<Vec<u8>>, Unsent> {
        let piece = match from.body.try_recv() {
            Ok(piece) => Some(piece),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                // What is at hand leaves before the next piece is waited for.
                self.write(Sent::Some).await?;
                self.alarm.within(from.stall, from.body.recv()).await.ok_or(Unsent::Stalled(from.stall))?
            }
        };
        match piece {
            Some(Piece::Octets(octets)) => Ok(Some(octets)),
            Some(Piece::End) => Ok(None),
            None => Err(Unsent::Abandoned),
        }
    }
}

/// Sends the buffer and empties it; `then` is how much of the content has left with it.
async fn write(
    wire: &mut Wire,
    buffer: &mut Vec<u8>,
    sent: &mut Sent,
    then: Sent,
    alarm: &mut Alarm,
) -> Result<(), Unsent> {
    if buffer.is_empty() {
        return Ok(());
    }
    let before = std::mem::replace(sent, Sent::Some);
    if let Err(interruption) = wire.send(buffer, alarm).await {
        if wire.stream.nothing_sent() {
            *sent = before;
        }
        return Err(match interruption {
            Interruption::Lost(_) => last_words(wire, alarm).await.unwrap_or(interruption.into()),
            Interruption::TimedOut | Interruption::Protocol(_) => interruption.into(),
        });
    }
    *sent = then;
    buffer.clear();
    match then {
        Sent::All | Sent::Nothing => Ok(()),
        Sent::Some => heard(wire).map_or(Ok(()), Err),
    }
}

/// What a provider that has closed the connection said before.
async fn last_words(wire: &mut Wire, alarm: &mut Alarm) -> Option<Unsent> {
    wire.receive_within(LAST_WORDS, alarm).await.ok()?;
    reply(wire)
}

/// What a provider says in the middle of the content; no system call where it says nothing.
fn heard(wire: &mut Wire) -> Option<Unsent> {
    match wire.stream.poll_quiet(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Noise::Bytes(octets)) => wire.client.receive(&octets),
        Poll::Ready(Noise::Closed) => {
            return Some(Interruption::Lost(io::ErrorKind::UnexpectedEof.into()).into());
        }
        Poll::Pending => return None,
    }
    reply(wire)
}

fn reply(wire: &mut Wire) -> Option<Unsent> {
    match wire.client.advance() {
        Ok(Event::EarlyReply(reply)) => Some(Unsent::EarlyReply(reply)),
        Ok(Event::Answered(outcome)) => Some(Unsent::Answered(Box::new(outcome))),
        Ok(_) => None,
        Err(error) => Some(Interruption::Protocol(error).into()),
    }
}
