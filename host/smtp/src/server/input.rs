//! Octets from the client that are not taken yet, and the lines among them.
//!
//! A line ends with CRLF and nothing else. An idle session holds next to no memory here.

use memchr::{memchr, memchr2};

/// A buffer of at most this size is kept while it is empty.
const KEPT: usize = 512;

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It has not ended yet.
    Partial,
    /// It is longer than allowed; said once, the rest of it is skipped.
    TooLong,
    /// It holds a CR or LF that stands alone.
    BareNewline,
    /// It is there: so many octets, without the line end.
    Whole(usize),
}

#[derive(Debug, Default)]
pub(super) struct Input {
    octets: Vec<u8>,
    taken: usize,
    /// Octets behind `taken` that are known to hold no line end.
    searched: usize,
    skipping: bool,
}

impl Input {
    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.taken > 0 {
            self.octets.drain(..self.taken);
            self.taken = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.octets[self.taken..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn take(&mut self, count: usize) {
        self.taken += count;
        self.searched = 0;
        if self.taken == self.octets.len() {
            self.taken = 0;
            self.octets.clear();
            if self.octets.capacity() > KEPT {
                self.octets = Vec::new();
            }
        }
    }

    /// Looks for the next line; `limit` gives the longest that is allowed, with its end, for what
    /// it begins with. A whole line stays until it is taken, its end with it.
    pub(super) fn line(&mut self, limit: impl Fn(&[u8]) -> usize) -> Line {
        let Some(lf) = memchr(b'\n', &self.rest()[self.searched..]).map(|at| at + self.searched) else {
            return self.partial(limit);
        };
        if std::mem::take(&mut self.skipping) {
            self.take(lf + 1);
            return self.line(limit);
        }
        let rest = self.rest();
        match rest[..lf].strip_suffix(b"\r") {
            Some(line) if memchr(b'\r', line).is_some() => Line::BareNewline,
            Some(_) if lf + 1 > limit(rest) => {
                self.take(lf + 1);
                Line::TooLong
            }
            Some(line) => Line::Whole(line.len()),
            None => Line::BareNewline,
        }
    }

    fn partial(&mut self, limit: impl Fn(&[u8]) -> usize) -> Line {
        let rest = self.rest();
        // A CR that something other than LF follows stands alone, whatever comes later.
        let alone = memchr2(b'\r', b'\n', rest).is_some_and(|at| at + 1 < rest.len());
        if alone && !self.skipping {
            return Line::BareNewline;
        }
        if rest.len() > limit(rest) || self.skipping {
            let count = rest.len();
            self.take(count);
            return if std::mem::replace(&mut self.skipping, true) { Line::Partial } else { Line::TooLong };
        }
        self.searched = rest.len();
        Line::Partial
    }
}
