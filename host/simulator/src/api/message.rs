//! A message as the interfaces take it: who is to have it, and what they see.
//!
//! Written for the simulator alone: a relay that misreads a header is not to find its own mistake here again.

use crate::provider::Provider;

/// A message.
#[derive(Debug)]
pub(super) struct Mime {
    /// The first address of its From.
    pub(super) from: Option<String>,
    /// Whom To, Cc and Bcc name, each once, in this order.
    pub(super) recipients: Vec<String>,
    /// The message without its Bcc fields.
    pub(super) without_bcc: Vec<u8>,
}

/// The message's octets out of a request's body; none where they are none.
pub(super) fn octets(provider: Provider, kind: &str, body: Vec<u8>) -> Option<Vec<u8>> {
    let octets = match provider {
        Provider::Outlook if kind == "text/plain" => posthouse_smtp::base64::decode(&body)?,
        Provider::Gmail if kind == "message/rfc822" => body,
        Provider::Outlook | Provider::Gmail => return None,
    };
    (!octets.is_empty()).then_some(octets)
}

impl Mime {
    pub(super) fn read(octets: &[u8]) -> Self {
        let mut mime = Self { from: None, recipients: Vec::new(), without_bcc: Vec::new() };
        let mut rest = octets;
        while let Some(length) = field(rest) {
            let (field, behind) = rest.split_at(length);
            let text = String::from_utf8_lossy(field);
            let (name, body) = text.split_once(':').unwrap_or((&text, ""));
            match name.trim().to_lowercase().as_str() {
                "from" if mime.from.is_none() => mime.from = named(body).into_iter().next(),
                "to" | "cc" | "bcc" => {
                    for address in named(body) {
                        if !mime.recipients.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
                            mime.recipients.push(address);
                        }
                    }
                }
                _ => {}
            }
            if !name.trim().eq_ignore_ascii_case("bcc") {
                mime.without_bcc.extend_from_slice(field);
            }
            rest = behind;
        }
        mime.without_bcc.extend_from_slice(rest);
        mime
    }
}

/// The length of the field that begins here, with its folds.
fn field(rest: &[u8]) -> Option<usize> {
    let first = rest.iter().position(|octet| b":\r\n ".contains(octet))?;
    if first == 0 || rest[first] != b':' {
        return None;
    }
    let mut at = 0;
    loop {
        at += rest[at..].iter().position(|octet| *octet == b'\n').map_or(rest.len() - at, |line| line + 1);
        if !matches!(rest.get(at), Some(b' ' | b'\t')) {
            return Some(at);
        }
    }
}

/// The addresses of a field: what stands in angle brackets, or between separators, outside of quotes and comments.
fn named(body: &str) -> Vec<String> {
    let (mut found, mut bare, mut in_brackets) = (Vec::new(), String::new(), None);
    let (mut quoted, mut depth, mut escaped) = (false, 0, false);
    for character in body.chars().chain([',']) {
        if std::mem::take(&mut escaped) {
            bare.push(character);
            continue;
        }
        match character {
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            _ if quoted => bare.push(character),
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '<' => bare.clear(),
            '>' => in_brackets = Some(std::mem::take(&mut bare)),
            ':' => bare.clear(),
            ',' | ';' => {
                let address = in_brackets.take().unwrap_or_else(|| std::mem::take(&mut bare));
                bare.clear();
                if address.contains('@') {
                    found.push(address.trim().to_owned());
                }
            }
            character if character.is_whitespace() => {}
            character => bare.push(character),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Mime;

    #[test]
    fn recipients_are_taken_from_the_header_and_bcc_is_taken_out() {
        let mime = Mime::read(
            b"From: \"A, B\" <a@acme.example>\r\nTo: Ann (x, <y@z>) <ann@example.org>,\r\n bob@example.net\r\n\
              BCC: Team: eve@example.com, ANN@example.org;\r\nSubject: x\r\n\r\nBcc: z@example.com\r\n",
        );
        assert_eq!(mime.from.as_deref(), Some("a@acme.example"));
        assert_eq!(mime.recipients, ["ann@example.org", "bob@example.net", "eve@example.com"]);
        let expected = "From: \"A, B\" <a@acme.example>\r\nTo: Ann (x, <y@z>) <ann@example.org>,\r\n \
                        bob@example.net\r\nSubject: x\r\n\r\nBcc: z@example.com\r\n";
        assert_eq!(String::from_utf8_lossy(&mime.without_bcc), expected);
    }
}
