//! MAIL and RCPT: check, ask, note.

use super::Event;
use super::core::Core;
use super::replies::Said;
use super::state::{Answer, State, Step};
use super::waiting::Waiting;
use crate::command::{Body, CommandError, MailFrom, RcptTo};
use crate::data::NewlineCheck;

/// What the session itself keeps of an open transaction.
#[derive(Debug)]
pub(super) struct Envelope {
    smtputf8: bool,
    pub(super) recipients: usize,
    /// Whether a recipient was refused.
    refused: bool,
    pub(super) chunks: Option<Chunks>,
}

/// Content that came by BDAT so far.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    pub(super) octets: u64,
    pub(super) newlines: NewlineCheck,
    /// A chunk was refused: nothing but RSET helps (RFC 3030 2).
    pub(super) failed: bool,
}

impl Envelope {
    pub(super) fn is_chunked(&self) -> bool {
        self.chunks.is_some()
    }

    /// Whether a chunk was refused: the transaction is over, and whoever drives the session knows.
    pub(super) fn is_over(&self) -> bool {
        self.chunks.as_ref().is_some_and(|chunks| chunks.failed)
    }

    /// Why there is nobody to send content to.
    pub(super) fn lacks_recipients(&self) -> Option<Said> {
        match (self.recipients, self.refused) {
            (0, true) => Some(Said::NoValidRecipients),
            (0, false) => Some(Said::RecipientFirst),
            _ => None,
        }
    }
}

/// A MAIL that somebody has to decide on.
#[derive(Debug)]
pub(super) struct Proposed {
    smtputf8: bool,
}

/// A RCPT that somebody has to decide on.
#[derive(Debug)]
pub(super) struct ProposedRecipient {
    envelope: Envelope,
}

pub(super) fn mail(waiting: Waiting, mail: MailFrom, core: &mut Core) -> Step {
    let refusal = if core.helo.is_none() {
        Some(Said::HelloFirst.reply())
    } else if !core.is_authenticated() {
        Some(Said::LoginFirst.reply())
    } else if waiting.envelope.is_some() {
        Some(Said::NestedMail.reply())
    } else if asks_for_more_than_offered(&mail, core) {
        Some(CommandError::Parameter.reply())
    } else if mail.size.is_some_and(|size| size > core.settings.limits.message_size) {
        Some(Said::TooBig.reply())
    } else if !mail.path.is_ascii() && !mail.smtputf8 {
        Some(Said::NeedsSmtpUtf8.reply())
    } else {
        None
    };
    match refusal {
        Some(reply) => waiting.complain(core, &reply),
        None => (State::Proposed(Proposed { smtputf8: mail.smtputf8 }), Some(Event::Mail(mail))),
    }
}

/// Parameters belong to extensions, and extensions to EHLO (RFC 5321 2.2.1).
fn asks_for_more_than_offered(mail: &MailFrom, core: &Core) -> bool {
    let offered = &core.settings.extensions;
    let allowed = |extension: bool| core.extended && extension;
    (mail.size.is_some() && !allowed(offered.size))
        || (mail.body == Body::EightBitMime && !allowed(offered.eight_bit_mime))
        || (mail.smtputf8 && !allowed(offered.smtputf8))
}

impl Proposed {
    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> State {
        let envelope = match answer {
            Answer::Accepted => {
                core.tell(Said::SenderOk);
                Some(Envelope { smtputf8: self.smtputf8, recipients: 0, refused: false, chunks: None })
            }
            Answer::Refused(reply) => {
                if !core.decline(&reply) {
                    return State::Closing;
                }
                None
            }
        };
        State::Waiting(Waiting { envelope })
    }
}

pub(super) fn recipient(waiting: Waiting, recipient: RcptTo, core: &mut Core) -> Step {
    let refusal = match &waiting.envelope {
        None => Some(Said::MailFirst),
        Some(envelope) if envelope.is_chunked() => Some(Said::ChunksMixed),
        Some(envelope) if !recipient.path.is_ascii() && !envelope.smtputf8 => Some(Said::NeedsSmtpUtf8),
        Some(envelope) if envelope.recipients >= core.settings.limits.recipients => {
            // No error of the client's: it sends the others separately (RFC 5321 4.5.3.1.10).
            core.tell(Said::TooManyRecipients);
            return (State::Waiting(waiting), None);
        }
        Some(_) => None,
    };
    match (refusal, waiting) {
        (None, Waiting { envelope: Some(envelope) }) => {
            (State::ProposedRecipient(ProposedRecipient { envelope }), Some(Event::Recipient(recipient)))
        }
        (refusal, waiting) => waiting.complain(core, &refusal.unwrap_or(Said::MailFirst).reply()),
    }
}

impl ProposedRecipient {
    pub(super) fn answered(self, answer: Answer, core: &mut Core) -> State {
        let mut envelope = self.envelope;
        match answer {
            Answer::Accepted => {
                core.tell(Said::RecipientOk);
                envelope.recipients += 1;
            }
            Answer::Refused(reply) => {
                // Not counted as a command without a message: a list with a hundred dead addresses, or
                // more of them than the provider takes at once, is still on its way to its content.
                core.say(&reply);
                envelope.refused = true;
            }
        }
        State::Waiting(Waiting { envelope: Some(envelope) })
    }
}
