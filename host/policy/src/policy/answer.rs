//! What a policy answers, checked before anybody believes it.

use crate::bindings::exports::posthouse::policy as exported;
use crate::bindings::posthouse::policy::types;
use crate::decided::{Next, Reply, Verdict};
use crate::failure::{Failure, LoadError};
use crate::limits;
use crate::log::printable;
use crate::policy::Description;

/// The replies that are about mail and not about the session (RFC 5321 4.2.1: x5z).
const DEFER: std::ops::RangeInclusive<u16> = 450..=459;
const REJECT: std::ops::RangeInclusive<u16> = 550..=559;

pub(super) fn verdict(verdict: types::Verdict) -> Result<Verdict, Failure> {
    Ok(match verdict {
        types::Verdict::Proceed => Verdict::Proceed,
        types::Verdict::Reject(reply) => Verdict::Reject(checked(reply, REJECT, 5, "reject")?),
        types::Verdict::Defer(reply) => Verdict::Defer(checked(reply, DEFER, 4, "defer")?),
    })
}

fn checked(
    reply: types::Reply,
    codes: std::ops::RangeInclusive<u16>,
    class: u8,
    verdict: &str,
) -> Result<Reply, Failure> {
    let refused = |reason: String| Err(Failure::Answer(format!("{verdict}: {reason}")));
    let (given, subject, detail) = reply.enhanced;
    if !codes.contains(&reply.code) {
        return refused(format!("the code is {} to {}, not {}", codes.start(), codes.end(), reply.code));
    }
    if given != class || subject > 999 || detail > 999 {
        return refused(format!("the enhanced code is {class}.x.y, not {given}.{subject}.{detail}"));
    }
    if reply.text.is_empty() || reply.text.len() > limits::REPLY_TEXT {
        return refused(format!("the text is 1 to {} characters, not {}", limits::REPLY_TEXT, reply.text.len()));
    }
    if !reply.text.bytes().all(|octet| (0x20..0x7f).contains(&octet)) {
        return refused("the text is one line of printable US-ASCII".to_owned());
    }
    Ok(Reply { code: reply.code, enhanced: reply.enhanced, text: reply.text })
}

pub(super) fn next(next: exported::on_outcome::Next) -> Next {
    match next {
        exported::on_outcome::Next::Done => Next::Done,
        exported::on_outcome::Next::NextAccount => Next::NextAccount,
    }
}

/// A name and a version stand in logs and in labels of metrics.
pub(super) fn check_description(description: exported::policy::Description) -> Result<Description, LoadError> {
    let exported::policy::Description { name, version, needs_body } = description;
    for (what, text) in [("name", &name), ("version", &version)] {
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        if text.is_empty() || text.len() > limits::NAME || !text.bytes().all(fits) {
            let expected = format!("the {what} is 1 to {} letters, digits and `.`, `_`, `-`", limits::NAME);
            return Err(LoadError::Description(expected));
        }
    }
    Ok(Description { name, version, needs_body })
}

/// What a policy says against its settings, as it can be shown.
pub(super) fn complaint(reason: &str) -> String {
    printable(&reason.chars().take(limits::COMPLAINT).collect::<String>())
}
