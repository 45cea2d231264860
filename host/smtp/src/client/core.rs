//! What all states of a session share: settings, octets, and what the server offers.

use super::{Error, Settings};
use crate::capability::Capabilities;
use crate::reply::Reply;
use crate::reply_reader;

/// A buffer of at most this size is kept while it is empty.
const KEPT: usize = 512;

#[derive(Debug)]
pub(super) struct Core {
    pub(super) settings: Settings,
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
    pub(super) capabilities: Capabilities,
    /// TLS was started on this session.
    pub(super) is_secured: bool,
    /// The server has said 421 and closes.
    pub(super) is_closing: bool,
}

impl Core {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            input: Vec::new(),
            output: Vec::new(),
            capabilities: Capabilities::default(),
            is_secured: false,
            is_closing: false,
        }
    }

    pub(super) fn receive(&mut self, octets: &[u8]) {
        self.input.extend_from_slice(octets);
    }

    pub(super) fn secured(&mut self) {
        self.is_secured = true;
        self.capabilities = Capabilities::default();
    }

    /// The next reply, if it is whole.
    pub(super) fn reply(&mut self) -> Result<Option<Reply>, Error> {
        let Some((reply, taken)) = reply_reader::read(&self.input)? else { return Ok(None) };
        self.input.drain(..taken);
        if self.input.is_empty() && self.input.capacity() > KEPT {
            self.input = Vec::new();
        }
        self.is_closing |= reply.closes();
        Ok(Some(reply))
    }

    pub(super) fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}
