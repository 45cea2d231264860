//! The states of a session, and who takes each further: tables of one-line arms.

use super::Event;
use super::auth::{Exchange, Refused as RefusedBearer, Verifying};
use super::chunk::{Chunk, Skipping};
use super::core::Core;
use super::data::{Finishing, Receiving, Starting};
use super::envelope::{Proposed, ProposedRecipient};
use super::waiting::{Identified, Waiting};
use crate::reply::Reply;

/// The state that follows, and what there is to say about it.
pub(super) type Step = (State, Option<Event>);

/// An answer to an event that asked for one.
#[derive(Debug)]
pub(super) enum Answer {
    Accepted,
    /// No; or, where the content is whole, whatever the reply says.
    Refused(Reply),
}

#[derive(Debug)]
pub(super) enum State {
    Waiting(Waiting),
    Exchange(Exchange),
    Verifying(Verifying),
    RefusedBearer(RefusedBearer),
    Identified(Identified),
    Proposed(Proposed),
    ProposedRecipient(ProposedRecipient),
    Starting(Starting),
    Receiving(Receiving),
    Chunk(Chunk),
    Skipping(Skipping),
    Finishing(Finishing),
    Securing,
    Closing,
}

impl State {
    pub(super) fn advance(self, core: &mut Core, content: &mut Vec<u8>) -> Step {
        match self {
            Self::Waiting(state) => state.advance(core),
            Self::Exchange(state) => state.advance(core),
            Self::RefusedBearer(state) => state.advance(core),
            Self::Receiving(state) => state.advance(core, content),
            Self::Chunk(state) => state.advance(core, content),
            Self::Skipping(state) => state.advance(core),
            Self::Closing => (Self::Closing, Some(Event::Closed)),
            owed => unreachable!("advanced although an answer is owed: {}", owed.name()),
        }
    }

    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> Self {
        match self {
            Self::Verifying(state) => state.answered(answer, core),
            Self::Identified(state) => state.answered(answer, core),
            Self::Proposed(state) => state.answered(answer, core),
            Self::ProposedRecipient(state) => state.answered(answer, core),
            Self::Starting(state) => state.answered(answer, core),
            Self::Finishing(state) => state.answered(answer, core),
            other => unreachable!("answered although nothing was asked: {}", other.name()),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Waiting(state) => state.name(),
            Self::Exchange(_) => "waiting for a line of AUTH",
            Self::Verifying(_) => "verifying a login",
            Self::RefusedBearer(_) => "waiting for the end of AUTH",
            Self::Identified(_) => "looking at XCLIENT",
            Self::Proposed(_) => "looking at MAIL",
            Self::ProposedRecipient(_) => "looking at RCPT",
            Self::Starting(_) => "looking at DATA or BDAT",
            Self::Receiving(_) => "receiving content",
            Self::Chunk(_) => "receiving a chunk",
            Self::Skipping(_) => "skipping a refused chunk",
            Self::Finishing(_) => "relaying the message",
            Self::Securing => "shaking hands",
            Self::Closing => "closing",
        }
    }
}
