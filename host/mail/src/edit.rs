//! Edits of a header block: what a policy may ask for, applied all at once.
//!
//! Not a place where anything is decided. An edit is well-formed by construction: a name is
//! RFC 5322 `ftext`, a body holds no line end but the folds made here, so that no edit can end the
//! header block or smuggle a field.

use std::fmt;

use crate::header::{Field, HeaderBlock};

/// The longest line that is written without a fold (RFC 5322 2.1.1).
const LINE: usize = 78;
/// The longest line that there may be, where no space allows a fold (RFC 5322 2.1.1).
const LINE_MOST: usize = 998;
/// The longest field name that is accepted, so that a name with its colon fits a line.
const NAME: usize = 76;
/// The longest body of a field that is accepted, in octets.
const BODY: usize = 32 * 1024;

/// Why an edit was refused when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditError {
    /// The name is empty, too long, or has an octet that RFC 5322 3.6.8 does not allow.
    Name,
    /// The body has a control octet (CR, LF and NUL among them) or is too long.
    Body,
    /// The body has a word that no line has room for.
    Word,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "header name: 1 to 76 printable US-ASCII octets without space and colon are allowed",
            Self::Body => "header body: at most 32768 octets are allowed, no CR, LF, NUL or other control octet",
            Self::Word => "header body: a line has at most 998 octets, and can only be folded at a space",
        })
    }
}

impl std::error::Error for EditError {}

/// Which of the fields with one name an edit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The one with this index among them, counted from 0 at the top.
    Nth(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Edit {
    Prepend { line: Vec<u8> },
    Append { line: Vec<u8> },
    Replace { name: String, which: Which, line: Vec<u8> },
    Remove { name: String, which: Which },
}

/// A list of edits, in the order in which they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    list: Vec<Edit>,
}

impl Edits {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a field before all others.
    ///
    /// # Errors
    /// A name or body that would not be one well-formed field.
    pub fn prepend(&mut self, name: &str, body: &str) -> Result<(), EditError> {
        self.list.push(Edit::Prepend { line: field_line(name, body)? });
        Ok(())
    }

    /// Adds a field behind all others.
    ///
    /// # Errors
    /// A name or body that would not be one well-formed field.
    pub fn append(&mut self, name: &str, body: &str) -> Result<(), EditError> {
        self.list.push(Edit::Append { line: field_line(name, body)? });
        Ok(())
    }

    /// Puts a field in the place of those meant; adds it behind all others where there is none.
    /// Of several that are meant the first is replaced and the others go.
    ///
    /// # Errors
    /// A name or body that would not be one well-formed field.
    pub fn replace(&mut self, name: &str, which: Which, body: &str) -> Result<(), EditError> {
        let line = field_line(name, body)?;
        self.list.push(Edit::Replace { name: name.to_owned(), which, line });
        Ok(())
    }

    /// Takes the fields meant out; none is fine too.
    ///
    /// # Errors
    /// A name that can be no field's.
    pub fn remove(&mut self, name: &str, which: Which) -> Result<(), EditError> {
        check_name(name)?;
        self.list.push(Edit::Remove { name: name.to_owned(), which });
        Ok(())
    }

    /// The header block after the edits: the octets that take the place of
    /// `content[..block.end()]`. Fields that no edit names are copied as they are.
    pub fn apply(&self, content: &[u8], block: &HeaderBlock) -> Vec<u8> {
        let mut slots: Vec<Slot<'_>> = block.fields().iter().map(|field| Slot::Kept(*field)).collect();
        let (mut above, mut below): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
        for edit in &self.list {
            match edit {
                Edit::Prepend { line } => above.push(line),
                Edit::Append { line } => below.push(line),
                Edit::Remove { name, which } => {
                    strike(&mut slots, content, name, *which, None);
                }
                Edit::Replace { name, which, line } => {
                    if !strike(&mut slots, content, name, *which, Some(line)) {
                        below.push(line);
                    }
                }
            }
        }
        let mut out = Vec::with_capacity(block.end() + 256);
        above.iter().rev().for_each(|line| out.extend_from_slice(line));
        for slot in &slots {
            match slot {
                Slot::Kept(field) => out.extend_from_slice(field.octets(content)),
                Slot::New { line, .. } => out.extend_from_slice(line),
                Slot::Gone => {}
            }
        }
        if !below.is_empty() && !out.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        below.iter().for_each(|line| out.extend_from_slice(line));
        out
    }
}

enum Slot<'a> {
    Kept(Field),
    New { name: &'a str, line: &'a [u8] },
    Gone,
}

impl Slot<'_> {
    fn is_named(&self, content: &[u8], wanted: &str) -> bool {
        match self {
            Self::Kept(field) => field.is_named(content, wanted),
            Self::New { name, .. } => name.eq_ignore_ascii_case(wanted),
            Self::Gone => false,
        }
    }
}

/// Strikes the fields meant and puts `line` in the place of the first; says whether there was one.
fn strike<'a>(slots: &mut [Slot<'a>], content: &[u8], name: &'a str, which: Which, line: Option<&'a [u8]>) -> bool {
    let mut struck = false;
    let meant = slots.iter_mut().filter(|slot| slot.is_named(content, name)).enumerate();
    for (index, slot) in meant {
        if which != Which::All && which != Which::Nth(index) {
            continue;
        }
        *slot = match line {
            Some(line) if !struck => Slot::New { name, line },
            _ => Slot::Gone,
        };
        struck = true;
    }
    struck
}

fn check_name(name: &str) -> Result<(), EditError> {
    let legal = |octet: u8| (33..=126).contains(&octet) && octet != b':';
    if name.is_empty() || name.len() > NAME || !name.bytes().all(legal) {
        return Err(EditError::Name);
    }
    Ok(())
}

/// A field with its line end, folded at spaces where it would be longer than a line should be.
fn field_line(name: &str, body: &str) -> Result<Vec<u8>, EditError> {
    check_name(name)?;
    let body = body.trim();
    if body.len() > BODY || body.bytes().any(|octet| octet == 0x7f || (octet < 0x20 && octet != b'\t')) {
        return Err(EditError::Body);
    }
    let mut line = format!("{name}:").into_bytes();
    let mut column = line.len();
    for word in body.split(' ') {
        // A line of white space alone would be taken for the end of the block by some readers.
        if column + 1 + word.len() > LINE && column > name.len() + 1 && !word.trim().is_empty() {
            line.extend_from_slice(b"\r\n");
            column = 0;
        }
        line.push(b' ');
        line.extend_from_slice(word.as_bytes());
        column += 1 + word.len();
        if column > LINE_MOST {
            return Err(EditError::Word);
        }
    }
    line.extend_from_slice(b"\r\n");
    Ok(line)
}

#[cfg(test)]
mod tests;
