//! Paths and mailboxes (RFC 5321 4.1.2, RFC 6531 3.3).
//!
//! A text becomes a path once, at the edge, and is never a text again. The invariant: a path holds
//! no octet that could end a line or an address, so that it can be written as it is.

use std::fmt;
use std::str::FromStr;

/// RFC 5321 4.5.3.1.1.
const LOCAL: usize = 64;
/// RFC 5321 4.5.3.1.2.
const DOMAIN: usize = 255;
/// RFC 5321 4.5.3.1.3, without the angle brackets.
const PATH: usize = 254;

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// It does not follow the grammar.
    Syntax,
    /// Local part, domain or path are longer than allowed.
    TooLong,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not a mailbox; `local@domain` is expected",
            Self::TooLong => "address too long",
        })
    }
}

impl std::error::Error for PathError {}

/// A mailbox, `local@domain`, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    text: Box<str>,
    at: u16,
}

impl Mailbox {
    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The local part, with its quotes where it has some.
    pub fn local(&self) -> &str {
        &self.text[..usize::from(self.at)]
    }

    /// The domain or address literal.
    pub fn domain(&self) -> &str {
        &self.text[usize::from(self.at) + 1..]
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// Whether both are the same address, in any case.
    pub fn eq_ignore_ascii_case(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Mailbox {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let local = if text.starts_with('"') { quoted_length(text) } else { dot_string_length(text) };
        let at = local.filter(|at| text.as_bytes().get(*at) == Some(&b'@')).ok_or(PathError::Syntax)?;
        let domain = &text[at + 1..];
        if !is_domain(domain) {
            return Err(PathError::Syntax);
        }
        if at > LOCAL || domain.len() > DOMAIN || text.len() > PATH {
            return Err(PathError::TooLong);
        }
        Ok(Self { text: text.into(), at: u16::try_from(at).map_err(|_| PathError::TooLong)? })
    }
}

/// Where notifications of a message go: the argument of MAIL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: to nobody, since the message is a notification itself (RFC 5321 4.5.5).
    Null,
    /// To this mailbox.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Writes the path in its angle brackets.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let text = match self {
            Self::Null => "",
            Self::Mailbox(mailbox) => mailbox.as_str(),
        };
        write_path(text, out);
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Mailbox(mailbox) => mailbox.is_ascii(),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

/// Where a message goes: the argument of RCPT.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<postmaster>` without a domain (RFC 5321 4.1.1.3).
    Postmaster,
    /// This mailbox.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// Writes the path in its angle brackets.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write_path(self.as_str(), out);
    }

    /// The address, without brackets.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Postmaster => "postmaster",
            Self::Mailbox(mailbox) => mailbox.as_str(),
        }
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.as_str().is_ascii()
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn write_path(text: &str, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend_from_slice(text.as_bytes());
    out.push(b'>');
}

/// A reverse-path in its brackets, and what stands behind them.
pub(crate) fn reverse_path(text: &str) -> Result<(ReversePath, &str), PathError> {
    let (inner, rest) = bracketed(text)?;
    let path = if inner.is_empty() { ReversePath::Null } else { ReversePath::Mailbox(inner.parse()?) };
    Ok((path, rest))
}

/// A forward-path in its brackets, and what stands behind them.
pub(crate) fn forward_path(text: &str) -> Result<(ForwardPath, &str), PathError> {
    let (inner, rest) = bracketed(text)?;
    if inner.eq_ignore_ascii_case("postmaster") {
        return Ok((ForwardPath::Postmaster, rest));
    }
    Ok((ForwardPath::Mailbox(inner.parse()?), rest))
}

/// What stands between the brackets, without a source route (RFC 5321 appendix C: it is ignored).
fn bracketed(text: &str) -> Result<(&str, &str), PathError> {
    let inner = text.strip_prefix('<').ok_or(PathError::Syntax)?;
    let (route, inner) = match inner.strip_prefix('@') {
        Some(_) => inner.split_once(':').ok_or(PathError::Syntax)?,
        None => ("", inner),
    };
    let is_route = route.is_empty() || route.split(',').all(|hop| hop.strip_prefix('@').is_some_and(is_domain));
    let close = if inner.starts_with('"') { quoted_length(inner).ok_or(PathError::Syntax)? } else { 0 };
    let end = inner[close..].find('>').ok_or(PathError::Syntax)? + close;
    if !is_route || (!route.is_empty() && end == 0) {
        return Err(PathError::Syntax);
    }
    Ok((&inner[..end], &inner[end + 1..]))
}

/// Where a quoted local part ends, if it is one (RFC 5321 4.1.2, RFC 6531 3.3).
fn quoted_length(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some(at + 1),
            '\\' => {
                characters.next().filter(|(_, escaped)| (' '..='~').contains(escaped))?;
            }
            _ if character.is_control() => return None,
            _ => {}
        }
    }
    None
}

/// Where a local part of dot-separated atoms ends.
fn dot_string_length(text: &str) -> Option<usize> {
    let end = text.find('@')?;
    text[..end].split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext)).then_some(end)
}

/// RFC 5322 3.2.3, and what RFC 6531 adds.
fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || (!character.is_ascii() && !character.is_control() && !character.is_whitespace())
}

/// A domain name or an address literal. Underscores are in use and hurt nobody.
pub(crate) fn is_domain(text: &str) -> bool {
    if let Some(literal) = text.strip_prefix('[') {
        return literal.strip_suffix(']').is_some_and(is_address_literal);
    }
    text.split('.').all(|label| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (!c.is_ascii() && is_atext(c));
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(legal)
    })
}

/// RFC 5321 4.1.3.
fn is_address_literal(text: &str) -> bool {
    match text.split_at_checked(5) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPv6:") => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => text.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests;
