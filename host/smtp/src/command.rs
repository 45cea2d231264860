//! Commands (RFC 5321 4.1.1) and their parameters, from one line each.
//!
//! Whether a command is legal now is the session's question; here only its form is looked at.

use std::net::IpAddr;

use crate::path::{self, ForwardPath, PathError, ReversePath};
use crate::reply::{EnhancedCode, Reply};

mod xclient;

/// What MAIL says of the content (RFC 6152).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Body {
    /// Octets below 128 only.
    #[default]
    SevenBit,
    /// Any octets.
    EightBitMime,
}

/// MAIL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFrom {
    /// Where notifications go.
    pub path: ReversePath,
    /// The size that the client declares, in octets (RFC 1870).
    pub size: Option<u64>,
    /// BODY=.
    pub body: Body,
    /// Whether the message needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
}

/// RCPT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptTo {
    /// Where the message goes.
    pub path: ForwardPath,
}

/// What a named network says of the client it speaks for (Postfix' XCLIENT).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct XClient {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// Its port.
    pub port: Option<u16>,
    /// Its host name.
    pub name: Option<String>,
    /// Its HELO name.
    pub helo: Option<String>,
    /// SMTP or ESMTP.
    pub protocol: Option<String>,
    /// Its login.
    pub login: Option<String>,
}

/// A command of the right form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// HELO with the client's name.
    Helo(&'a str),
    /// EHLO with the client's name.
    Ehlo(&'a str),
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth {
        /// The mechanism's name.
        mechanism: &'a str,
        /// The initial response, in base64; `=` is an empty one (RFC 4954 4).
        initial_response: Option<&'a str>,
    },
    /// MAIL.
    Mail(MailFrom),
    /// RCPT.
    Rcpt(RcptTo),
    /// DATA.
    Data,
    /// BDAT (RFC 3030).
    Bdat {
        /// The octets that follow.
        size: u64,
        /// Whether they are the last ones.
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// VRFY.
    Vrfy,
    /// EXPN.
    Expn,
    /// HELP.
    Help,
    /// QUIT.
    Quit,
    /// XCLIENT.
    XClient(XClient),
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandError {
    /// No such command.
    Unknown,
    /// The arguments are not of its form.
    Arguments,
    /// A parameter of MAIL or RCPT that was not offered.
    Parameter,
    /// The address is none.
    Address,
    /// The address is longer than an address can be.
    AddressTooLong,
    /// The size of a chunk is no number.
    ChunkSize,
}

impl CommandError {
    /// What the client hears.
    pub fn reply(self) -> Reply {
        match self {
            Self::Unknown => Reply::new(500, EnhancedCode::new(5, 5, 1), "command not recognized"),
            Self::Arguments => Reply::new(501, EnhancedCode::new(5, 5, 4), "syntax error in the arguments"),
            Self::Parameter => Reply::new(555, EnhancedCode::new(5, 5, 4), "unknown parameter"),
            Self::Address => Reply::new(501, EnhancedCode::new(5, 1, 3), "syntax error in the address"),
            Self::AddressTooLong => Reply::new(501, EnhancedCode::new(5, 1, 3), "address too long"),
            Self::ChunkSize => Reply::new(501, EnhancedCode::new(5, 5, 4), "chunk size expected"),
        }
    }
}

impl From<PathError> for CommandError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Syntax => Self::Address,
            PathError::TooLong => Self::AddressTooLong,
        }
    }
}

impl<'a> Command<'a> {
    /// Reads a line, without its line end.
    ///
    /// # Errors
    /// The line is not a command of the right form.
    pub fn parse(line: &'a [u8]) -> Result<Self, CommandError> {
        let line = std::str::from_utf8(line).map_err(|_| CommandError::Arguments)?;
        if line.contains(|character: char| character.is_ascii_control() && character != '\t') {
            return Err(CommandError::Arguments);
        }
        let line = line.trim_ascii_end();
        let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let rest = rest.trim_ascii_start();
        let verb = Verb::named(verb).ok_or(CommandError::Unknown)?;
        verb.command(rest)
    }
}

/// The verbs; what stands behind each is read by itself.
#[derive(Debug, Clone, Copy)]
enum Verb {
    Helo,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    Quit,
    XClient,
}

impl Verb {
    fn named(name: &str) -> Option<Self> {
        const VERBS: [(&str, Verb); 15] = [
            ("MAIL", Verb::Mail),
            ("RCPT", Verb::Rcpt),
            ("DATA", Verb::Data),
            ("BDAT", Verb::Bdat),
            ("RSET", Verb::Rset),
            ("EHLO", Verb::Ehlo),
            ("HELO", Verb::Helo),
            ("AUTH", Verb::Auth),
            ("QUIT", Verb::Quit),
            ("NOOP", Verb::Noop),
            ("STARTTLS", Verb::StartTls),
            ("VRFY", Verb::Vrfy),
            ("EXPN", Verb::Expn),
            ("HELP", Verb::Help),
            ("XCLIENT", Verb::XClient),
        ];
        VERBS.iter().find(|(verb, _)| verb.eq_ignore_ascii_case(name)).map(|(_, verb)| *verb)
    }

    fn command(self, rest: &str) -> Result<Command<'_>, CommandError> {
        match self {
            Self::Helo => Ok(Command::Helo(client_name(rest)?)),
            Self::Ehlo => Ok(Command::Ehlo(client_name(rest)?)),
            Self::StartTls => alone(rest, Command::StartTls),
            Self::Auth => auth(rest),
            Self::Mail => mail(rest),
            Self::Rcpt => rcpt(rest),
            Self::Data => alone(rest, Command::Data),
            Self::Bdat => bdat(rest),
            Self::Rset => alone(rest, Command::Rset),
            Self::Noop => Ok(Command::Noop),
            Self::Vrfy => Ok(Command::Vrfy),
            Self::Expn => Ok(Command::Expn),
            Self::Help => Ok(Command::Help),
            Self::Quit => alone(rest, Command::Quit),
            Self::XClient => xclient::parse(rest).map(Command::XClient),
        }
    }
}

fn alone<'a>(rest: &str, command: Command<'a>) -> Result<Command<'a>, CommandError> {
    if rest.is_empty() { Ok(command) } else { Err(CommandError::Arguments) }
}

/// What a client calls itself. Not checked to be a domain: devices say what they like, and nothing
/// depends on it. White space and controls inside are what no name has.
fn client_name(rest: &str) -> Result<&str, CommandError> {
    let strange = |character: char| character.is_whitespace() || character.is_control();
    let legal = !rest.is_empty() && rest.len() <= 255 && !rest.contains(strange);
    if legal { Ok(rest) } else { Err(CommandError::Arguments) }
}

fn auth(rest: &str) -> Result<Command<'_>, CommandError> {
    let mut words = rest.split_ascii_whitespace();
    let mechanism = words.next().filter(|name| is_mechanism(name)).ok_or(CommandError::Arguments)?;
    let initial_response = words.next();
    match words.next() {
        None => Ok(Command::Auth { mechanism, initial_response }),
        Some(_) => Err(CommandError::Arguments),
    }
}

/// RFC 4422 3.1.
fn is_mechanism(name: &str) -> bool {
    name.len() <= 20 && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

/// What stands behind `FROM:` or `TO:`; the space before the path is what devices send.
fn addressed<'a>(rest: &'a str, keyword: &str) -> Result<&'a str, CommandError> {
    let (word, path) = rest.split_at_checked(keyword.len()).ok_or(CommandError::Arguments)?;
    if word.eq_ignore_ascii_case(keyword) { Ok(path.trim_ascii_start()) } else { Err(CommandError::Arguments) }
}

fn mail(rest: &str) -> Result<Command<'_>, CommandError> {
    let (path, parameters) = path::reverse_path(addressed(rest, "FROM:")?)?;
    let mut mail = MailFrom { path, size: None, body: Body::SevenBit, smtputf8: false };
    let mut seen = [false; 4];
    for parameter in words(parameters)? {
        let (key, value) = parameter.split_once('=').map_or((parameter, None), |(key, value)| (key, Some(value)));
        let index = ["SIZE", "BODY", "SMTPUTF8", "AUTH"]
            .iter()
            .position(|known| known.eq_ignore_ascii_case(key))
            .ok_or(CommandError::Parameter)?;
        // RFC 5321 4.1.1.11: no parameter comes twice.
        if std::mem::replace(&mut seen[index], true) {
            return Err(CommandError::Arguments);
        }
        match (index, value) {
            (0, Some(value)) => mail.size = Some(number(value).ok_or(CommandError::Arguments)?),
            (1, Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => mail.body = Body::EightBitMime,
            (1, Some(value)) if value.eq_ignore_ascii_case("7BIT") => mail.body = Body::SevenBit,
            (2, None) => mail.smtputf8 = true,
            // RFC 4954 5: who submitted it first. Read, and not passed on: the account speaks for itself.
            (3, Some(value)) if is_xtext(value) => {}
            (1, Some(_)) => return Err(CommandError::Parameter),
            _ => return Err(CommandError::Arguments),
        }
    }
    Ok(Command::Mail(mail))
}

fn rcpt(rest: &str) -> Result<Command<'_>, CommandError> {
    let (path, parameters) = path::forward_path(addressed(rest, "TO:")?)?;
    // DSN's NOTIFY and ORCPT are not offered: a relay that queues nothing writes no notifications.
    match words(parameters)?.next() {
        None => Ok(Command::Rcpt(RcptTo { path })),
        Some(_) => Err(CommandError::Parameter),
    }
}

/// Parameters: words behind white space.
fn words(rest: &str) -> Result<std::str::SplitAsciiWhitespace<'_>, CommandError> {
    if rest.is_empty() || rest.starts_with([' ', '\t']) {
        Ok(rest.split_ascii_whitespace())
    } else {
        Err(CommandError::Address)
    }
}

fn bdat(rest: &str) -> Result<Command<'_>, CommandError> {
    let mut words = rest.split_ascii_whitespace();
    let size = words.next().and_then(number).ok_or(CommandError::ChunkSize)?;
    let last = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => true,
        _ => return Err(CommandError::Arguments),
    };
    Ok(Command::Bdat { size, last })
}

/// Digits alone: no sign, no more than a size can have (RFC 1870 6.1: 20 digits).
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|octet| octet.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// RFC 3461 4.
fn is_xtext(text: &str) -> bool {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let legal = match octet {
            b'+' => [octets.next(), octets.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit))),
            b'=' => false,
            _ => (b'!'..=b'~').contains(&octet),
        };
        if !legal {
            return false;
        }
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests;
