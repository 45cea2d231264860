//! A stream as other libraries read and write it: HTTP has its own buffers and its own order of things.
//!
//! What is written here is not counted: `nothing_sent` is for whoever speaks SMTP by [`Stream`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stream::Stream;

/// A stream's octets.
#[derive(Debug)]
pub struct Octets(pub(crate) Stream);

impl Octets {
    /// The stream again, where the other library has let go of it.
    pub fn into_stream(self) -> Stream {
        self.0
    }
}

impl AsyncRead for Octets {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Octets {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}
