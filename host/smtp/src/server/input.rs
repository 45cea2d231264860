//! Octets from the client that are not taken yet, and the lines among them.
//!
//! A line ends with CRLF and nothing else. An idle session holds next to no memory here.

use memchr::memchr2;

use crate::sasl::Secret;

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
    /// Octets behind `taken` that are known to hold neither CR nor LF.
    searched: usize,
    /// Whether a line that was too long has not ended yet.
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

    /// What is there of the next so many octets.
    pub(super) fn at_most(&self, count: u64) -> &[u8] {
        let rest = self.rest();
        &rest[..usize::try_from(count).unwrap_or(usize::MAX).min(rest.len())]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Takes a line that may hold a password: nothing of it stays in memory.
    pub(super) fn take_secret(&mut self, count: usize) -> Secret {
        let line = &mut self.octets[self.taken..self.taken + count];
        let secret = Secret::new(&*line);
        line.fill(0);
        self.take(count);
        secret
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
    ///
    /// What is said never depends on how the octets were cut: a line is too long as soon as none of
    /// its first `limit + 1` octets is CR or LF, whatever follows.
    pub(super) fn line(&mut self, limit: impl Fn(&[u8]) -> usize) -> Line {
        if self.skipping {
            match self.next_end(usize::MAX) {
                End::Beyond => return Line::Partial,
                End::Nowhere => {
                    self.take(self.searched);
                    return Line::Partial;
                }
                End::Bare => return Line::BareNewline,
                End::At(length) => {
                    self.take(length + 2);
                    self.skipping = false;
                }
            }
        }
        let limit = limit(self.rest());
        match self.next_end(limit) {
            End::Bare => Line::BareNewline,
            End::At(length) if length + 2 <= limit => Line::Whole(length),
            End::At(length) => {
                self.take(length + 2);
                Line::TooLong
            }
            End::Beyond => {
                self.skipping = true;
                self.take(self.searched);
                Line::TooLong
            }
            End::Nowhere => Line::Partial,
        }
    }

    /// The first line end; not looked for behind `limit + 1` octets.
    fn next_end(&mut self, limit: usize) -> End {
        let rest = &self.octets[self.taken..];
        let horizon = rest.len().min(limit.saturating_add(1));
        let from = self.searched.min(horizon);
        let Some(at) = memchr2(b'\r', b'\n', &rest[from..horizon]).map(|at| at + from) else {
            self.searched = horizon;
            return if horizon > limit { End::Beyond } else { End::Nowhere };
        };
        self.searched = at;
        match (rest[at], rest.get(at + 1)) {
            (b'\r', Some(b'\n')) => End::At(at),
            // What follows decides.
            (b'\r', None) => End::Nowhere,
            _ => End::Bare,
        }
    }
}

/// Where a line ends.
enum End {
    /// Behind so many octets.
    At(usize),
    /// A CR or LF that stands alone comes first.
    Bare,
    /// Further away than was looked.
    Beyond,
    /// Behind octets that have not come yet.
    Nowhere,
}
