//! Address fields (RFC 5322 3.4, with the UTF-8 of RFC 6532): whom a To, Cc or Bcc names.
//!
//! What does not follow the grammar is an error and never a guess: whoever takes recipients from here sends mail to
//! them. Beyond the strict grammar are read only what can mean one thing: dots in a display name, and list elements
//! with nothing in them. Octets in, values out; time and memory grow with the field and not faster.

use std::fmt;

/// An address, `local@domain`, the local part without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: String,
}

/// Why a field names nobody who can be told: how far it was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The octet of the field's body at which the grammar ends.
    pub at: usize,
}

impl Address {
    /// One bare address, as an envelope has it.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut reader = Reader { text, at: 0 };
        let address = reader.bare()?;
        reader.skip()?;
        if reader.is_at_end() { Ok(address) } else { Err(reader.malformed()) }
    }

    /// What is equal for addresses that are the same mailbox, where local parts are read in any case as well.
    pub fn key(&self) -> String {
        self.to_string().to_lowercase()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no list of addresses (RFC 5322 3.4), from octet {} on", self.at)
    }
}

impl std::error::Error for Malformed {}

/// The addresses of a field's body, folds and all, in their order; those of groups among them.
///
/// # Errors
/// The body is no list of addresses.
pub fn addresses(body: &[u8]) -> Result<Vec<Address>, Malformed> {
    let text = str::from_utf8(body).map_err(|error| Malformed { at: error.valid_up_to() })?;
    let (mut reader, mut found) = (Reader { text, at: 0 }, Vec::new());
    reader.list(&mut found, Level::Field)?;
    if reader.is_at_end() { Ok(found) } else { Err(reader.malformed()) }
}

/// Where a list stands: groups hold no groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Field,
    Group,
}

/// A word of a display name or of a local part.
enum Word {
    /// Atoms and dots without space between them.
    Plain(String),
    Quoted(String),
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn list(&mut self, found: &mut Vec<Address>, level: Level) -> Result<(), Malformed> {
        loop {
            self.skip()?;
            match self.peek() {
                None => return Ok(()),
                Some(';') if level == Level::Group => return Ok(()),
                Some(',') => self.at += 1,
                Some(_) => {
                    self.element(found, level)?;
                    self.skip()?;
                    match self.peek() {
                        None | Some(',') => {}
                        Some(';') if level == Level::Group => {}
                        Some(_) => return Err(self.malformed()),
                    }
                }
            }
        }
    }

    /// A mailbox or a group.
    fn element(&mut self, found: &mut Vec<Address>, level: Level) -> Result<(), Malformed> {
        let (mut words, mut first) = (0, None);
        loop {
            self.skip()?;
            match self.peek() {
                Some('<') => {
                    self.at += 1;
                    found.push(self.bare()?);
                    self.skip()?;
                    return self.expect('>');
                }
                Some('@') if words == 1 => {
                    let local = first.take().ok_or_else(|| self.malformed())?;
                    found.push(self.domain_of(local)?);
                    return Ok(());
                }
                Some(':') if words > 0 && level == Level::Field => {
                    self.at += 1;
                    self.list(found, Level::Group)?;
                    return self.expect(';');
                }
                _ => {
                    let word = self.word()?;
                    words += 1;
                    first = (words == 1).then_some(word);
                }
            }
        }
    }

    /// An address without angle brackets.
    fn bare(&mut self) -> Result<Address, Malformed> {
        self.skip()?;
        let local = self.word()?;
        self.skip()?;
        self.domain_of(local)
    }

    /// From the `@` on.
    fn domain_of(&mut self, local: Word) -> Result<Address, Malformed> {
        let local = match local {
            Word::Quoted(text) => text,
            Word::Plain(text) if is_dot_atom(&text) => text,
            Word::Plain(_) => return Err(self.malformed()),
        };
        self.expect('@')?;
        self.skip()?;
        let domain = match self.peek() {
            Some('[') => self.literal()?,
            _ => match self.word()? {
                Word::Plain(text) if is_dot_atom(&text) => text,
                Word::Plain(_) | Word::Quoted(_) => return Err(self.malformed()),
            },
        };
        Ok(Address { local, domain })
    }

    fn word(&mut self) -> Result<Word, Malformed> {
        if self.peek() == Some('"') {
            return self.quoted().map(Word::Quoted);
        }
        let rest = &self.text[self.at..];
        let length = rest.find(|character| !is_atext(character) && character != '.').unwrap_or(rest.len());
        if length == 0 {
            return Err(self.malformed());
        }
        self.at += length;
        Ok(Word::Plain(rest[..length].to_owned()))
    }

    /// What stands between double quotes, without its backslashes and folds.
    fn quoted(&mut self) -> Result<String, Malformed> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.next().ok_or_else(|| self.malformed())? {
                '"' => return Ok(text),
                '\\' => text.push(self.pair()?),
                '\r' | '\n' => {}
                character if is_text(character) => text.push(character),
                _ => return Err(self.malformed()),
            }
        }
    }

    /// A domain literal, brackets and all (RFC 5322 3.4.1).
    fn literal(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        self.expect('[')?;
        loop {
            match self.next().ok_or_else(|| self.malformed())? {
                ']' => return Ok(self.text[start..self.at].to_owned()),
                '!'..='Z' | '^'..='~' => {}
                _ => return Err(self.malformed()),
            }
        }
    }

    /// White space, folds and comments, which hold comments.
    fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\r' | '\n' => {}
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                _ if depth == 0 => return Ok(()),
                '\\' => {
                    self.at += 1;
                    self.pair()?;
                    continue;
                }
                character if is_text(character) => {}
                _ => return Err(self.malformed()),
            }
            self.at += character.len_utf8();
        }
        if depth == 0 { Ok(()) } else { Err(self.malformed()) }
    }

    /// What a backslash stands before.
    fn pair(&mut self) -> Result<char, Malformed> {
        self.next().filter(|character| is_text(*character)).ok_or_else(|| self.malformed())
    }

    fn expect(&mut self, wanted: char) -> Result<(), Malformed> {
        match self.next() {
            Some(character) if character == wanted => Ok(()),
            _ => Err(self.malformed()),
        }
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    fn malformed(&self) -> Malformed {
        Malformed { at: self.at }
    }
}

/// RFC 5322 3.2.3, RFC 6532 3.2.
fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character) || is_beyond_ascii(character)
}

/// What may stand in quotes and comments, or behind a backslash.
fn is_text(character: char) -> bool {
    matches!(character, '\t' | ' '..='~') || is_beyond_ascii(character)
}

/// The controls of Latin-1 are not for addresses either.
fn is_beyond_ascii(character: char) -> bool {
    !character.is_ascii() && !character.is_control()
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty())
}

#[cfg(test)]
mod tests;
