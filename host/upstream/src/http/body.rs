//! A request's body on its way out, piece by piece, with back-pressure.
//!
//! Invariant: it ends only when its feeder has said that it is whole. Where that gives up before, it has no end: it stays
//! unfinished until the connection is ended, so that no half of a message looks like one, and an answer that came early can
//! be read meanwhile.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

use super::progress::Progress;

/// The body, as the connection sees it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pieces: mpsc::Receiver<Piece>,
    /// Octets that are still to come, where that is known.
    left: Option<u64>,
    has_ended: bool,
    progress: Arc<Progress>,
}

/// Where the body comes from.
#[derive(Debug)]
pub(crate) struct Feeder(mpsc::Sender<Piece>);

#[derive(Debug)]
enum Piece {
    Octets(Bytes),
    End,
}

/// The connection takes no more.
#[derive(Debug)]
pub(crate) struct NotTaken;

/// A body of so many octets, or of as many as will come.
pub(crate) fn body(size: Option<u64>, progress: &Arc<Progress>) -> (Feeder, Outgoing) {
    let (sender, pieces) = mpsc::channel(1);
    let has_ended = size == Some(0);
    if has_ended {
        progress.body_is_out();
    }
    let outgoing = Outgoing { pieces, left: size, has_ended, progress: Arc::clone(progress) };
    (Feeder(sender), outgoing)
}

impl Feeder {
    /// The next octets; waits while the connection is busy with those before.
    pub(crate) async fn give(&self, octets: Vec<u8>) -> Result<(), NotTaken> {
        self.0.send(Piece::Octets(octets.into())).await.map_err(|_| NotTaken)
    }

    /// That was all.
    pub(crate) async fn end(self) {
        // A body of known size is let go with its last octet.
        let _taken = self.0.send(Piece::End).await;
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        // An error here would end the connection, and with it the answer that the feeder was given up for.
        let Some(piece) = ready!(self.pieces.poll_recv(cx)) else { return Poll::Pending };
        Poll::Ready(match piece {
            Piece::Octets(octets) => {
                let left = self.left.map(|left| left.saturating_sub(octets.len() as u64));
                self.left = left;
                if left == Some(0) {
                    self.has_ended = true;
                    self.progress.body_is_out();
                }
                Some(Ok(Frame::data(octets)))
            }
            Piece::End => {
                self.has_ended = true;
                self.progress.body_is_out();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
