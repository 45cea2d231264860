//! What the providers' interfaces answer: one status of success each, and errors as JSON.
//!
//! Invariants: an answer is success only where it is the interface's own: a proxy's page with status 200 is none; and
//! where an explanation did not come to its end, nobody takes a status for what it alone could say.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::RETRY_AFTER;
use posthouse_smtp::reply::Reply;
use serde_json::Value;

use crate::alarm::Alarm;
use crate::http::{Answer, HttpWire};
use crate::transport::Transport;

/// The most of an answer that is read.
const MOST: usize = 64 * 1024;
/// How long an answer's body may take to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The same where the answer came early: meanwhile a session is held, and a client whose content nobody takes waits.
pub(super) const PATIENCE_EARLY: Duration = Duration::from_secs(5);
/// The longest time that an account is left alone because its provider says so.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The most characters of an error's own words.
const WORDS: usize = 300;
/// What the reply table knows an explanation by that did not come to its end.
const CUT_SHORT: &str = "explanation cut short";

/// An answer.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) text: Text,
    /// How long the provider wants to be left alone.
    pub(super) pause: Option<Duration>,
}

/// What stands in an answer.
#[derive(Debug)]
pub(super) struct Text {
    /// The name that the provider gave the request.
    id: Option<String>,
    /// What has come of the body.
    octets: Vec<u8>,
    /// Why that is not all of it.
    cut: Option<io::Error>,
}

impl Text {
    /// Whether it was read to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.cut.is_none()
    }
}

/// Why an answer of success is none.
#[derive(Debug)]
pub(super) enum Unclear {
    /// It broke off.
    Lost(io::Error),
    /// It is not the interface's.
    Strange(String),
}

/// Reads an answer. Where its body does not come, or not whole, its status stands all the same.
pub(super) async fn read(wire: &mut HttpWire, head: Answer, patience: Duration, alarm: &mut Alarm) -> Said {
    let (parts, incoming) = head.into_parts();
    let mut octets = Vec::new();
    let cut = match alarm.within(patience, wire.during(body(incoming, &mut octets))).await {
        Some(Ok(Ok(()))) => None,
        Some(Ok(Err(error)) | Err(error)) => Some(error),
        None => Some(io::ErrorKind::TimedOut.into()),
    };
    let id = parts.headers.get("request-id").and_then(|id| id.to_str().ok()).map(printable);
    Said { status: parts.status.as_u16(), text: Text { id, octets, cut }, pause: pause(&parts.headers) }
}

async fn body(mut incoming: Incoming, octets: &mut Vec<u8>) -> io::Result<()> {
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            octets.extend_from_slice(&data);
        }
        if octets.len() > MOST {
            return Err(io::Error::other("the answer is too long"));
        }
    }
    Ok(())
}

/// The reply that an answer of success is.
pub(super) fn taken(transport: Transport, status: u16, text: &Text) -> Result<Reply, Unclear> {
    match transport {
        Transport::GmailApi => {
            if let Some(error) = &text.cut {
                return Err(Unclear::Lost(io::Error::new(error.kind(), error.to_string())));
            }
            let json: Value = serde_json::from_slice(&text.octets).unwrap_or_default();
            match (status, json["id"].as_str()) {
                (200, Some(id)) => {
                    Ok(Reply::new(200, None, format!("accepted by the Gmail API, id {}", printable(id))))
                }
                _ => Err(Unclear::Strange(format!("status {status} without the id of a message"))),
            }
        }
        Transport::Graph | Transport::Smtp => match (status, &text.id) {
            (202, Some(id)) => Ok(Reply::new(202, None, format!("accepted by Graph for sending, request-id {id}"))),
            (202, None) => Ok(Reply::new(202, None, "accepted by Graph for sending")),
            _ => Err(Unclear::Strange(format!("status {status} where 202 is success"))),
        },
    }
}

/// An error in one line: its code or reason, and its message. Graph names a code, Google a reason among others. Of one that
/// breaks off what has come of it, as it came.
pub(super) fn complaint(status: u16, text: &Text) -> String {
    let json: Value = match (serde_json::from_slice(&text.octets), &text.cut) {
        (Ok(json), _) => json,
        (Err(_), None) => Value::Null,
        (Err(_), Some(_)) if text.octets.is_empty() => return format!("status {status}, {CUT_SHORT}"),
        (Err(_), Some(_)) => return format!("{CUT_SHORT}: {}", printable(&String::from_utf8_lossy(&text.octets))),
    };
    let error = &json["error"];
    let reason = error["errors"][0]["reason"].as_str();
    let code = reason.or(error["code"].as_str()).or(error["status"].as_str());
    let words = [code, error["message"].as_str()];
    let words: Vec<&str> = words.into_iter().flatten().filter(|words| !words.is_empty()).collect();
    match words.is_empty() {
        true => format!("status {status} without an explanation"),
        false => printable(&words.join(" ")),
    }
}

/// RFC 9110 10.2.3: seconds, or a date.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match said.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(said).ok()?.duration_since(SystemTime::now()).unwrap_or_default(),
    };
    (!pause.is_zero()).then_some(pause.min(LONGEST_PAUSE))
}

/// In one line of US-ASCII, and not too long.
fn printable(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(WORDS).map(|character| if matches!(character, ' '..='~') { character } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
