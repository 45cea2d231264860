//! Verdicts that the relay can follow: what is said to the client is made fit for a reply's line here.

use crate::{Reply, Verdict};

/// The contract's limit for a reply's text.
const LONGEST_TEXT: usize = 400;

impl Verdict {
    /// Refuses for good, with 550: `Verdict::reject("5.7.1", "not from here")`. Characters that a reply cannot
    /// carry become `?`.
    ///
    /// # Panics
    /// Where the enhanced status code is none of class 5.
    pub fn reject(enhanced: &str, text: impl Into<String>) -> Self {
        Verdict::Reject(reply(550, enhanced, text.into()))
    }

    /// Refuses for now, with 451: `Verdict::defer("4.7.1", "too many; try again later")`. The client keeps the
    /// message and tries again.
    ///
    /// # Panics
    /// Where the enhanced status code is none of class 4.
    pub fn defer(enhanced: &str, text: impl Into<String>) -> Self {
        Verdict::Defer(reply(451, enhanced, text.into()))
    }

    /// The same with another reply code, such as 452 or 553.
    #[must_use]
    pub fn with_code(mut self, code: u16) -> Self {
        if let Verdict::Reject(reply) | Verdict::Defer(reply) = &mut self {
            reply.code = code;
        }
        self
    }
}

fn reply(code: u16, enhanced: &str, text: String) -> Reply {
    let parts = parts(enhanced).filter(|(class, ..)| u16::from(*class) == code / 100);
    let Some(enhanced) = parts else {
        panic!("{enhanced:?} is no enhanced status code for a {code}: give one like \"{}.7.1\"", code / 100);
    };
    let printable = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    Reply { code, enhanced, text: text.chars().take(LONGEST_TEXT).map(printable).collect() }
}

fn parts(enhanced: &str) -> Option<(u8, u16, u16)> {
    let mut parts = enhanced.splitn(3, '.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests;
