//! Reads replies (RFC 5321 4.2) from what a server sends: strictly, and within bounds.
//!
//! Whatever is not exactly a reply is an error, after which nothing that the server says can be
//! trusted to belong to what it was asked.

use std::fmt;

use memchr::memchr;

use crate::reply::{EnhancedCode, Reply};

/// The longest line, its end included. RFC 5321 says 512; challenges of XOAUTH2 and some banners are longer.
const LINE: usize = 4_096;
/// The longest reply.
const REPLY: usize = 16 * 1024;
/// The most lines of a reply.
const LINES: usize = 100;

/// Why octets are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplyError {
    /// A line does not begin with three digits and a space or hyphen.
    Syntax,
    /// A line ends in LF alone, or holds a CR or NUL.
    Octets,
    /// The lines of one reply bear different codes.
    MixedCodes,
    /// A line, or the whole reply, is longer than a reply can be.
    TooLong,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "a line that is no reply",
            Self::Octets => "a bare CR, LF or NUL in a reply",
            Self::MixedCodes => "a reply whose lines bear different codes",
            Self::TooLong => "a reply without end",
        })
    }
}

impl std::error::Error for ReplyError {}

/// The first reply in `input` and how many octets it takes; none where it has not ended yet.
///
/// # Errors
/// What is there can become no reply, whatever follows.
pub fn read(input: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
    let (mut at, mut first, mut text) = (0, None, String::new());
    for _ in 0..LINES {
        let Some(lf) = memchr(b'\n', &input[at..]) else {
            let is_bounded = input.len() - at < LINE && input.len() < REPLY;
            return if is_bounded { Ok(None) } else { Err(ReplyError::TooLong) };
        };
        let line = line(&input[at..=at + lf])?;
        at += lf + 1;
        if line.len() + 2 > LINE || at > REPLY {
            return Err(ReplyError::TooLong);
        }
        let (code, is_last, rest) = parts(line)?;
        if first.is_some_and(|first| first != code) {
            return Err(ReplyError::MixedCodes);
        }
        let (enhanced, rest) = split_enhanced(code, rest);
        if first.is_some() {
            text.push('\n');
        }
        first = Some(code);
        text.push_str(&String::from_utf8_lossy(rest));
        if is_last {
            return Ok(Some((Reply::new(code, enhanced, text), at)));
        }
    }
    Err(ReplyError::TooLong)
}

/// A line without its end.
fn line(line: &[u8]) -> Result<&[u8], ReplyError> {
    let line = line.strip_suffix(b"\r\n").ok_or(ReplyError::Octets)?;
    if line.iter().any(|octet| matches!(octet, b'\r' | 0)) { Err(ReplyError::Octets) } else { Ok(line) }
}

/// Code, whether the line is the last one, and the text.
fn parts(line: &[u8]) -> Result<(u16, bool, &[u8]), ReplyError> {
    let (digits, rest) = line.split_at_checked(3).ok_or(ReplyError::Syntax)?;
    let legal = matches!(digits[0], b'2'..=b'5') && digits.iter().all(u8::is_ascii_digit);
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit.wrapping_sub(b'0')));
    match (legal, rest) {
        (true, []) => Ok((code, true, rest)),
        (true, [b' ', text @ ..]) => Ok((code, true, text)),
        (true, [b'-', text @ ..]) => Ok((code, false, text)),
        _ => Err(ReplyError::Syntax),
    }
}

/// The enhanced code in front of the text, where it fits the reply's code (RFC 2034 4).
fn split_enhanced(code: u16, text: &[u8]) -> (Option<EnhancedCode>, &[u8]) {
    let end = memchr(b' ', text).unwrap_or(text.len());
    let word = std::str::from_utf8(&text[..end]).ok();
    match word.and_then(|word| word.parse::<EnhancedCode>().ok()) {
        Some(enhanced) if u16::from(enhanced.class) == code / 100 => {
            (Some(enhanced), text.get(end + 1..).unwrap_or(b""))
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests;
