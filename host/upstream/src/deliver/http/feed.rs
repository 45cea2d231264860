//! A message's content on its way into a request.
//!
//! Invariant: the body's end is given only when all of the content was; a content that ends early, comes too slowly or
//! grows too big leaves a request that never ends.

use std::future::pending;
use std::time::Duration;

use tokio::sync::mpsc::error::TryRecvError;

use super::recipients::Rewritten;
use crate::alarm::Alarm;
use crate::deliver::{Content, Piece, Streamed};
use crate::http::body::{Feeder, NotTaken};
use crate::session::Interruption;
use crate::transport::Transport;

/// Octets of one piece: a multiple of three, which is base64 without an end.
const PIECE: usize = 48 * 1024;
/// How long the connection may take for a piece (RFC 5321 4.5.3.2.5 has the same for SMTP).
const SENDING: Duration = Duration::from_mins(3);
/// How long a connection that takes no more is listened to: its answer may be there.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a message is written into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    AsItIs,
    Base64,
}

/// What is to leave.
pub(super) struct Load<'a, 'c> {
    pub(super) rewritten: Rewritten,
    pub(super) content: &'a mut Content<'c>,
    /// The most octets that it may have.
    pub(super) limit: u64,
    pub(super) encoding: Encoding,
    /// Whether all of the content is still there when the request has failed.
    pub(super) untouched: &'a mut bool,
}

/// Why it did not leave, or not whole.
#[derive(Debug)]
pub(super) enum Unsent {
    Interrupted(Interruption),
    /// The client's content ended before its end.
    Abandoned,
    /// The client's content did not come.
    Stalled(Duration),
    /// It has grown beyond what the provider takes.
    TooBig {
        octets: u64,
        limit: u64,
    },
}

impl From<Interruption> for Unsent {
    fn from(interruption: Interruption) -> Self {
        Self::Interrupted(interruption)
    }
}

impl Encoding {
    pub(super) fn of(transport: Transport) -> Self {
        match transport {
            Transport::Graph => Self::Base64,
            Transport::GmailApi | Transport::Smtp => Self::AsItIs,
        }
    }

    /// Octets of the body for so many of the message.
    pub(super) fn size(self, octets: u64) -> u64 {
        match self {
            Self::AsItIs => octets,
            Self::Base64 => octets.div_ceil(3) * 4,
        }
    }

    fn encoded(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::AsItIs => octets.to_vec(),
            Self::Base64 => {
                let mut out = Vec::with_capacity(octets.len().div_ceil(3) * 4);
                posthouse_smtp::base64::encode(octets, &mut out);
                out
            }
        }
    }
}

/// Gives all of it to the request; the alarm back when that is done.
pub(super) async fn feed<'a>(
    load: Load<'_, '_>,
    feeder: Feeder,
    alarm: &'a mut Alarm,
) -> Result<&'a mut Alarm, Unsent> {
    let Load { rewritten: Rewritten { head, from }, content, limit, encoding, untouched } = load;
    let mut giving = Giving { feeder, encoding, buffer: Vec::new(), octets: 0, limit, alarm };
    giving.add(&head).await?;
    match content {
        Content::Whole(slices) => {
            let mut skipped = from;
            for slice in *slices {
                let skip = skipped.min(slice.len());
                skipped -= skip;
                giving.add(&slice[skip..]).await?;
            }
        }
        Content::Streamed(streamed) => {
            giving.add(&streamed.header[from..]).await?;
            while let Some(octets) = giving.next_piece(streamed).await? {
                *untouched = false;
                giving.add(&octets).await?;
            }
            *untouched = false;
        }
    }
    giving.finish().await
}

/// Content on its way through the encoding.
struct Giving<'a> {
    feeder: Feeder,
    encoding: Encoding,
    /// Less than a piece.
    buffer: Vec<u8>,
    octets: u64,
    limit: u64,
    alarm: &'a mut Alarm,
}

impl<'a> Giving<'a> {
    async fn add(&mut self, octets: &[u8]) -> Result<(), Unsent> {
        self.octets += octets.len() as u64;
        if self.octets > self.limit {
            return Err(Unsent::TooBig { octets: self.octets, limit: self.limit });
        }
        for part in octets.chunks(PIECE) {
            self.buffer.extend_from_slice(part);
            if self.buffer.len() >= PIECE {
                self.give().await?;
            }
        }
        Ok(())
    }

    /// Gives what is at hand, but for octets that base64 has no end for yet.
    async fn give(&mut self) -> Result<(), Unsent> {
        let kept = match self.encoding {
            Encoding::AsItIs => 0,
            Encoding::Base64 => self.buffer.len() % 3,
        };
        let rest = self.buffer.split_off(self.buffer.len() - kept);
        let octets = std::mem::replace(&mut self.buffer, rest);
        if octets.is_empty() {
            return Ok(());
        }
        let given = self.alarm.within(SENDING, self.feeder.give(self.encoding.encoded(&octets))).await;
        self.taken(given).await
    }

    async fn finish(mut self) -> Result<&'a mut Alarm, Unsent> {
        self.give().await?;
        if !self.buffer.is_empty() {
            let last = self.encoding.encoded(&self.buffer);
            let given = self.alarm.within(SENDING, self.feeder.give(last)).await;
            self.taken(given).await?;
        }
        let Self { feeder, alarm, .. } = self;
        match alarm.within(SENDING, feeder.end()).await {
            Some(()) => Ok(alarm),
            None => Err(Interruption::TimedOut.into()),
        }
    }

    async fn taken(&mut self, given: Option<Result<(), NotTaken>>) -> Result<(), Unsent> {
        match given {
            Some(Ok(())) => Ok(()),
            None => Err(Interruption::TimedOut.into()),
            Some(Err(NotTaken)) => {
                // Whoever waits for the answer hears it meanwhile, or the connection's end.
                let _never: Option<()> = self.alarm.within(LAST_WORDS, pending()).await;
                Err(Interruption::Lost(std::io::ErrorKind::BrokenPipe.into()).into())
            }
        }
    }

    /// The next octets from the client; `None` after its last ones.
    async fn next_piece(&mut self, from: &mut Streamed<'_>) -> Result<Option<Vec<u8>>, Unsent> {
        let piece = match from.body.try_recv() {
            Ok(piece) => Some(piece),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                // What is at hand leaves before the next piece is waited for.
                self.give().await?;
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
