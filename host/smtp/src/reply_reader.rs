//! Reads a server's replies (RFC 5321 4.2) as they come, in pieces of any size.
//!
//! It does not know to which command a reply belongs. The invariants: every cut of the same octets
//! gives the same replies and the same error, and no server can make it keep more than one reply
//! within its limits.

use std::fmt;

use memchr::{memchr, memchr2};

use crate::reply::{EnhancedCode, Reply};

/// The longest line, line end included. RFC 5321 4.5.3.1.5 allows 512 octets; challenges of AUTH
/// and the advice of large providers are longer.
const LINE: usize = 2048;
/// The longest reply.
const REPLY: usize = 16 * 1024;
/// The most lines of a reply.
const LINES: usize = 100;
/// A buffer of at most this size is kept while it is empty.
const KEPT: usize = 512;

/// Why octets are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplyError {
    /// A line does not begin with three digits from 200 to 599.
    BadCode,
    /// What follows the code is neither a space nor a hyphen.
    BadSeparator,
    /// The lines of one reply have different codes.
    MixedCodes,
    /// A CR that no LF follows.
    BareCr,
    /// An LF that no CR precedes.
    BareLf,
    /// A NUL.
    Nul,
    /// A line is longer than any server has reason to send.
    LineTooLong,
    /// The reply has too many lines or octets.
    ReplyTooLong,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadCode => "a reply that does not begin with a code",
            Self::BadSeparator => "a reply with neither space nor hyphen behind its code",
            Self::MixedCodes => "a reply with more than one code",
            Self::BareCr => "a reply with a bare CR",
            Self::BareLf => "a reply with a bare LF",
            Self::Nul => "a reply with a NUL",
            Self::LineTooLong => "a reply with a line that is too long",
            Self::ReplyTooLong => "a reply that is too long",
        })
    }
}

impl std::error::Error for ReplyError {}

/// The reader of one connection's replies.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// A line that has not ended yet.
    line: Vec<u8>,
    /// What its lines so far say.
    code: Option<u16>,
    enhanced: Option<EnhancedCode>,
    text: String,
    lines: usize,
    octets: usize,
}

impl ReplyReader {
    /// Takes octets up to the end of a reply; says how many it took. All were taken where no reply
    /// has ended.
    ///
    /// # Errors
    /// The octets are no reply. What follows cannot be understood; the connection is of no use.
    pub fn read(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut taken = 0;
        while let Some(end) = memchr(b'\n', &input[taken..]) {
            let piece = &input[taken..=taken + end];
            taken += piece.len();
            if self.end_line(piece)? {
                return Ok((taken, Some(self.end_reply())));
            }
        }
        let rest = &input[taken..];
        // With its LF it would be longer still.
        if self.line.len() + rest.len() >= LINE {
            return Err(ReplyError::LineTooLong);
        }
        self.line.extend_from_slice(rest);
        Ok((input.len(), None))
    }

    /// Whether a reply has begun and not ended.
    pub fn is_midway(&self) -> bool {
        self.lines > 0 || !self.line.is_empty()
    }

    /// Takes the end of a line; whether it was the last line of the reply.
    fn end_line(&mut self, end: &[u8]) -> Result<bool, ReplyError> {
        if self.line.len() + end.len() > LINE {
            return Err(ReplyError::LineTooLong);
        }
        if self.line.is_empty() {
            return self.take_line(end);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(end);
        let last = self.take_line(&line)?;
        if line.capacity() <= KEPT {
            line.clear();
            self.line = line;
        }
        Ok(last)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<bool, ReplyError> {
        self.lines += 1;
        self.octets += line.len();
        if self.lines > LINES || self.octets > REPLY {
            return Err(ReplyError::ReplyTooLong);
        }
        let line = line.strip_suffix(b"\r\n").ok_or(ReplyError::BareLf)?;
        if let Some(at) = memchr2(b'\r', 0, line) {
            return Err(if line[at] == 0 { ReplyError::Nul } else { ReplyError::BareCr });
        }
        let (code, last, text) = split(line)?;
        if self.code.is_some_and(|first| first != code) {
            return Err(ReplyError::MixedCodes);
        }
        self.add_text(code, &String::from_utf8_lossy(text));
        self.code = Some(code);
        Ok(last)
    }

    /// Adds a line's text without the enhanced code, which stands on each line (RFC 2034 4).
    fn add_text(&mut self, code: u16, line: &str) {
        let (enhanced, rest) = split_enhanced(code, line);
        if self.code.is_some() {
            self.text.push('\n');
        }
        // Some servers have it on the first line only, or on the last.
        self.enhanced = self.enhanced.or(enhanced);
        self.text.push_str(if enhanced == self.enhanced { rest } else { line });
    }

    fn end_reply(&mut self) -> Reply {
        let reply = Reply::new(self.code.take().unwrap_or(0), self.enhanced.take(), std::mem::take(&mut self.text));
        (self.lines, self.octets) = (0, 0);
        reply
    }
}

/// A line's code, whether it is the last line, and its text.
fn split(line: &[u8]) -> Result<(u16, bool, &[u8]), ReplyError> {
    let Some((&[hundreds @ b'2'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9'], rest)) = line.split_first_chunk()
    else {
        return Err(ReplyError::BadCode);
    };
    let digit = |octet: u8| u16::from(octet - b'0');
    let code = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
    match rest.split_first() {
        // RFC 5321 4.2: a code alone is to be understood too.
        None => Ok((code, true, rest)),
        Some((b' ', text)) => Ok((code, true, text)),
        Some((b'-', text)) => Ok((code, false, text)),
        Some(_) => Err(ReplyError::BadSeparator),
    }
}

/// The enhanced code before a text, where its class is the reply's (RFC 2034 4).
fn split_enhanced(code: u16, line: &str) -> (Option<EnhancedCode>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word.parse::<EnhancedCode>() {
        Ok(enhanced) if u16::from(enhanced.class) == code / 100 => (Some(enhanced), rest),
        _ => (None, line),
    }
}

#[cfg(test)]
mod tests;
