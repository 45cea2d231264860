//! The reply to EHLO in the order in which the provider writes it.
//!
//! A session of the protocol crate writes its own order; clients have been seen to depend on what they see of a
//! provider, so that what they see here is what was observed there.

use crate::options::ProviderOptions;
use crate::provider::{EhloLine, Provider};

/// Where the reply to the last HELO or EHLO begins, if there is one among these replies: it is the last reply then,
/// since nothing may be pipelined behind EHLO (RFC 2920 3.1).
pub(super) fn position(replies: &[u8], hostname: &str) -> Option<usize> {
    let last = last_reply(replies);
    let text = replies[last..].strip_prefix(b"250-").or_else(|| replies[last..].strip_prefix(b"250 "))?;
    text.strip_prefix(hostname.as_bytes())?.starts_with(b"\r\n").then_some(last)
}

/// Where the last reply begins.
pub(super) fn last_reply(replies: &[u8]) -> usize {
    let mut start = replies.len();
    for line in replies.split_inclusive(|octet| *octet == b'\n').rev() {
        let is_end = line.get(3) == Some(&b' ');
        if is_end && start < replies.len() {
            break;
        }
        start -= line.len();
    }
    start
}

/// What is offered besides the provider's own lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) starttls: bool,
    pub(super) auth: bool,
}

/// Writes the provider's reply to EHLO.
pub(super) fn write(provider: Provider, options: &ProviderOptions, offer: Offer, out: &mut Vec<u8>) {
    let mut lines = vec![format!("{} at your service", provider.hostname())];
    for line in provider.ehlo_lines() {
        match line {
            EhloLine::Text(text) => lines.push((*text).to_owned()),
            EhloLine::Size => lines.push(format!("SIZE {}", options.limits.message_size)),
            EhloLine::StartTls if offer.starttls => lines.push("STARTTLS".to_owned()),
            EhloLine::Auth(text) if offer.auth => lines.push((*text).to_owned()),
            EhloLine::Pipelining if options.pipelining => lines.push("PIPELINING".to_owned()),
            EhloLine::Chunking if options.chunking => lines.push("CHUNKING".to_owned()),
            EhloLine::StartTls | EhloLine::Auth(_) | EhloLine::Pipelining | EhloLine::Chunking => {}
        }
    }
    let last = lines.len() - 1;
    for (index, line) in lines.iter().enumerate() {
        let separator = if index == last { ' ' } else { '-' };
        out.extend_from_slice(format!("250{separator}{line}\r\n").as_bytes());
    }
}

#[cfg(test)]
mod tests;
