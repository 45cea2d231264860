//! Bodies: a request's, up to a limit, and a response's, which is there as a whole.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

/// Far above any form that asks for a token.
const LIMIT: usize = 64 * 1024;

/// The whole body; none where it is too long, or its connection broke.
pub(super) async fn read(mut body: Incoming) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            octets.extend_from_slice(&data);
        }
        if octets.len() > LIMIT {
            return None;
        }
    }
    Some(octets)
}

/// A body that is there as a whole.
#[derive(Debug)]
pub(crate) struct Whole(Option<Bytes>);

impl Whole {
    pub(crate) const fn new(octets: Bytes) -> Self {
        Self(Some(octets))
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|octets| Ok(Frame::data(octets))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |octets| octets.len() as u64))
    }
}
