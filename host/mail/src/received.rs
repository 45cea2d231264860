//! The trace field that the relay adds to each message (RFC 5321 4.4).
//!
//! Not a parser of other hosts' trace fields. What came from a client (its HELO name) is cleaned
//! here, so that it can neither break the field nor open a comment.

use std::net::IpAddr;

use crate::date::Date;

/// How the message came in, by the names that RFC 3848 and RFC 6531 4.3 register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Protocol {
    /// The client said EHLO.
    pub extended: bool,
    /// The transaction asked for SMTPUTF8.
    pub utf8: bool,
    /// The channel was encrypted.
    pub tls: bool,
    /// The client had authenticated.
    pub authenticated: bool,
}

impl Protocol {
    /// The `with` word, such as `ESMTPSA`.
    pub fn name(self) -> &'static str {
        match (self.extended, self.utf8, self.tls, self.authenticated) {
            (false, false, ..) => "SMTP",
            (true, false, false, false) => "ESMTP",
            (true, false, true, false) => "ESMTPS",
            (true, false, false, true) => "ESMTPA",
            (true, false, true, true) => "ESMTPSA",
            (_, true, false, false) => "UTF8SMTP",
            (_, true, true, false) => "UTF8SMTPS",
            (_, true, false, true) => "UTF8SMTPA",
            (_, true, true, true) => "UTF8SMTPSA",
        }
    }
}

/// What one trace field says.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// What the client called itself in EHLO or HELO.
    pub helo: &'a str,
    /// The client's address.
    pub peer: IpAddr,
    /// The relay's own name.
    pub by: &'a str,
    /// How the message came in.
    pub with: Protocol,
    /// The transaction's id, as it stands in the log.
    pub id: &'a str,
    /// The recipient, where there is only one: more would tell each of the others (RFC 5321 7.6).
    pub recipient: Option<&'a str>,
    /// When the message came in.
    pub date: Date,
}

impl Received<'_> {
    /// Writes the field, folded, with its line end.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Received: from ");
        let mut helo = self
            .helo
            .bytes()
            .take(255)
            .map(|octet| if is_domain_octet(octet, self.with.utf8) { octet } else { b'?' })
            .peekable();
        match helo.peek() {
            Some(_) => out.extend(helo),
            None => out.extend_from_slice(b"unknown"),
        }
        let address = match self.peer {
            IpAddr::V4(v4) => format!(" ([{v4}])"),
            IpAddr::V6(v6) => format!(" ([IPv6:{v6}])"),
        };
        push(out, &[&address, "\r\n\tby ", self.by, " (Posthouse) with ", self.with.name(), " id ", self.id]);
        if let Some(recipient) = self.recipient.filter(|recipient| !recipient.contains(|c: char| c.is_control())) {
            push(out, &["\r\n\tfor <", recipient, ">"]);
        }
        push(out, &[";\r\n\t", &self.date.to_string(), "\r\n"]);
    }
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
}

/// What may stand in a domain or an address literal, IPv6 and internationalised names included.
fn is_domain_octet(octet: u8, utf8: bool) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'[' | b']' | b':') || (utf8 && octet >= 0x80)
}

#[cfg(test)]
mod tests;
