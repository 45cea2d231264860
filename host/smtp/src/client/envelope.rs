//! MAIL and RCPT, at once where the server can take that, and what their replies decide.
//!
//! Paths are written as they are: their type holds nothing that could end a line. The invariant:
//! every command that was sent has its reply taken before anything is decided.

use std::io::Write as _;

use memchr::{memchr, memchr_iter};

use super::core::Core;
use super::ready::{Ahead, Own, Purpose, over};
use super::state::{MAIL, RCPT, State, Step};
use super::transfer::{Accepted, Answering, Asked};
use super::{ContentPhase, Error, Event, Framing, Origin, Outcome, Stage, Transaction, Wait};
use crate::capability::Capabilities;
use crate::command::Body;
use crate::reply::{EnhancedCode, Reply, Severity};

/// Commands that are sent before their replies are taken. Replies to so many fit into the buffers
/// between two hosts, so that neither waits for the other to read (RFC 2920 3.1).
const WINDOW: usize = 200;

/// Replies to MAIL and RCPT are awaited.
#[derive(Debug)]
pub(super) struct Envelope {
    then: Then,
    held: Held,
    /// Commands that were sent and not answered.
    unanswered: usize,
    mail_is_answered: bool,
    replies: Replies,
}

/// What follows when sender and recipients are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Nothing: it was only a question.
    Nothing,
    /// Whoever drives the session sends the content, if all were accepted.
    Content,
    /// DATA, if all were accepted.
    Data,
    /// The reply to the DATA that was sent along.
    SentData,
    /// The reply to the chunk that was sent along.
    SentChunk,
}

/// Commands that are not sent yet.
#[derive(Debug, Default)]
struct Held {
    commands: Vec<u8>,
    sent: usize,
}

/// What was said to MAIL and RCPT.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// The first refusal.
    refusal: Option<(Stage, Reply)>,
    recipients: Vec<Reply>,
}

/// What the message needs and the server does not offer, as the reply that says so.
pub(super) fn lacks(transaction: &Transaction<'_>, offered: &Capabilities) -> Option<Reply> {
    let too_big = |size: u64| offered.size.is_some_and(|limit| limit > 0 && size > limit);
    if transaction.recipients.is_empty() {
        Some(NO_RECIPIENTS.reply())
    } else if needs_smtputf8(transaction) && !offered.smtputf8 {
        Some(NO_SMTPUTF8.reply())
    } else if transaction.body == Body::EightBitMime && !offered.eight_bit_mime {
        Some(NO_EIGHT_BIT_MIME.reply())
    } else if transaction.size.is_some_and(too_big) {
        Some(TOO_BIG.reply())
    } else {
        None
    }
}

/// Writes the commands that may be written at once.
pub(super) fn begin(transaction: &Transaction<'_>, purpose: Purpose, ahead: Ahead, core: &mut Core) -> Envelope {
    let pipelining = core.capabilities.pipelining;
    let start = core.output.len();
    let resets = usize::from(ahead == Ahead::Reset);
    if ahead == Ahead::Reset {
        core.say(&["RSET"]);
    }
    mail(transaction, core);
    for recipient in transaction.recipients {
        core.output.extend_from_slice(b"RCPT TO:");
        recipient.write_to(&mut core.output);
        core.output.extend_from_slice(b"\r\n");
    }
    let commands = resets + 1 + transaction.recipients.len();
    let window = if pipelining { commands.min(WINDOW) } else { 1 };
    let held = if window < commands { Held::behind(window, start, core) } else { Held::default() };
    let then = then(transaction, purpose, ahead, core);
    let recipients = Vec::with_capacity(transaction.recipients.len());
    let replies = Replies { refusal: None, recipients };
    Envelope { then, held, unanswered: window - resets, mail_is_answered: false, replies }
}

/// What follows; what goes along with a single recipient is written.
fn then(transaction: &Transaction<'_>, purpose: Purpose, ahead: Ahead, core: &mut Core) -> Then {
    let Purpose::Deliver(framing) = purpose else { return Then::Nothing };
    let is_single = transaction.recipients.len() == 1;
    let goes_along = is_single && core.capabilities.pipelining;
    match framing {
        // With several recipients the chunk would reach those that are accepted, and not the others;
        // behind RSET it might reach those of an earlier message.
        Framing::Bdat { size } if core.capabilities.chunking && goes_along && ahead == Ahead::Nothing => {
            announce_chunk(size, core);
            Then::SentChunk
        }
        Framing::Bdat { .. } if core.capabilities.chunking || !is_single => Then::Content,
        Framing::Data | Framing::Bdat { .. } if goes_along => {
            core.say(&["DATA"]);
            Then::SentData
        }
        Framing::Data | Framing::Bdat { .. } if is_single => Then::Data,
        Framing::Data | Framing::Bdat { .. } => Then::Content,
    }
}

/// Writes BDAT, behind which the content is to be written.
pub(super) fn announce_chunk(size: u64, core: &mut Core) {
    write!(core.output, "BDAT {size} LAST\r\n").expect("a vector takes whatever is written to it");
    core.phase = ContentPhase::MayHaveBeenSent;
}

fn mail(transaction: &Transaction<'_>, core: &mut Core) {
    let out = &mut core.output;
    out.extend_from_slice(b"MAIL FROM:");
    transaction.reverse_path.write_to(out);
    if let (Some(size), Some(_)) = (transaction.size, core.capabilities.size) {
        write!(out, " SIZE={size}").expect("a vector takes whatever is written to it");
    }
    if transaction.body == Body::EightBitMime {
        out.extend_from_slice(b" BODY=8BITMIME");
    }
    if needs_smtputf8(transaction) {
        out.extend_from_slice(b" SMTPUTF8");
    }
    out.extend_from_slice(b"\r\n");
}

fn needs_smtputf8(transaction: &Transaction<'_>) -> bool {
    transaction.smtputf8
        || !transaction.reverse_path.is_ascii()
        || !transaction.recipients.iter().all(crate::path::ForwardPath::is_ascii)
}

impl Envelope {
    pub(super) fn wait(&self) -> &'static Wait {
        if self.mail_is_answered { &RCPT } else { &MAIL }
    }

    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Envelope(self), Some(Event::NeedInput))) };
        if reply.severity() == Severity::Intermediate {
            return Err(Error::UnexpectedReply { state: self.wait().name, reply });
        }
        self.unanswered -= 1;
        self.note(reply);
        if core.must_be_left {
            return Ok(self.decided(core));
        }
        self.release_next(core)?;
        if self.unanswered > 0 {
            return Ok((State::Envelope(self), None));
        }
        match (self.then, &self.replies.refusal) {
            (Then::SentData, _) => Ok((State::Asked(Asked::new(self.replies)), None)),
            (Then::SentChunk, _) => Ok((State::Answering(Answering::new(self.replies)), None)),
            (Then::Nothing, _) | (_, Some(_)) => Ok(self.decided(core)),
            (Then::Content, None) => {
                core.quiet()?;
                Ok((State::Accepted(Accepted::new(self.replies)), Some(Event::RecipientsAccepted)))
            }
            (Then::Data, None) => {
                core.quiet()?;
                core.say(&["DATA"]);
                Ok((State::Asked(Asked::new(self.replies)), None))
            }
        }
    }

    /// Sends one more of the commands that were held back.
    pub(super) fn release_next(&mut self, core: &mut Core) -> Result<(), Error> {
        let Held { commands, sent } = &mut self.held;
        let rest = &commands[*sent..];
        let Some(lf) = memchr(b'\n', rest) else { return Ok(()) };
        if self.unanswered == 0 {
            core.quiet()?;
        }
        core.output.extend_from_slice(&rest[..=lf]);
        *sent += lf + 1;
        self.unanswered += 1;
        Ok(())
    }

    fn note(&mut self, reply: Reply) {
        let is_refusal = reply.severity() != Severity::Success;
        if !self.mail_is_answered {
            self.mail_is_answered = true;
            if is_refusal {
                self.replies.refusal = Some((Stage::MailFrom, reply));
                self.held = Held::default();
            }
            return;
        }
        match &self.replies.refusal {
            // What is said to RCPT without a sender says nothing of the recipient.
            Some((Stage::MailFrom, _)) => return,
            None if is_refusal => self.replies.refusal = Some((Stage::RcptTo, reply.clone())),
            _ => {}
        }
        self.replies.recipients.push(reply);
    }

    /// Nothing more is to be sent: the first refusal decides; where there is none, it was a question.
    fn decided(self, core: &mut Core) -> (State, Option<Event>) {
        let last = self.replies.recipients.last().cloned().unwrap_or_else(|| NO_RECIPIENTS.reply());
        over(self.replies.outcome(Stage::RcptTo, last), core)
    }
}

impl Held {
    /// Takes back what stands in the output behind so many commands.
    fn behind(commands: usize, start: usize, core: &mut Core) -> Self {
        let end = memchr_iter(b'\n', &core.output[start..]).nth(commands - 1);
        let end = end.map_or(core.output.len(), |lf| start + lf + 1);
        Self { commands: core.output.split_off(end), sent: 0 }
    }
}

impl Replies {
    pub(super) fn has_refusal(&self) -> bool {
        self.refusal.is_some()
    }

    /// How the transaction ended: by the first refusal, or by this.
    pub(super) fn outcome(self, stage: Stage, reply: Reply) -> Outcome {
        let (stage, reply) = self.refusal.unwrap_or((stage, reply));
        Outcome { stage, reply, recipients: self.recipients, origin: Origin::Server }
    }
}

const NO_RECIPIENTS: Own = Own(554, EnhancedCode::new(5, 5, 1), "no recipients");
/// RFC 6531 3.7.1, and RFC 6152 3 for the next one.
const NO_SMTPUTF8: Own = Own(553, EnhancedCode::new(5, 6, 7), "the server does not offer SMTPUTF8");
const NO_EIGHT_BIT_MIME: Own = Own(554, EnhancedCode::new(5, 6, 3), "the server does not offer 8BITMIME");
/// RFC 1870 6.
const TOO_BIG: Own = Own(552, EnhancedCode::new(5, 3, 4), "message larger than the server takes");
