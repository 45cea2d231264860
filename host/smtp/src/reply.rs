//! Replies (RFC 5321 4.2) and enhanced status codes (RFC 3463), as values.
//!
//! Not a parser: what a server says is read in `reply_reader`. The invariant: whatever text goes
//! in, what is written is one well-formed reply; no text can end a line or forge another reply.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The longest line that is written, line end included (RFC 5321 4.5.3.1.5).
const LINE: usize = 512;
/// The same for a challenge, which is one base64 text and cannot be broken (RFC 4954 4).
const CHALLENGE: usize = 12_288;

/// An enhanced status code: class, subject, detail (RFC 3463 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// What the status is about, 0 to 999.
    pub subject: u16,
    /// What it says of that, 0 to 999.
    pub detail: u16,
}

impl EnhancedCode {
    /// The code `class.subject.detail`.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// A text that is no enhanced status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnEnhancedCode;

impl FromStr for EnhancedCode {
    type Err = NotAnEnhancedCode;

    fn from_str(text: &str) -> Result<Self, NotAnEnhancedCode> {
        let (class, rest) = text.split_once('.').ok_or(NotAnEnhancedCode)?;
        let (subject, detail) = rest.split_once('.').ok_or(NotAnEnhancedCode)?;
        let number = |digits: &str| {
            let legal = (1..=3).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
            if legal { digits.parse().map_err(|_| NotAnEnhancedCode) } else { Err(NotAnEnhancedCode) }
        };
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return Err(NotAnEnhancedCode),
        };
        Ok(Self { class, subject: number(subject)?, detail: number(detail)? })
    }
}

/// What the first digit of a code says (RFC 5321 4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// 2yz: done.
    Success,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: never.
    Permanent,
}

/// A reply: a code, perhaps an enhanced code, and text of one or more lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    text: Cow<'static, str>,
}

impl Reply {
    /// A reply. Lines of `text` are separated by `\n`; other control characters become `?`.
    /// Codes outside 200..=599 become 451, since the other side could not read them.
    pub fn new(code: u16, enhanced: impl Into<Option<EnhancedCode>>, text: impl Into<Cow<'static, str>>) -> Self {
        let code = if (200..600).contains(&code) { code } else { 451 };
        let text = text.into();
        let is_bad = |character: char| character.is_control() && character != '\n';
        let text = if text.contains(is_bad) { Cow::Owned(text.replace(is_bad, "?")) } else { text };
        Self { code, enhanced: enhanced.into(), text }
    }

    /// The three-digit code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code, if there is one.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text, without codes, its lines separated by `\n`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines of the text.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    /// What the first digit says.
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            2 => Severity::Success,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// Whether the server closes the connection behind it (RFC 5321 3.8).
    pub fn closes(&self) -> bool {
        self.code == 421
    }

    /// Writes the reply as it goes over the wire; lines that are too long are broken.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let prefix = Prefix::new(self.code, self.enhanced);
        let room = if self.code == 334 { CHALLENGE } else { LINE } - 2 - prefix.length();
        let mut lines = self.lines().flat_map(|line| Pieces { rest: line, room, first: true }).peekable();
        while let Some(line) = lines.next() {
            prefix.write_to(out, if lines.peek().is_some() { b'-' } else { b' ' });
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for (index, line) in self.lines().enumerate() {
            write!(f, "{}{line}", if index == 0 { " " } else { " / " })?;
        }
        Ok(())
    }
}

/// What stands before the text on each line.
struct Prefix {
    code: u16,
    enhanced: Option<EnhancedCode>,
}

impl Prefix {
    fn new(code: u16, enhanced: Option<EnhancedCode>) -> Self {
        Self { code, enhanced }
    }

    fn length(&self) -> usize {
        4 + self.enhanced.map_or(0, |enhanced| digits(enhanced.subject) + digits(enhanced.detail) + 4)
    }

    fn write_to(&self, out: &mut Vec<u8>, separator: u8) {
        push_number(out, self.code);
        out.push(separator);
        if let Some(enhanced) = self.enhanced {
            push_number(out, u16::from(enhanced.class));
            out.push(b'.');
            push_number(out, enhanced.subject);
            out.push(b'.');
            push_number(out, enhanced.detail);
            out.push(b' ');
        }
    }
}

fn digits(number: u16) -> usize {
    match number {
        0..=9 => 1,
        10..=99 => 2,
        100..=999 => 3,
        1000..=9999 => 4,
        _ => 5,
    }
}

fn push_number(out: &mut Vec<u8>, number: u16) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
}

/// A line in pieces that fit, cut between characters; an empty line is one empty piece.
struct Pieces<'a> {
    rest: &'a str,
    room: usize,
    first: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() && !self.first {
            return None;
        }
        self.first = false;
        let (piece, rest) = self.rest.split_at(self.rest.floor_char_boundary(self.room));
        self.rest = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests;
