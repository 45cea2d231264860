//! DATA: ask, receive to the final dot, and wait for what becomes of it.

use super::chunk::{Chunk, Skipping};
use super::core::Core;
use super::envelope::Envelope;
use super::replies::Said;
use super::state::{Answer, State, Step};
use super::waiting::Waiting;
use super::{Event, Fault};
use crate::data::{DataDecoder, Progress};

/// Content that somebody has to decide on.
#[derive(Debug)]
pub(super) enum Starting {
    /// By DATA.
    Data { envelope: Envelope },
    /// By BDAT, whose octets follow whatever the answer is.
    Chunk { envelope: Envelope, size: u64, last: bool },
}

/// Content on its way.
#[derive(Debug)]
pub(super) struct Receiving {
    decoder: DataDecoder,
    octets: u64,
    fault: Option<Fault>,
}

/// The content is whole; its fate is being decided.
#[derive(Debug)]
pub(super) struct Finishing;

pub(super) fn begin(waiting: Waiting, core: &mut Core) -> Step {
    let refusal = match &waiting.envelope {
        None => Some(Said::MailFirst),
        Some(envelope) if envelope.is_chunked() => Some(Said::ChunksMixed),
        Some(envelope) => envelope.lacks_recipients(),
    };
    match (refusal, waiting) {
        (None, Waiting { envelope: Some(envelope) }) => {
            (State::Starting(Starting::Data { envelope }), Some(Event::ContentStarts { chunked: false }))
        }
        (refusal, waiting) => waiting.complain(core, &refusal.unwrap_or(Said::MailFirst).reply()),
    }
}

impl Starting {
    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> State {
        match (self, answer) {
            (Self::Data { .. }, Answer::Accepted) => {
                core.tell(Said::GoAheadContent);
                State::Receiving(Receiving { decoder: DataDecoder::default(), octets: 0, fault: None })
            }
            (Self::Data { envelope }, Answer::Refused(reply)) => {
                core.say(&reply);
                State::Waiting(Waiting { envelope: Some(envelope) })
            }
            (Self::Chunk { envelope, size, last }, Answer::Accepted) => State::Chunk(Chunk::new(envelope, size, last)),
            (Self::Chunk { envelope, size, last }, Answer::Refused(reply)) => {
                State::Skipping(Skipping::declined(envelope, size, last, reply))
            }
        }
    }
}

impl Receiving {
    pub(super) fn advance(mut self, core: &mut Core, content: &mut Vec<u8>) -> Step {
        if core.input.is_empty() {
            return (State::Receiving(self), Some(Event::NeedInput));
        }
        let before = content.len();
        let (taken, progress) = self.decoder.decode(core.input.rest(), content);
        core.input.take(taken);
        let grown = content.len() - before;
        self.octets += grown as u64;
        if self.fault.is_some() {
            content.truncate(before);
        } else if self.octets > core.settings.limits.message_size {
            content.truncate(before);
            return self.spoiled(Fault::TooBig, progress);
        }
        match (progress, self.fault) {
            (Progress::Spoiled(newline), None) => self.spoiled(newline.into(), Progress::More),
            (Progress::End, None) => (State::Finishing(Finishing), Some(Event::ContentEnds)),
            (Progress::End, Some(fault)) => refused(fault, core),
            (Progress::More, None) if grown > 0 => (State::Receiving(self), Some(Event::Content)),
            (Progress::More | Progress::Spoiled(_), _) => (State::Receiving(self), None),
        }
    }

    fn spoiled(mut self, fault: Fault, progress: Progress) -> Step {
        let event = Some(Event::Spoiled(fault));
        if progress == Progress::End {
            return (State::Skipping(Skipping::nothing(refusal(fault).reply())), event);
        }
        self.fault = Some(fault);
        (State::Receiving(self), event)
    }
}

/// The end of a content that was spoiled.
fn refused(fault: Fault, core: &mut Core) -> Step {
    Waiting::default().complain(core, &refusal(fault).reply())
}

pub(super) fn refusal(fault: Fault) -> Said {
    match fault {
        Fault::BareCr => Said::BareCr,
        Fault::BareLf => Said::BareLf,
        Fault::TooBig => Said::TooBig,
    }
}

impl Finishing {
    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> State {
        match answer {
            Answer::Accepted => core.tell(Said::Ok),
            Answer::Refused(reply) => core.say(&reply),
        }
        core.forgive();
        State::Waiting(Waiting::default())
    }
}
