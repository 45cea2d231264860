//! The header block of a message as slices of its content (RFC 5322 2.2).
//!
//! Not a parser of field bodies: it finds where fields begin and end, so that an edit can cut
//! between them. Whatever the block holds, the fields and the body together are the content,
//! octet for octet.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

/// One field of the block: where it lies in the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    start: usize,
    colon: usize,
    end: usize,
}

impl Field {
    /// The field's name, without the colon and without the white space an obsolete syntax puts before it.
    pub fn name<'a>(&self, content: &'a [u8]) -> &'a [u8] {
        content[self.start..self.colon].trim_ascii_end()
    }

    /// The field's body: all behind the colon, still folded, without the last line end.
    pub fn body<'a>(&self, content: &'a [u8]) -> &'a [u8] {
        let body = &content[(self.colon + 1).min(self.end)..self.end];
        body.strip_suffix(b"\r\n").unwrap_or(body)
    }

    /// The field's body as a text: unfolded (RFC 5322 2.2.3), without the white space around it, and with U+FFFD
    /// where it is no UTF-8.
    pub fn text<'a>(&self, content: &'a [u8]) -> Cow<'a, str> {
        let body = self.body(content).trim_ascii();
        match memchr(b'\n', body) {
            None => String::from_utf8_lossy(body),
            Some(_) => {
                let unfolded: Vec<u8> = body.iter().copied().filter(|octet| !b"\r\n".contains(octet)).collect();
                Cow::Owned(String::from_utf8_lossy(&unfolded).into_owned())
            }
        }
    }

    /// The whole field with its folds and its last line end.
    pub fn octets<'a>(&self, content: &'a [u8]) -> &'a [u8] {
        &content[self.start..self.end]
    }

    /// Whether the field has this name, in any case (RFC 5322 1.2.2).
    pub fn is_named(&self, content: &[u8], name: &str) -> bool {
        self.name(content).eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header block and the place where the body begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderBlock {
    fields: Vec<Field>,
    end: usize,
}

impl HeaderBlock {
    /// Finds the fields of `content`, which begins with the first octet of a message.
    ///
    /// The block ends at the first empty line, at the first line that can be no field (a message
    /// without header has a body only), or with the content.
    pub fn parse(content: &[u8]) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut at = 0;
        while at < content.len() {
            let end = memchr(b'\n', &content[at..]).map_or(content.len(), |lf| at + lf + 1);
            let line = &content[at..end];
            match (line[0], fields.last_mut()) {
                (b' ' | b'\t', Some(open)) => open.end = end,
                _ => match colon_of(line) {
                    Some(colon) => fields.push(Field { start: at, colon: at + colon, end }),
                    None => break,
                },
            }
            at = end;
        }
        Self { fields, end: at }
    }

    /// The fields, in their order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The offset of the first octet behind the fields: the empty line that ends the block, or,
    /// in a message without one, the body itself.
    pub fn end(&self) -> usize {
        self.end
    }

    /// How many fields have this name.
    pub fn count(&self, content: &[u8], name: &str) -> usize {
        self.fields.iter().filter(|field| field.is_named(content, name)).count()
    }
}

/// Octets of memory that the list of the fields of `content` takes at most, which can be many times those of the block.
pub fn list_size(content: &[u8]) -> usize {
    let block = &content[..body_offset(content).unwrap_or(content.len())];
    // A field has a line at least, and a list grows by doubling.
    (memchr_iter(b'\n', block).count() + 4) * 2 * size_of::<Field>()
}

/// The offset behind the empty line that ends the header block, if `content` holds it already.
pub fn body_offset(content: &[u8]) -> Option<usize> {
    if content.starts_with(b"\r\n") {
        return Some(2);
    }
    memmem::find(content, b"\r\n\r\n").map(|at| at + 4)
}

/// The colon that ends a field name: printable US-ASCII before it (RFC 5322 2.2), white space
/// directly before the colon tolerated (RFC 5322 4.5).
fn colon_of(line: &[u8]) -> Option<usize> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(|octet| (33..=126).contains(octet))).then_some(colon)
}

#[cfg(test)]
mod tests;
