//! One transaction on one session, from MAIL to the reply to the content.
//!
//! Invariant: how much of the content has left is known at every moment, so that a failure is told
//! apart from a lost answer.

use std::io;

use posthouse_smtp::client::{self, ContentPhase, Event, Framing, Outcome, Transaction};
use posthouse_smtp::reply::{Reply, Severity};

use super::Content;
use super::content::{self, Sent, Unsent};
use crate::alarm::Alarm;
use crate::error::{Error, Need};
use crate::meaning::Meaning;
use crate::replies::{Dialect, Reading};
use crate::session::{Interruption, Wire};
use crate::stage::Stage;

/// A transaction that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// What the session is good for now.
    pub(super) session: Afterwards,
    /// The provider cannot have taken anything of the message, and a new session may help.
    pub(super) never_begun: bool,
    /// All of the content is still there to be sent, and nobody has it.
    pub(super) is_repeatable: bool,
}

/// What a session is good for after a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// It stands between two messages, or knows itself that it does not.
    Whole,
    /// Nothing: it was left in the middle.
    Broken,
}

/// Hands one message over.
pub(super) async fn exchange(
    wire: &mut Wire,
    dialect: Dialect<'_>,
    transaction: &Transaction<'_>,
    content: &mut Content<'_>,
    alarm: &mut Alarm,
) -> Result<Reply, Failed> {
    if let Some(need) = lacking(wire, transaction) {
        return Err(Failed {
            error: Error::NotOffered(need),
            session: Afterwards::Whole,
            never_begun: false,
            is_repeatable: false,
        });
    }
    let mut sent = Sent::Nothing;
    let outcome = match run(wire, transaction, content, &mut sent, alarm).await {
        Ok(outcome) => outcome,
        Err(Unsent::Answered(outcome)) => return Err(answered_early(wire, dialect, *outcome, transaction)),
        Err(unsent) => return Err(broken(wire, dialect, sent, unsent)),
    };
    match (outcome.stage, outcome.reply.severity()) {
        (client::Stage::Content, Severity::Success) => Ok(outcome.reply),
        _ => Err(refused(dialect, outcome, transaction.recipients.len())),
    }
}

/// The provider decided although octets of the content are still owed: the session is of no more use,
/// and a 2yz cannot be true.
fn answered_early(wire: &Wire, dialect: Dialect<'_>, outcome: Outcome, transaction: &Transaction<'_>) -> Failed {
    if outcome.stage == client::Stage::Content && outcome.reply.severity() == Severity::Success {
        let source = client::Error::UnexpectedReply { state: wire.state(), reply: outcome.reply };
        let error = Error::Protocol { stage: Stage::Content, source };
        return Failed { error, session: Afterwards::Broken, never_begun: false, is_repeatable: false };
    }
    Failed { session: Afterwards::Broken, ..refused(dialect, outcome, transaction.recipients.len()) }
}

/// What the message needs and the provider does not offer.
fn lacking(wire: &Wire, transaction: &Transaction<'_>) -> Option<Need> {
    let capabilities = wire.client.capabilities();
    if transaction.smtputf8 && !capabilities.smtputf8 {
        return Some(Need::SmtpUtf8);
    }
    match (transaction.size, capabilities.size) {
        // RFC 1870 3: zero says that there is no fixed limit.
        (Some(octets), Some(limit)) if limit > 0 && octets > limit => Some(Need::Size { octets, limit }),
        _ => None,
    }
}

/// How the content is sent.
#[derive(Clone, Copy)]
enum Plan<'a> {
    /// As one chunk: no stuffing and no round trip of its own, but the size is needed beforehand.
    Chunk { slices: &'a [&'a [u8]], size: u64 },
    /// After a 354.
    Data,
}

async fn run(
    wire: &mut Wire,
    transaction: &Transaction<'_>,
    content: &mut Content<'_>,
    sent: &mut Sent,
    alarm: &mut Alarm,
) -> Result<Outcome, Unsent> {
    let plan = plan(wire, content);
    begin(wire, transaction, plan, sent, alarm).await?;
    loop {
        match wire.next(alarm).await? {
            Event::RecipientsAccepted => match plan {
                Plan::Chunk { slices, size } => {
                    wire.client.send_bdat(size);
                    content::send_chunk(wire, slices, sent, alarm).await?;
                }
                Plan::Data => wire.client.send_data(),
            },
            Event::GoAhead => {
                content::send_stuffed(wire, content, sent, alarm).await?;
                wire.client.content_sent();
            }
            Event::EarlyReply(reply) => return Err(Unsent::EarlyReply(reply)),
            Event::Answered(outcome) => return Ok(outcome),
            Event::NeedInput | Event::StartTls | Event::Identified | Event::Ready => {}
        }
    }
}

fn plan<'a>(wire: &Wire, content: &Content<'a>) -> Plan<'a> {
    match content {
        Content::Whole(slices) if wire.client.capabilities().chunking => {
            Plan::Chunk { slices, size: slices.iter().map(|slice| slice.len() as u64).sum() }
        }
        Content::Whole(_) | Content::Streamed(_) => Plan::Data,
    }
}

async fn begin(
    wire: &mut Wire,
    transaction: &Transaction<'_>,
    plan: Plan<'_>,
    sent: &mut Sent,
    alarm: &mut Alarm,
) -> Result<(), Unsent> {
    match plan {
        Plan::Data => wire.client.begin(transaction, Framing::Data).map_err(Interruption::Protocol)?,
        Plan::Chunk { slices, size } => {
            wire.client.begin(transaction, Framing::Bdat { size }).map_err(Interruption::Protocol)?;
            if wire.client.content_phase() == ContentPhase::MayHaveBeenSent {
                // MAIL, RCPT and BDAT with all of the content in one write: one round trip.
                content::send_chunk(wire, slices, sent, alarm).await?;
            }
        }
    }
    Ok(())
}

/// The error of a transaction that has no outcome.
fn broken(wire: &Wire, dialect: Dialect<'_>, sent: Sent, unsent: Unsent) -> Failed {
    let (state, stage) = (wire.state(), if sent == Sent::Nothing { Stage::MailFrom } else { Stage::Content });
    let never_begun = sent == Sent::Nothing && matches!(unsent, Unsent::Interrupted(Interruption::Lost(_)));
    let error = match unsent {
        Unsent::Interrupted(interruption) if sent == Sent::All => {
            Error::Ambiguous { state, source: lost(interruption) }
        }
        Unsent::Interrupted(interruption) => interruption.at(stage, state),
        Unsent::EarlyReply(reply) => {
            let reading = dialect.read(Stage::Content, &reply);
            Error::Refused { stage: Stage::Content, reading, reply, recipients: Vec::new() }
        }
        Unsent::Answered(outcome) => return refused(dialect, *outcome, 1),
        Unsent::Abandoned => Error::Abandoned,
        Unsent::Stalled(patience) => Error::ContentStalled(patience),
    };
    Failed { error, session: Afterwards::Broken, never_begun, is_repeatable: false }
}

fn lost(interruption: Interruption) -> io::Error {
    match interruption {
        Interruption::Lost(source) => source,
        Interruption::TimedOut => io::ErrorKind::TimedOut.into(),
        Interruption::Protocol(source) => io::Error::new(io::ErrorKind::InvalidData, source),
    }
}

/// The error of a transaction that the provider refused, all of it or some recipients.
fn refused(dialect: Dialect<'_>, outcome: Outcome, of: usize) -> Failed {
    let stage = outcome.stage.into();
    let refusals = match stage {
        Stage::RcptTo => refusals(dialect, outcome.recipients),
        _ => Vec::new(),
    };
    let (reply, reading) = match decisive(&refusals) {
        Some(Refusal { reply, reading, .. }) => (reply.clone(), reading.clone()),
        None => (outcome.reply.clone(), dialect.read(stage, &outcome.reply)),
    };
    let recipients: Vec<_> = refusals.into_iter().map(|refusal| (refusal.index, refusal.reply)).collect();
    // Refused by a session that was fine a moment ago: its time or its login is over, and the
    // provider has taken nothing.
    let is_over = reply.code() == 421 || reading.meaning == Meaning::NotAuthenticated;
    let never_begun = stage == Stage::MailFrom && is_over;
    let error = match is_about_recipients(reading.meaning) && !recipients.is_empty() && recipients.len() < of {
        true => Error::PartlyRefused { refused: recipients },
        false => Error::Refused { stage, reading, reply, recipients },
    };
    Failed { error, session: Afterwards::Whole, never_begun, is_repeatable: false }
}

/// A recipient's refusal.
struct Refusal {
    index: usize,
    reply: Reply,
    reading: Reading,
}

fn refusals(dialect: Dialect<'_>, replies: Vec<Reply>) -> Vec<Refusal> {
    let refused = replies.into_iter().enumerate().filter(|(_, reply)| reply.severity() != Severity::Success);
    refused.map(|(index, reply)| Refusal { index, reading: dialect.read(Stage::RcptTo, &reply), reply }).collect()
}

/// Which refusal speaks for all of them: one that is about the account, else one that may pass,
/// since its recipient is to be tried again, else the first.
fn decisive(refusals: &[Refusal]) -> Option<&Refusal> {
    refusals
        .iter()
        .find(|refusal| !is_about_recipients(refusal.reading.meaning))
        .or_else(|| refusals.iter().find(|refusal| refusal.reply.severity() != Severity::Permanent))
        .or_else(|| refusals.first())
}

fn is_about_recipients(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Deferred | Meaning::Refused | Meaning::TooManyRecipients)
}
