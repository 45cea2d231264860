//! What is said between the two processes, one line of JSON each, and the channel that carries it.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::shares::Left;

/// The protocol's version: a process that has another one is not succeeded, but restarted.
pub(crate) const VERSION: u32 = 1;

/// One step, of either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// Old: the sockets are yours to keep and not yet to use. Session ids began with this second.
    Hello { version: u32, started: u32 },
    /// New: configuration and policies are good.
    Prepared,
    /// Old: what only one process can hold is free.
    Released,
    /// New: it is held, and nothing is missing.
    Ready,
    /// Old: nobody accepts any more; it is your turn, with what these leave.
    Yours { left: Left },
    /// New: accepting.
    Open,
    /// Old: the service manager knows you.
    Main,
    /// Old: I need no more than this now, and this is what is new.
    Shares { left: Left },
    /// New: it cannot be done, for this reason.
    GaveUp { reason: String },
}

/// Both directions, undivided: half a stream that is dropped ends its direction for whoever else has the socket, and with
/// it the last word of a process that gives up.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: BufReader<UnixStream>,
}

impl Channel {
    pub(crate) fn new(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream: BufReader::new(UnixStream::from_std(stream)?) })
    }

    pub(crate) async fn say(&mut self, message: &Message) -> io::Result<()> {
        self.stream.write_all(&message.line()).await
    }

    /// The next message; an error of kind `UnexpectedEof` where the other side has gone. What was begun to be read when
    /// this is dropped is lost: whoever stops listening stops for good.
    pub(crate) async fn hear(&mut self) -> io::Result<Message> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the channel was closed"));
        }
        serde_json::from_str(&line)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{error} in {line}")))
    }
}

impl Message {
    /// As it goes over the channel.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a message is strings and numbers");
        line.push(b'\n');
        line
    }
}
