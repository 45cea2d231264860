//! One message as one request, from its first octet to the answer.
//!
//! Invariants: nothing is said to the provider of a message whose header cannot stand for its envelope; success is
//! said only of the one status that means it; how much has left is known when the answer does not come.

use std::io;

use posthouse_smtp::client::Transaction;
use posthouse_smtp::reply::Reply;

use super::Content;
use super::exchange::{Afterwards, Failed};
use crate::alarm::Alarm;
use crate::error::{Error, Need};
use crate::http::progress::{Came, Left};
use crate::http::{HttpWire, body};
use crate::replies::Dialect;
use crate::session::Interruption;
use crate::stage::Stage;
use crate::target::Target;
use answer::{Said, Unclear};
use feed::{Encoding, Load, Unsent};
use recipients::Rewritten;

mod answer;
mod feed;
mod recipients;
mod request;

/// What is being waited for, as an operator says it.
const SENDING: &str = "sending the request";
const WAITING: &str = "waiting for the answer to the request -- may be sent more than once";

/// Hands one message over.
pub(super) async fn exchange(
    wire: &mut HttpWire,
    (target, dialect): (&Target, Dialect<'_>),
    transaction: &Transaction<'_>,
    content: &mut Content<'_>,
    alarm: &mut Alarm,
) -> Result<Reply, Failed> {
    let unsent = |error| Failed { error, session: Afterwards::Whole, never_begun: false, is_repeatable: false };
    let rewritten =
        recipients::rewritten(content, transaction.recipients).map_err(|unfit| unsent(Error::HeaderUnfit(unfit)))?;
    let limit = target.transport.most_octets().unwrap_or(u64::MAX);
    let size = size(content, &rewritten);
    if let Some(octets) = size.filter(|octets| *octets > limit) {
        return Err(unsent(Error::NotOffered(Need::Size { octets, limit })));
    }
    let encoding = Encoding::of(target.transport);
    wire.progress().begin();
    let (feeder, outgoing) = body::body(size.map(|size| encoding.size(size)), wire.progress());
    let request = request::request(target, &wire.login, outgoing).map_err(|complaint| {
        unsent(Error::NotTheInterface { target: target.to_string(), complaint: complaint.to_string() })
    })?;
    let mut untouched = true;
    let load = Load { rewritten, content, limit, encoding, untouched: &mut untouched };
    let heard = wire.ask(request, feed::feed(load, feeder, alarm)).await;
    let (head, came) = match heard {
        Ok(heard) => heard,
        Err(unsent) => return Err(broken(wire, unsent, untouched)),
    };
    if came == Came::Early && head.status().is_success() {
        // It is not listened to: meanwhile more would leave of a message that is not believed to be taken.
        wire.leave();
        let error = too_early(target, head.status().as_u16());
        return Err(Failed { error, session: Afterwards::Broken, never_begun: false, is_repeatable: untouched });
    }
    let patience = if came == Came::Early { answer::PATIENCE_EARLY } else { answer::PATIENCE };
    let said = answer::read(wire, head, patience, alarm).await;
    let is_whole = came == Came::InTurn && said.text.is_whole();
    let judged = judged(target, dialect, came, said);
    let session = match &judged {
        Ok(_) | Err(Error::Refused { .. }) if is_whole => {
            wire.settle().await;
            if wire.is_usable() { Afterwards::Whole } else { Afterwards::Broken }
        }
        _ => {
            wire.leave();
            Afterwards::Broken
        }
    };
    judged.map_err(|error| Failed { error, session, never_begun: false, is_repeatable: untouched })
}

/// Asks for nothing: a request with an empty message. The refusal that every interface has for that.
pub(crate) async fn knock(
    wire: &mut HttpWire,
    (target, dialect): (&Target, Dialect<'_>),
    alarm: &mut Alarm,
) -> Result<Reply, Error> {
    let strange = |complaint: String| Error::NotTheInterface { target: target.to_string(), complaint };
    wire.progress().begin();
    let (_feeder, outgoing) = body::body(Some(0), wire.progress());
    let request =
        request::request(target, &wire.login, outgoing).map_err(|complaint| strange(complaint.to_string()))?;
    let asked: Result<_, Interruption> = wire.ask(request, async { Ok(&mut *alarm) }).await;
    let (head, came) = asked.map_err(|interruption| interruption.at(Stage::Request, SENDING))?;
    let said = answer::read(wire, head, answer::PATIENCE, alarm).await;
    wire.settle().await;
    match said.status {
        200..=299 => Err(strange(format!("status {} for an empty message", said.status))),
        400 => Ok(Reply::new(400, None, answer::complaint(400, &said.text))),
        _ => judged(target, dialect, came, said),
    }
}

/// Octets of the message as it goes out, where all of it is there.
fn size(content: &Content<'_>, rewritten: &Rewritten) -> Option<u64> {
    match content {
        Content::Whole(slices) => {
            let all: usize = slices.iter().map(|slice| slice.len()).sum();
            Some((all - rewritten.from + rewritten.head.len()) as u64)
        }
        Content::Streamed(_) => None,
    }
}

/// What the answer says.
fn judged(target: &Target, dialect: Dialect<'_>, came: Came, said: Said) -> Result<Reply, Error> {
    let Said { status, text, pause } = said;
    let strange = |complaint| Err(Error::NotTheInterface { target: target.to_string(), complaint });
    match (status, came) {
        (200..=299, Came::Early) => Err(too_early(target, status)),
        (200..=299, Came::InTurn) => match answer::taken(target.transport, status, &text) {
            Ok(reply) => Ok(reply),
            Err(Unclear::Lost(source)) => Err(Error::Ambiguous { state: WAITING, source }),
            Err(Unclear::Strange(complaint)) => strange(complaint),
        },
        (400..=599, _) => {
            let reply = Reply::new(status, None, answer::complaint(status, &text));
            let reading = dialect.read(Stage::Request, &reply).with_pause(pause);
            Err(Error::Refused { stage: Stage::Request, reading, reply, recipients: Vec::new() })
        }
        _ => strange(format!("status {status}")),
    }
}

/// A success that was said before there was anything to be said of.
fn too_early(target: &Target, status: u16) -> Error {
    let complaint = format!("status {status} before the request was whole");
    Error::NotTheInterface { target: target.to_string(), complaint }
}

/// The error of a request that has no answer.
fn broken(wire: &HttpWire, unsent: Unsent, untouched: bool) -> Failed {
    let left = wire.progress().left();
    let never_begun =
        left == Left::Nothing && untouched && matches!(unsent, Unsent::Interrupted(Interruption::Lost(_)));
    let error = match unsent {
        Unsent::Interrupted(interruption) if left == Left::All => {
            let source = match interruption {
                Interruption::Lost(source) => source,
                Interruption::TimedOut => io::ErrorKind::TimedOut.into(),
                Interruption::Protocol(source) => io::Error::new(io::ErrorKind::InvalidData, source),
            };
            Error::Ambiguous { state: WAITING, source }
        }
        Unsent::Interrupted(interruption) => interruption.at(Stage::Request, SENDING),
        Unsent::Abandoned => Error::Abandoned,
        Unsent::Stalled(patience) => Error::ContentStalled(patience),
        Unsent::TooBig { octets, limit } => Error::NotOffered(Need::Size { octets, limit }),
    };
    Failed { error, session: Afterwards::Broken, never_begun, is_repeatable: false }
}
