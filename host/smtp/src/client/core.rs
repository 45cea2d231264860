//! What all states of a session share: settings, octets both ways, and what the server offers.

use std::fmt;

use super::{ContentPhase, Error, Settings};
use crate::capability::Capabilities;
use crate::reply::Reply;
use crate::reply_reader::ReplyReader;

/// A buffer of at most this size is kept while it is empty.
const KEPT: usize = 512;

pub(super) struct Core {
    pub(super) settings: Settings,
    reader: ReplyReader,
    input: Vec<u8>,
    /// So many octets of the input are taken.
    taken: usize,
    pub(super) output: Vec<u8>,
    pub(super) capabilities: Capabilities,
    /// TLS was started on this session.
    pub(super) is_secured: bool,
    pub(super) phase: ContentPhase,
    /// The server closes, or does not stand where it should: no other message.
    pub(super) must_be_left: bool,
}

impl Core {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            reader: ReplyReader::default(),
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
            capabilities: Capabilities::default(),
            is_secured: false,
            phase: ContentPhase::NotBegun,
            must_be_left: false,
        }
    }

    pub(super) fn receive(&mut self, octets: &[u8]) {
        self.input.extend_from_slice(octets);
    }

    /// The next reply, if it is whole.
    pub(super) fn reply(&mut self) -> Result<Option<Reply>, Error> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let (taken, reply) = self.reader.read(&self.input[self.taken..])?;
        self.taken += taken;
        if self.taken == self.input.len() {
            self.taken = 0;
            self.input.clear();
            if self.input.capacity() > KEPT {
                self.input = Vec::new();
            }
        }
        self.must_be_left |= reply.as_ref().is_some_and(Reply::closes);
        Ok(reply)
    }

    /// Whether the server said something that was not looked at.
    pub(super) fn has_unread(&self) -> bool {
        self.taken < self.input.len() || self.reader.is_midway()
    }

    /// Nothing is owed by the server, so that nothing may be there: what is there would be taken
    /// for the reply to the next command, and each later reply for that to a later one.
    pub(super) fn quiet(&self) -> Result<(), Error> {
        if self.has_unread() { Err(Error::StrayInput) } else { Ok(()) }
    }

    pub(super) fn say(&mut self, words: &[&str]) {
        words.iter().for_each(|word| self.output.extend_from_slice(word.as_bytes()));
        self.output.extend_from_slice(b"\r\n");
    }
}

/// Without the octets: the output may hold a token.
impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("settings", &self.settings)
            .field("capabilities", &self.capabilities)
            .field("is_secured", &self.is_secured)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
