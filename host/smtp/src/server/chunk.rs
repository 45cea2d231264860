//! BDAT (RFC 3030): octets counted beforehand. Those of a refused chunk are skipped, never run as
//! commands.

use super::core::Core;
use super::data::{Finishing, Starting, refusal};
use super::envelope::{Chunks, Envelope};
use super::replies::Said;
use super::state::{State, Step};
use super::waiting::Waiting;
use super::{Event, Fault};
use crate::data::Newline;
use crate::reply::Reply;

/// A chunk on its way.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) envelope: Envelope,
    pub(super) left: u64,
    pub(super) last: bool,
}

/// A refused chunk on its way.
#[derive(Debug)]
pub(super) struct Skipping {
    pub(super) left: u64,
    pub(super) reply: Reply,
    pub(super) envelope: Option<Envelope>,
}

pub(super) fn begin(waiting: Waiting, size: u64, last: bool, core: &mut Core) -> Step {
    if !core.settings.extensions.chunking {
        return waiting.complain(core, &Said::NotOffered.reply());
    }
    let limit = core.settings.limits.message_size;
    if size > limit {
        // Nobody waits for the end of what nobody could take.
        core.tell(Said::TooBig);
        return (State::Closing, waiting.abandoned());
    }
    let refused = match &waiting.envelope {
        None => Some(Said::MailFirst),
        Some(envelope) if envelope.is_over() => Some(Said::MailFirst),
        Some(envelope) => envelope.lacks_recipients(),
    };
    match (refused, waiting.envelope) {
        (None, Some(mut envelope)) => match &mut envelope.chunks {
            None => {
                envelope.chunks = Some(Chunks::default());
                (
                    State::Starting(Starting::Chunk { envelope, size, last }),
                    Some(Event::ContentStarts { chunked: true }),
                )
            }
            Some(chunks) if chunks.octets + size > limit => {
                chunks.failed = true;
                let (reply, envelope) = (Said::TooBig.reply(), Some(envelope));
                (State::Skipping(Skipping { left: size, reply, envelope }), Some(Event::Spoiled(Fault::TooBig)))
            }
            Some(_) => (State::Chunk(Chunk { envelope, left: size, last }), None),
        },
        (refused, envelope) => {
            let reply = refused.unwrap_or(Said::MailFirst).reply();
            (State::Skipping(Skipping { left: size, reply, envelope }), None)
        }
    }
}

impl Chunk {
    pub(super) fn advance(mut self, core: &mut Core, content: &mut Vec<u8>) -> Step {
        let rest = core.input.rest();
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
        if count == 0 && self.left > 0 {
            return (State::Chunk(self), Some(Event::NeedInput));
        }
        let chunks = self.envelope.chunks.get_or_insert_default();
        let octets = &rest[..count];
        let fault = chunks.newlines.check(octets);
        if fault.is_none() {
            content.extend_from_slice(octets);
        }
        core.input.take(count);
        self.left -= count as u64;
        chunks.octets += count as u64;
        let fault = fault.or_else(|| if self.left == 0 && self.last { chunks.newlines.at_end() } else { None });
        match fault {
            Some(newline) => self.spoiled(newline),
            None if self.left > 0 => (State::Chunk(self), Some(Event::Content)),
            None if self.last => (State::Finishing(Finishing), Some(Event::ContentEnds)),
            None => {
                core.tell(Said::ChunkTaken);
                (State::Waiting(Waiting { envelope: Some(self.envelope) }), Some(Event::Content))
            }
        }
    }

    fn spoiled(mut self, newline: Newline) -> Step {
        let fault = Fault::from(newline);
        self.envelope.chunks.get_or_insert_default().failed = true;
        // The last chunk ends the transaction; before it, only RSET does (RFC 3030 2).
        let envelope = (!self.last).then_some(self.envelope);
        let skipping = Skipping { left: self.left, reply: refusal(fault).reply(), envelope };
        (State::Skipping(skipping), Some(Event::Spoiled(fault)))
    }
}

impl Skipping {
    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(core.input.rest().len());
        if count == 0 && self.left > 0 {
            return (State::Skipping(self), Some(Event::NeedInput));
        }
        core.input.take(count);
        self.left -= count as u64;
        if self.left > 0 {
            return (State::Skipping(self), None);
        }
        Waiting { envelope: self.envelope }.complain(core, &self.reply)
    }
}
