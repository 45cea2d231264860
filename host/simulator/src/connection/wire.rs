//! What goes out, after the time that it is on its way.
//!
//! Replies leave in order; each leaves when its time has come, while the client's next octets are already read: that is
//! what a network of this latency does to a pipelined batch.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use posthouse_net::stream::Stream;
use tokio::time::{Instant, sleep_until};

use crate::account::Submission;

/// Replies of one batch.
#[derive(Debug)]
struct Outgoing {
    due: Instant,
    octets: Vec<u8>,
    ends: Option<Submission>,
}

/// Whether a reply to a content went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Replies,
    /// The last reply of a message was among them.
    ReplyToContent,
}

/// A stream, and what is on its way.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) stream: Stream,
    queue: VecDeque<Outgoing>,
}

impl Wire {
    pub(super) const fn new(stream: Stream) -> Self {
        Self { stream, queue: VecDeque::new() }
    }

    /// When the next replies are due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.queue.front().map(|outgoing| outgoing.due)
    }

    /// Sends the octets, now or after the latency, and leaves the buffer empty. A submission ends when its reply leaves.
    pub(super) async fn say(
        &mut self,
        octets: &mut Vec<u8>,
        ends: Option<Submission>,
        latency: Duration,
    ) -> io::Result<Option<Sent>> {
        if latency.is_zero() && self.queue.is_empty() {
            let sent = if ends.is_some() { Sent::ReplyToContent } else { Sent::Replies };
            // Before the client can know it: it may begin the next one at once.
            drop(ends);
            let outcome = self.stream.send(octets).await;
            octets.clear();
            return outcome.map(|()| Some(sent));
        }
        let octets = std::mem::take(octets);
        self.queue.push_back(Outgoing { due: Instant::now() + latency, octets, ends });
        Ok(None)
    }

    /// Waits until the next replies are due, and sends them.
    pub(super) async fn deliver(&mut self) -> io::Result<Sent> {
        let Some(due) = self.due() else { return Ok(Sent::Replies) };
        sleep_until(due).await;
        let Some(Outgoing { octets, ends, .. }) = self.queue.pop_front() else { return Ok(Sent::Replies) };
        let sent = if ends.is_some() { Sent::ReplyToContent } else { Sent::Replies };
        drop(ends);
        self.stream.send(&octets).await.map(|()| sent)
    }

    /// Waits until all replies have left.
    pub(super) async fn settle(&mut self) -> io::Result<()> {
        while self.due().is_some() {
            self.deliver().await?;
        }
        Ok(())
    }
}
