//! The lines that a policy logs in one call: few, short and printable.

use crate::limits;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a mistake.
    Debug,
    /// What happened.
    Info,
    /// What should not happen.
    Warn,
    /// What went wrong.
    Error,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// What it says, without control characters.
    pub text: String,
}

/// The lines of a call.
#[derive(Debug, Default)]
pub struct Lines {
    lines: Vec<Line>,
    bytes: usize,
    /// How many did not fit.
    pub dropped: u32,
}

impl Lines {
    /// Keeps a line, or counts it as dropped.
    pub fn write(&mut self, level: Level, text: &str) {
        if self.lines.len() >= limits::LOG_LINES || self.bytes + text.len() > limits::LOG_BYTES {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.bytes += text.len();
        self.lines.push(Line { level, text: printable(text) });
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }
}

/// A text whose control characters are escapes, so that no terminal obeys it and no line is forged.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            character if is_deceptive(character) => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}

/// Control characters, line separators, and what turns the direction of writing.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
