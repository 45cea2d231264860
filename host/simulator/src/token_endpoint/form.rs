//! `application/x-www-form-urlencoded`, strictly: what is not well-formed is refused, and so is a name that comes twice
//! (RFC 6749 3.2).

use std::collections::HashMap;

/// The fields of a form; none where it is malformed. Empty values count as left out (RFC 6749 3.2).
pub(super) fn parse(body: &[u8]) -> Option<HashMap<String, String>> {
    let mut fields = HashMap::new();
    for pair in body.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()) {
        let equals = pair.iter().position(|octet| *octet == b'=')?;
        let (name, value) = (decoded(&pair[..equals])?, decoded(&pair[equals + 1..])?);
        if !value.is_empty() && fields.insert(name, value).is_some() {
            return None;
        }
    }
    Some(fields)
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(octets).ok()
}

fn digit(octet: &u8) -> Option<u8> {
    char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
