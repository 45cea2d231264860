//! The content of a message: read whole while it is small, passed through once it is not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use posthouse_mail::date::Date;
use posthouse_mail::header::list_size;
use posthouse_smtp::reply::{Reply, Severity};
use posthouse_smtp::server::{Event, Fault};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::info;

use super::{End, Session};
use crate::answer::{self, Undelivered};
use crate::transaction::{Arrival, Piece, Transaction};

/// Content that flows through goes on in pieces of about this size.
const PIECE: usize = 64 * 1024;
/// How many pieces may wait for the provider.
const PIECES: usize = 2;

/// How the client's side of a message that flows through ended.
enum Pumped {
    /// The content is whole.
    Whole,
    /// The content cannot be accepted; the protocol answers by itself.
    Spoiled,
}

/// The reply that ends a session in the middle of a content for which there is no memory.
fn closed_for_memory(open: &Transaction) -> Reply {
    let reply = answer::closing(&Undelivered::NoContentMemory);
    open.record_refusal("data", Undelivered::NoContentMemory.reason(), &reply);
    reply
}

impl Session {
    /// DATA or the first BDAT: from here on the message counts as in flight.
    pub(super) async fn content_starts(&mut self) {
        let Some(open) = &mut self.transaction else { unreachable!("content comes after an accepted MAIL") };
        let expected = open.expected_size(open.stream_threshold(self.rules.stream_threshold));
        match open.cover(&self.front.content_memory, expected).await {
            Ok(()) => {
                open.content_began = Some(Instant::now());
                self.protocol.accept();
                self.deadline = Instant::now() + self.patience();
                self.tell_content();
            }
            Err(_) => self.refuse_undelivered("data", &Undelivered::NoContentMemory),
        }
    }

    /// More content came.
    pub(super) async fn content_grew(&mut self) -> Result<(), End> {
        self.extend_content_deadline();
        let Some(open) = &mut self.transaction else { unreachable!("content comes after an accepted MAIL") };
        let threshold = open.stream_threshold(self.rules.stream_threshold);
        if open.content.len() >= threshold {
            // Boxed: most messages are small, and each session would have room for it.
            return Box::pin(self.pass_through()).await;
        }
        if open.cover(&self.front.content_memory, open.content.capacity()).await.is_err() {
            let closing = closed_for_memory(open);
            self.protocol.close(closing);
        }
        Ok(())
    }

    /// A whole message: relayed, then answered.
    pub(super) async fn content_ends(&mut self) {
        let Some(mut open) = self.transaction.take() else { unreachable!("content comes after an accepted MAIL") };
        // What came in one read is counted only now; from here on it is held for as long as the provider takes, with
        // the list of its fields.
        let needed = open.content.capacity() + list_size(&open.content);
        let reply = match open.cover(&self.front.content_memory, needed).await {
            Ok(()) => open.relay(&self.arrival()).await,
            Err(_) => {
                let reply = answer::reply(&Undelivered::NoContentMemory, self.rules.clients);
                open.record_refusal("data", Undelivered::NoContentMemory.reason(), &reply);
                reply
            }
        };
        self.finish(reply);
    }

    fn finish(&mut self, reply: Reply) {
        if reply.severity() == Severity::Success {
            self.unacknowledged = Some(self.id.transaction(self.transactions));
        }
        self.protocol.finish(reply);
    }

    /// The protocol skips what is left of this content and refuses it by itself.
    pub(super) fn spoiled(&mut self, fault: Fault) {
        if matches!(fault, Fault::BareCr | Fault::BareLf) {
            self.front.metrics.bare_newlines.increment(1);
        }
        info!(session = %self.id, ?fault, "content refused");
        self.transaction = None;
    }

    /// A large message: the body flows to the provider while it comes in.
    async fn pass_through(&mut self) -> Result<(), End> {
        let Some(mut open) = self.transaction.take() else { unreachable!("content comes after an accepted MAIL") };
        // What is there, its copy with the new header block, the list of its fields, what waits for
        // the provider, and the piece being filled.
        let needed = 2 * open.content.capacity() + list_size(&open.content) + (PIECES + 2) * PIECE;
        if open.cover(&self.front.content_memory, needed).await.is_err() {
            self.protocol.close(closed_for_memory(&open));
            return Ok(());
        }
        let (pieces, body) = mpsc::channel(PIECES);
        let first = std::mem::take(&mut open.content);
        let (arrival, size) = (self.arrival(), AtomicU64::new(first.len() as u64));
        self.in_flight = open.content_began;
        let (reply, pumped) = tokio::join!(open.relay_through(&arrival, first, body, &size), self.pump(pieces, &size));
        self.in_flight = None;
        match pumped? {
            Pumped::Whole => self.finish(reply),
            Pumped::Spoiled => {}
        }
        Ok(())
    }

    /// Moves pieces from the client to the delivery. Where the delivery has ended already, the
    /// rest of the content is read and dropped, since the client cannot be answered before.
    async fn pump(&mut self, pieces: mpsc::Sender<Piece>, size: &AtomicU64) -> Result<Pumped, End> {
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            match self.protocol.advance(&mut piece) {
                Event::NeedInput => self.converse().await?,
                Event::Content if piece.len() < PIECE => self.extend_content_deadline(),
                Event::Content => {
                    let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
                    size.fetch_add(full.len() as u64, Ordering::Relaxed);
                    let _ = pieces.send(Piece::Octets(full)).await;
                    self.extend_content_deadline();
                }
                Event::ContentEnds => {
                    size.fetch_add(piece.len() as u64, Ordering::Relaxed);
                    let _ = pieces.send(Piece::Octets(piece)).await;
                    let _ = pieces.send(Piece::End).await;
                    return Ok(Pumped::Whole);
                }
                Event::Spoiled(fault) => {
                    self.spoiled(fault);
                    return Ok(Pumped::Spoiled);
                }
                // RSET between two chunks: the delivery is given up, and the session goes on.
                Event::Abandoned => return Ok(Pumped::Spoiled),
                _ => {
                    self.flush().await?;
                    return Err(End::Closed);
                }
            }
        }
    }

    /// Each piece of content has its time, and all of it together has one.
    pub(super) fn extend_content_deadline(&mut self) {
        let began = self.in_flight.or_else(|| self.transaction.as_ref().and_then(|open| open.content_began));
        let last = began.map(|began| began + self.rules.timeouts.message);
        let next = Instant::now() + self.rules.timeouts.content;
        self.deadline = last.map_or(next, |last| next.min(last));
    }

    pub(super) fn arrival(&self) -> Arrival {
        let helo = self.client.helo.as_deref().or_else(|| self.protocol.helo()).unwrap_or_default();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let date = Date::from_unix_seconds(now.as_secs());
        Arrival { client: self.client.clone(), helo: helo.to_owned(), extended: self.protocol.is_esmtp(), date }
    }
}
