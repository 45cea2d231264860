//! XCLIENT's attributes (Postfix XCLIENT_README): `NAME=value` pairs, values in xtext.

use super::{CommandError, XClient};

pub(super) fn parse(rest: &str) -> Result<XClient, CommandError> {
    let mut client = XClient::default();
    if rest.is_empty() {
        return Err(CommandError::Arguments);
    }
    for attribute in rest.split_ascii_whitespace() {
        let (key, value) = attribute.split_once('=').ok_or(CommandError::Arguments)?;
        let value = decoded(value)?;
        match (key.to_ascii_uppercase().as_str(), value) {
            ("ADDR", Some(value)) => {
                let address = value.strip_prefix("IPV6:").or_else(|| value.strip_prefix("IPv6:")).unwrap_or(&value);
                client.address = Some(address.parse().map_err(|_| CommandError::Arguments)?);
            }
            ("PORT", Some(value)) => client.port = Some(value.parse().map_err(|_| CommandError::Arguments)?),
            ("NAME", value) => client.name = value,
            ("HELO", value) => client.helo = value,
            ("PROTO", value) => client.protocol = value,
            ("LOGIN", value) => client.login = value,
            ("ADDR" | "PORT" | "REVERSE_NAME" | "DESTADDR" | "DESTPORT", _) => {}
            _ => return Err(CommandError::Parameter),
        }
    }
    Ok(client)
}

/// A value without its xtext escapes; none where the proxy does not know it.
fn decoded(value: &str) -> Result<Option<String>, CommandError> {
    if value.eq_ignore_ascii_case("[UNAVAILABLE]") || value.eq_ignore_ascii_case("[TEMPUNAVAIL]") {
        return Ok(None);
    }
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [octet, tail @ ..] = rest {
        rest = tail;
        if *octet == b'+' {
            let (digits, tail) = rest.split_at_checked(2).ok_or(CommandError::Arguments)?;
            let digits = std::str::from_utf8(digits).map_err(|_| CommandError::Arguments)?;
            octets.push(u8::from_str_radix(digits, 16).map_err(|_| CommandError::Arguments)?);
            rest = tail;
        } else {
            octets.push(*octet);
        }
    }
    let text = String::from_utf8(octets).map_err(|_| CommandError::Arguments)?;
    let legal = text.len() <= 255 && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    if legal { Ok(Some(text)) } else { Err(CommandError::Arguments) }
}
