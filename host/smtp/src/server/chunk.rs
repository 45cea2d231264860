//! BDAT (RFC 3030): octets counted beforehand. Those of a refused chunk are skipped, never run as
//! commands, and no chunk behind a refused one is taken: content is whole or not at all.

use super::core::Core;
use super::data::{Finishing, Starting, refusal};
use super::envelope::{Chunks, Envelope};
use super::replies::Said;
use super::state::{State, Step};
use super::waiting::Waiting;
use super::{Event, Fault};
use crate::reply::Reply;

/// A chunk on its way.
#[derive(Debug)]
pub(super) struct Chunk {
    envelope: Envelope,
    left: u64,
    last: bool,
}

/// A refused chunk on its way.
#[derive(Debug)]
pub(super) struct Skipping {
    left: u64,
    reply: Reply,
    /// What follows it.
    next: Waiting,
    /// What is said of the transaction then.
    event: Option<Event>,
}

/// Why a chunk is refused before any of it is looked at.
enum Refusal {
    /// It comes at the wrong time; nothing changes by it.
    Misplaced(Said),
    /// It makes the content too big.
    TooBig,
}

pub(super) fn begin(waiting: Waiting, size: u64, last: bool, core: &mut Core) -> Step {
    if !core.settings.extensions.chunking {
        return waiting.complain(core, &Said::NotOffered.reply());
    }
    if size > core.settings.limits.message_size {
        // Nobody waits for the end of what nobody could take.
        core.tell(Said::TooBig);
        return (State::Closing, waiting.abandoned());
    }
    match (refused(&waiting, size, core), waiting.envelope) {
        (None, Some(mut envelope)) if envelope.chunks.is_none() => {
            envelope.chunks = Some(Chunks::default());
            (State::Starting(Starting::Chunk { envelope, size, last }), Some(Event::ContentStarts { chunked: true }))
        }
        (None, Some(envelope)) => (State::Chunk(Chunk::new(envelope, size, last)), None),
        (Some(Refusal::TooBig), Some(envelope)) => Chunk::new(envelope, size, last).spoiled(Fault::TooBig),
        (Some(Refusal::Misplaced(said)), envelope) => {
            let skipping = Skipping { left: size, reply: said.reply(), next: Waiting { envelope }, event: None };
            (State::Skipping(skipping), None)
        }
        (None | Some(Refusal::TooBig), None) => unreachable!("without MAIL, a chunk is misplaced"),
    }
}

fn refused(waiting: &Waiting, size: u64, core: &Core) -> Option<Refusal> {
    let Some(envelope) = &waiting.envelope else { return Some(Refusal::Misplaced(Said::MailFirst)) };
    match &envelope.chunks {
        None => envelope.lacks_recipients().map(Refusal::Misplaced),
        Some(chunks) if chunks.failed => Some(Refusal::Misplaced(Said::ChunkRefused)),
        Some(chunks) => (size > core.settings.limits.message_size - chunks.octets).then_some(Refusal::TooBig),
    }
}

impl Chunk {
    pub(super) fn new(envelope: Envelope, size: u64, last: bool) -> Self {
        Self { envelope, left: size, last }
    }

    pub(super) fn advance(mut self, core: &mut Core, content: &mut Vec<u8>) -> Step {
        let octets = core.input.at_most(self.left);
        let count = octets.len();
        if count == 0 && self.left > 0 {
            return (State::Chunk(self), Some(Event::NeedInput));
        }
        let chunks = self.envelope.chunks.get_or_insert_default();
        let mut fault = chunks.newlines.check(octets);
        if fault.is_none() {
            content.extend_from_slice(octets);
        }
        core.input.take(count);
        self.left -= count as u64;
        chunks.octets += count as u64;
        if self.left == 0 && self.last {
            fault = fault.or_else(|| chunks.newlines.at_end());
        }
        match fault {
            Some(newline) => self.spoiled(newline.into()),
            None => self.taken(count, core),
        }
    }

    fn taken(self, count: usize, core: &mut Core) -> Step {
        let grown = (count > 0).then_some(Event::Content);
        if self.left > 0 {
            return (State::Chunk(self), grown);
        }
        if self.last {
            return (State::Finishing(Finishing), Some(Event::ContentEnds));
        }
        core.tell(Said::ChunkTaken);
        (State::Waiting(Waiting { envelope: Some(self.envelope) }), grown)
    }

    fn spoiled(self, fault: Fault) -> Step {
        let next = over(self.envelope, self.last);
        let skipping = Skipping { left: self.left, reply: refusal(fault).reply(), next, event: None };
        (State::Skipping(skipping), Some(Event::Spoiled(fault)))
    }
}

/// What follows a refused chunk: the last one ends the transaction, behind another only RSET does
/// (RFC 3030 2).
fn over(mut envelope: Envelope, last: bool) -> Waiting {
    envelope.chunks.get_or_insert_default().failed = true;
    Waiting { envelope: (!last).then_some(envelope) }
}

impl Skipping {
    /// Whoever drives the session refused the content.
    pub(super) fn declined(envelope: Envelope, size: u64, last: bool, reply: Reply) -> Self {
        Self { left: size, reply, next: over(envelope, last), event: Some(Event::Abandoned) }
    }

    /// Nothing is left of the content; what is left is to say so, behind the event.
    pub(super) fn nothing(reply: Reply) -> Self {
        Self { left: 0, reply, next: Waiting::default(), event: None }
    }

    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let count = core.input.at_most(self.left).len();
        if count == 0 && self.left > 0 {
            return (State::Skipping(self), Some(Event::NeedInput));
        }
        core.input.take(count);
        self.left -= count as u64;
        if self.left > 0 {
            return (State::Skipping(self), None);
        }
        let (state, event) = self.next.complain(core, &self.reply);
        (state, self.event.or(event))
    }
}
