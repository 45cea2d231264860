//! Message content on the wire: dot transparency (RFC 5321 4.5.2) and line ends, both ways.
//!
//! The decoder is a machine over positions in a line, never a search for a pattern: only CRLF . CRLF
//! ends the content, wherever the octets were cut. The invariant: every cut of the same octets gives
//! the same content, the same end and the same fault.

use memchr::memchr2;

/// Octets that make a content unacceptable (RFC 5321 2.3.8: CR and LF appear only together).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Newline {
    /// A CR that no LF follows.
    BareCr,
    /// An LF that no CR precedes.
    BareLf,
}

/// How far the decoder got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All octets were taken; more are needed.
    More,
    /// The final dot was taken; what follows belongs to the next command.
    End,
    /// A bare CR or LF was met; said once. Decoding goes on to the true end, but appends nothing.
    Spoiled(Newline),
}

/// Where in a line the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At the beginning of a line.
    LineStart,
    /// Within a line.
    Middle,
    /// Behind a CR.
    Cr,
    /// Behind a dot that began a line.
    Dot,
    /// Behind a CR that followed such a dot.
    DotCr,
}

/// What one octet does.
enum Step {
    /// It is taken; the next one stands there.
    Take(Position),
    /// It begins a run of content without line ends.
    Run,
    /// It spoils the content, and is taken or looked at again.
    Spoil(Newline, Position, usize),
    /// It ends the content.
    End,
}

/// Takes the dots and the end out of what DATA sends.
#[derive(Debug, Clone)]
pub struct DataDecoder {
    position: Position,
    spoiled: bool,
}

impl Default for DataDecoder {
    fn default() -> Self {
        Self { position: Position::LineStart, spoiled: false }
    }
}

impl DataDecoder {
    /// Takes octets from `input` and appends the content among them; says how many it took.
    pub fn decode(&mut self, input: &[u8], content: &mut Vec<u8>) -> (usize, Progress) {
        let mut at = 0;
        while at < input.len() {
            match self.step(input[at]) {
                Step::Run => at += self.run(&input[at..], content),
                Step::Take(position) => {
                    if self.position == Position::Cr && position == Position::LineStart && !self.spoiled {
                        content.extend_from_slice(b"\r\n");
                    }
                    self.position = position;
                    at += 1;
                }
                Step::Spoil(newline, position, taken) => {
                    self.position = position;
                    at += taken;
                    if !std::mem::replace(&mut self.spoiled, true) {
                        return (at, Progress::Spoiled(newline));
                    }
                }
                Step::End => {
                    self.position = Position::LineStart;
                    return (at + 1, Progress::End);
                }
            }
        }
        (at, Progress::More)
    }

    fn step(&self, octet: u8) -> Step {
        match (self.position, octet) {
            (Position::LineStart, b'.') => Step::Take(Position::Dot),
            (Position::Dot, b'\r') => Step::Take(Position::DotCr),
            (Position::DotCr, b'\n') => Step::End,
            (Position::Cr, b'\n') => Step::Take(Position::LineStart),
            (Position::Cr | Position::DotCr, _) => Step::Spoil(Newline::BareCr, Position::Middle, 0),
            (Position::LineStart | Position::Middle, b'\r') => Step::Take(Position::Cr),
            (Position::LineStart | Position::Middle | Position::Dot, b'\n') => {
                Step::Spoil(Newline::BareLf, Position::Middle, 1)
            }
            // A dot behind a stuffed one is content, as is anything else.
            (Position::LineStart | Position::Middle | Position::Dot, _) => Step::Run,
        }
    }

    /// Appends all up to the next CR or LF.
    fn run(&mut self, input: &[u8], content: &mut Vec<u8>) -> usize {
        let run = memchr2(b'\r', b'\n', input).unwrap_or(input.len());
        if !self.spoiled {
            content.extend_from_slice(&input[..run]);
        }
        self.position = Position::Middle;
        run
    }
}

/// Looks for bare CR and LF in content that comes in chunks (BDAT).
#[derive(Debug, Clone, Default)]
pub struct NewlineCheck {
    behind_cr: bool,
}

impl NewlineCheck {
    /// The first bare CR or LF, seen over the edges of chunks.
    pub fn check(&mut self, chunk: &[u8]) -> Option<Newline> {
        let mut rest = chunk;
        if self.behind_cr && !rest.is_empty() {
            rest = match rest.strip_prefix(b"\n") {
                Some(rest) => rest,
                None => return Some(Newline::BareCr),
            };
            self.behind_cr = false;
        }
        while let Some(at) = memchr2(b'\r', b'\n', rest) {
            match (rest[at], rest.get(at + 1)) {
                (b'\r', Some(b'\n')) => rest = &rest[at + 2..],
                (b'\r', None) => {
                    self.behind_cr = true;
                    return None;
                }
                (b'\r', Some(_)) => return Some(Newline::BareCr),
                _ => return Some(Newline::BareLf),
            }
        }
        None
    }

    /// Whether the content ended behind a CR: the last chance to find it bare.
    pub fn at_end(&self) -> Option<Newline> {
        self.behind_cr.then_some(Newline::BareCr)
    }
}

/// Puts dots before dots, so that no content can end DATA (the sending side).
#[derive(Debug, Clone)]
pub struct Stuffer {
    position: Position,
}

impl Default for Stuffer {
    fn default() -> Self {
        Self { position: Position::LineStart }
    }
}

impl Stuffer {
    /// Appends `content`, stuffed, to `out`. Content that holds bare CR or LF must not get here.
    pub fn stuff(&mut self, content: &[u8], out: &mut Vec<u8>) {
        out.reserve(content.len());
        let mut rest = content;
        while !rest.is_empty() {
            if self.position == Position::LineStart && rest[0] == b'.' {
                out.push(b'.');
            }
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1);
            out.extend_from_slice(&rest[..line]);
            self.position = match rest[line - 1] {
                b'\n' => Position::LineStart,
                b'\r' => Position::Cr,
                _ => Position::Middle,
            };
            rest = &rest[line..];
        }
    }

    /// Appends the end: a CRLF where the content did not end in one, then the final dot.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.position {
            Position::LineStart => {}
            Position::Cr => out.push(b'\n'),
            Position::Middle | Position::Dot | Position::DotCr => out.extend_from_slice(b"\r\n"),
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests;
