//! How a connection ends.

use std::time::Duration;

use posthouse_net::stream::Stream;
use tokio::time::timeout;

use crate::faults::Action;

/// How long the client may take to hear a polite end: closed at once, octets of its own that were not read would
/// make the kernel reset the connection, and the last reply would be lost.
const LINGER: Duration = Duration::from_secs(1);

/// A connection's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client has gone.
    Gone,
    /// All was said.
    Polite,
    Reset,
    Close,
    HalfClose,
    Stall,
    StopReading,
}

impl Ending {
    /// The end that an action is, if it is one.
    pub(crate) const fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Reset => Some(Self::Reset),
            Action::Close => Some(Self::Close),
            Action::HalfClose => Some(Self::HalfClose),
            Action::Stall => Some(Self::Stall),
            Action::StopReading => Some(Self::StopReading),
            Action::Proceed | Action::Reply(_) | Action::Answer { .. } | Action::Garbage(_) | Action::Append(_) => None,
        }
    }

    pub(crate) async fn carry_out(self, mut stream: Stream) {
        match self {
            Self::Gone | Self::Close => {}
            Self::Reset => stream.reset(),
            Self::Polite => {
                stream.close().await;
                // Whether the client ended in time does not matter.
                let _ = timeout(LINGER, drain(&mut stream)).await;
            }
            Self::HalfClose => {
                stream.close().await;
                drain(&mut stream).await;
            }
            Self::Stall => drain(&mut stream).await,
            Self::StopReading => std::future::pending().await,
        }
    }
}

async fn drain(stream: &mut Stream) {
    while stream.receive(<[u8]>::len).await.is_ok_and(|octets| octets > 0) {}
}
