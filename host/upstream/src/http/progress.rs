//! How much of a request has left, counted where it leaves.
//!
//! Invariants: what is said to have stayed here has stayed here, in doubt it is said to have left; and an answer is said
//! to have come after the request only where nothing of that was still here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use posthouse_net::octets::Octets;
use posthouse_net::stream::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Of one connection, and its present request.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    written: AtomicU64,
    written_before: AtomicU64,
    body_is_out: AtomicBool,
    is_flushed: AtomicBool,
}

/// How much of a request has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Not an octet.
    Nothing,
    /// Some of it, and not its end.
    Some,
    /// Perhaps all of it.
    All,
}

/// When an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Before the request was whole.
    Early,
    /// After it.
    InTurn,
}

impl Progress {
    /// A request begins.
    pub(crate) fn begin(&self) {
        self.written_before.store(self.written.load(Ordering::Relaxed), Ordering::Relaxed);
        self.body_is_out.store(false, Ordering::Relaxed);
        self.is_flushed.store(false, Ordering::Relaxed);
    }

    /// The last octet of its body was handed to the connection.
    pub(crate) fn body_is_out(&self) {
        self.body_is_out.store(true, Ordering::Relaxed);
    }

    /// All that was handed to the connection is with the system.
    fn flushed(&self) {
        self.is_flushed.store(self.body_is_out.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// When an answer came that is here now. What the connection still holds does not leave if it is ended now.
    pub(crate) fn came(&self) -> Came {
        if self.is_flushed.load(Ordering::Relaxed) { Came::InTurn } else { Came::Early }
    }

    /// How much of it has left.
    pub(crate) fn left(&self) -> Left {
        let has_written = self.written.load(Ordering::Relaxed) != self.written_before.load(Ordering::Relaxed);
        match (has_written, self.body_is_out.load(Ordering::Relaxed)) {
            (false, _) => Left::Nothing,
            (true, false) => Left::Some,
            (true, true) => Left::All,
        }
    }
}

/// A stream whose octets are counted as they are taken.
#[derive(Debug)]
pub(crate) struct Counting {
    octets: Octets,
    progress: Arc<Progress>,
}

impl Counting {
    pub(crate) fn new(octets: Octets, progress: Arc<Progress>) -> Self {
        Self { octets, progress }
    }

    /// The stream, where nobody reads and writes it by other means any more.
    pub(crate) fn into_stream(self) -> Stream {
        self.octets.into_stream()
    }
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.octets).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let taken = ready!(Pin::new(&mut self.octets).poll_write(cx, octets))?;
        self.progress.written.fetch_add(taken as u64, Ordering::Relaxed);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Asked only when nothing is held back: the connection writes before it flushes.
        ready!(Pin::new(&mut self.octets).poll_flush(cx))?;
        self.progress.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.octets).poll_shutdown(cx)
    }
}
