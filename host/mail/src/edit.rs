//! Edits of a header block: what a policy may ask for, applied all at once.
//!
//! Not a place where anything is decided. An edit is well-formed by construction: a name is
//! RFC 5322 `ftext`, a body holds no line end but the folds made here, so that no edit can end the
//! header block or smuggle a field.

use std::collections::BTreeMap;
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
    Prepend {
        line: Vec<u8>,
    },
    Append {
        line: Vec<u8>,
    },
    /// The names of these two are in lower case.
    Replace {
        name: String,
        which: Which,
        line: Vec<u8>,
    },
    Remove {
        name: String,
        which: Which,
    },
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
        self.list.push(Edit::Replace { name: name.to_ascii_lowercase(), which, line });
        Ok(())
    }

    /// Takes the fields meant out; none is fine too.
    ///
    /// # Errors
    /// A name that can be no field's.
    pub fn remove(&mut self, name: &str, which: Which) -> Result<(), EditError> {
        check_name(name)?;
        self.list.push(Edit::Remove { name: name.to_ascii_lowercase(), which });
        Ok(())
    }

    /// The header block after the edits: the octets that take the place of
    /// `content[..block.end()]`. Fields that no edit names are copied as they are.
    ///
    /// The fields are looked at once, however many edits there are.
    pub fn apply(&self, content: &[u8], block: &HeaderBlock) -> Vec<u8> {
        let mut slots: Vec<Slot<'_>> = block.fields().iter().map(|field| Slot::Kept(*field)).collect();
        let mut named = self.named(content, block);
        let (mut above, mut below): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
        for edit in &self.list {
            match edit {
                Edit::Prepend { line } => above.push(line),
                Edit::Append { line } => below.push(line),
                Edit::Remove { name, which } => {
                    strike(&mut slots, named.get_mut(name.as_str()), *which, None);
                }
                Edit::Replace { name, which, line } => {
                    if !strike(&mut slots, named.get_mut(name.as_str()), *which, Some(line)) {
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
                Slot::New(line) => out.extend_from_slice(line),
                Slot::Gone => {}
            }
        }
        if !below.is_empty() && !out.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        below.iter().for_each(|line| out.extend_from_slice(line));
        out
    }

    /// For each name that an edit strikes at: where its fields are.
    fn named(&self, content: &[u8], block: &HeaderBlock) -> BTreeMap<&str, Places> {
        let struck = self.list.iter().filter_map(|edit| match edit {
            Edit::Replace { name, .. } | Edit::Remove { name, .. } => Some((name.as_str(), Places::new())),
            Edit::Prepend { .. } | Edit::Append { .. } => None,
        });
        let mut named: BTreeMap<&str, Places> = struck.collect();
        if named.is_empty() {
            return named;
        }
        let mut lower = [0; NAME];
        for (place, field) in block.fields().iter().enumerate() {
            let name = field.name(content);
            // No edit has a longer name, or one that is not US-ASCII.
            let Some(lower) = lower.get_mut(..name.len()) else { continue };
            lower.copy_from_slice(name);
            lower.make_ascii_lowercase();
            if let Some(places) = str::from_utf8(lower).ok().and_then(|name| named.get_mut(name)) {
                places.push(place);
            }
        }
        named
    }
}

/// What has become of a field.
enum Slot<'a> {
    Kept(Field),
    New(&'a [u8]),
    Gone,
}

/// Where the fields of one name are among the slots, from the top, without those that are gone. A field that is
/// replaced keeps its name and its place.
type Places = Vec<usize>;

/// Strikes the fields meant and puts `line` in the place of the first; says whether there was one.
fn strike<'a>(slots: &mut [Slot<'a>], places: Option<&mut Places>, which: Which, line: Option<&'a [u8]>) -> bool {
    let Some(places) = places else { return false };
    let meant = match which {
        Which::All => 0..places.len(),
        Which::Nth(index) if index < places.len() => index..index + 1,
        Which::Nth(_) => return false,
    };
    let kept = usize::from(line.is_some() && !meant.is_empty());
    if let (Some(line), Some(first)) = (line, places[meant.clone()].first()) {
        slots[*first] = Slot::New(line);
    }
    let struck = !meant.is_empty();
    for gone in places.drain(meant.start + kept..meant.end) {
        slots[gone] = Slot::Gone;
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
