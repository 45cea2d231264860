//! MAIL and RCPT, at once where the server can take that, and what their replies decide.

use std::fmt::Write as _;

use super::core::Core;
use super::state::{MAIL, RCPT, State, Step};
use super::transfer::{Accepted, Transfer};
use super::{ContentPhase, Event, Framing, Outcome, Stage, Transaction, Wait};
use crate::command::Body;
use crate::path::{ForwardPath, ReversePath};
use crate::reply::{Reply, Severity};

/// What follows when sender and recipients are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The reply to the chunk that was sent behind them.
    Chunk,
    /// The reply to the DATA that was sent behind them.
    Data,
    /// The content, if all were accepted.
    Content,
    /// Nothing: it was only a question.
    Nothing,
}

/// Replies to MAIL and RCPT are awaited.
#[derive(Debug)]
pub(super) struct Envelope {
    mail: Option<Reply>,
    recipients: Vec<Reply>,
    expected: usize,
    then: Then,
    /// Commands that go out one by one, the next one last: for a server without PIPELINING.
    one_by_one: Vec<Vec<u8>>,
}

pub(super) fn begin((): (), transaction: &Transaction<'_>, framing: Framing, core: &mut Core) -> State {
    let pipelining = core.capabilities.pipelining;
    let alone = transaction.recipients.len() == 1;
    let then = match framing {
        // With more than one recipient the chunk would go to those accepted, and not to the others.
        Framing::Bdat { .. } if alone && pipelining && core.capabilities.chunking => Then::Chunk,
        Framing::Data if alone && pipelining => Then::Data,
        Framing::Bdat { .. } | Framing::Data => Then::Content,
    };
    let state = start(mail(transaction, core), transaction.recipients, then, core);
    match (then, framing) {
        (Then::Chunk, Framing::Bdat { size }) => core.say(&format!("BDAT {size} LAST")),
        (Then::Data, _) => core.say("DATA"),
        _ => {}
    }
    state
}

pub(super) fn probe((): (), reverse_path: &ReversePath, recipients: &[ForwardPath], core: &mut Core) -> State {
    let smtputf8 = core.capabilities.smtputf8
        && (!reverse_path.is_ascii() || recipients.iter().any(|recipient| !recipient.is_ascii()));
    let transaction = Transaction { reverse_path, recipients, size: None, body: Body::SevenBit, smtputf8 };
    start(mail(&transaction, core), recipients, Then::Nothing, core)
}

fn start(mail: Vec<u8>, recipients: &[ForwardPath], then: Then, core: &mut Core) -> State {
    let mut one_by_one = Vec::new();
    if core.capabilities.pipelining {
        core.output.extend_from_slice(&mail);
        recipients.iter().for_each(|recipient| rcpt(recipient, &mut core.output));
    } else {
        one_by_one.extend(recipients.iter().rev().map(|recipient| {
            let mut line = Vec::new();
            rcpt(recipient, &mut line);
            line
        }));
        core.output.extend_from_slice(&mail);
    }
    let replies = Vec::with_capacity(recipients.len());
    State::Envelope(Envelope { mail: None, recipients: replies, expected: recipients.len(), then, one_by_one })
}

fn mail(transaction: &Transaction<'_>, core: &Core) -> Vec<u8> {
    let mut line = b"MAIL FROM:".to_vec();
    transaction.reverse_path.write_to(&mut line);
    let mut parameters = String::new();
    if let (Some(size), Some(_)) = (transaction.size, core.capabilities.size) {
        let _ = write!(parameters, " SIZE={size}");
    }
    if transaction.body == Body::EightBitMime && core.capabilities.eight_bit_mime {
        parameters.push_str(" BODY=8BITMIME");
    }
    if transaction.smtputf8 && core.capabilities.smtputf8 {
        parameters.push_str(" SMTPUTF8");
    }
    line.extend_from_slice(parameters.as_bytes());
    line.extend_from_slice(b"\r\n");
    line
}

fn rcpt(recipient: &ForwardPath, out: &mut Vec<u8>) {
    out.extend_from_slice(b"RCPT TO:");
    recipient.write_to(out);
    out.extend_from_slice(b"\r\n");
}

impl Envelope {
    pub(super) fn content_phase(&self) -> ContentPhase {
        if self.then == Then::Chunk { ContentPhase::MayHaveBeenSent } else { ContentPhase::NotBegun }
    }

    pub(super) fn wait(&self) -> &'static Wait {
        if self.mail.is_none() { &MAIL } else { &RCPT }
    }

    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Envelope(self), Some(Event::NeedInput))) };
        let is_refusal = reply.severity() != Severity::Success;
        if core.is_closing {
            return Ok(self.closing(reply));
        }
        if self.mail.is_none() {
            self.mail = Some(reply);
            if is_refusal {
                // What was sent behind it is refused too, and those replies have to be taken.
                self.one_by_one.clear();
                self.expected = if core.capabilities.pipelining { self.expected } else { 0 };
            }
        } else {
            self.recipients.push(reply);
        }
        if let Some(next) = self.one_by_one.pop() {
            core.output.extend_from_slice(&next);
        }
        if self.recipients.len() < self.expected {
            return Ok((State::Envelope(self), None));
        }
        Ok(self.decided(core))
    }

    /// The server closes: nothing more will come.
    fn closing(self, reply: Reply) -> (State, Option<Event>) {
        let stage = if self.mail.is_none() { Stage::MailFrom } else { Stage::RcptTo };
        (State::Ready, Some(Event::Answered(Outcome { stage, reply, recipients: self.recipients })))
    }

    fn decided(self, core: &mut Core) -> (State, Option<Event>) {
        let Self { mail, recipients, then, .. } = self;
        let refused = |reply: &&Reply| reply.severity() != Severity::Success;
        let refusal = match mail.as_ref().filter(refused) {
            Some(reply) => Some(Outcome { stage: Stage::MailFrom, reply: reply.clone(), recipients: Vec::new() }),
            None => recipients.iter().find(refused).map(|reply| {
                let (reply, recipients) = (reply.clone(), recipients.clone());
                Outcome { stage: Stage::RcptTo, reply, recipients }
            }),
        };
        match (then, refusal) {
            (Then::Chunk, refusal) => (State::Transfer(Transfer::chunk(refusal, recipients)), None),
            (Then::Data, refusal) => (State::Transfer(Transfer::data(refusal, recipients)), None),
            (Then::Content, None) => (State::Accepted(Accepted { recipients }), Some(Event::RecipientsAccepted)),
            (Then::Content, Some(refusal)) => (reset(refusal, core), None),
            (Then::Nothing, Some(refusal)) => (reset(refusal, core), None),
            (Then::Nothing, None) => {
                let reply = recipients.last().cloned().unwrap_or_else(|| Reply::new(250, None, ""));
                (reset(Outcome { stage: Stage::RcptTo, reply, recipients }, core), None)
            }
        }
    }
}

/// The reply to RSET is awaited; then the transaction is over.
#[derive(Debug)]
pub(super) struct Resetting {
    outcome: Outcome,
}

/// Takes a transaction back that was begun, so that the session can be used for another one.
pub(super) fn reset(outcome: Outcome, core: &mut Core) -> State {
    core.say("RSET");
    State::Resetting(Resetting { outcome })
}

impl Resetting {
    pub(super) fn advance(self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Resetting(self), Some(Event::NeedInput))) };
        // Some servers answer RSET with an error; the message's fate is not touched by that.
        core.is_closing |= reply.severity() != Severity::Success;
        Ok((State::Ready, Some(Event::Answered(self.outcome))))
    }
}
