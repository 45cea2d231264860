//! The body as something to read from, so that it never has to be in memory as a whole.

use std::io;

use crate::{BodyError, Message};

/// The most that one call to the relay brings.
const CHUNK: u32 = 64 * 1024;

/// A message's body from its beginning on. Only for policies with [`Policy::NEEDS_BODY`]; a call may read
/// a limited amount.
///
/// [`Policy::NEEDS_BODY`]: crate::Policy::NEEDS_BODY
#[derive(Debug)]
pub struct Body<'call> {
    message: &'call Message,
    offset: u64,
}

impl Message {
    /// Reads the body from its beginning on.
    pub fn body(&self) -> Body<'_> {
        Body { message: self, offset: 0 }
    }
}

impl io::Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(into.len()).unwrap_or(CHUNK).min(CHUNK);
        let octets = self.message.read_body(self.offset, length).map_err(|error| match error {
            BodyError::NotDeclared => io::Error::other("the policy does not say NEEDS_BODY"),
            BodyError::Budget => io::Error::other("the call has read as much as it may"),
        })?;
        into[..octets.len()].copy_from_slice(&octets);
        self.offset += octets.len() as u64;
        Ok(octets.len())
    }
}
