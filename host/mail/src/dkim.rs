//! Which fields a DKIM signature covers (RFC 6376 3.5, the tag `h`).
//!
//! Not a verifier: it tells before an edit that a signature would break by it.

use crate::header::HeaderBlock;

/// As many names are looked at: signers sign tens of fields, and a list without end would take time without end.
const NAMES: usize = 1024;

/// The names of all fields under a signature, in lower case, in order, each once.
pub fn signed_fields(content: &[u8], block: &HeaderBlock) -> Vec<String> {
    let signatures = block.fields().iter().filter(|field| field.is_named(content, "DKIM-Signature"));
    let mut names: Vec<String> = signatures.flat_map(|field| names_of(field.body(content))).take(NAMES).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn names_of(signature: &[u8]) -> impl Iterator<Item = String> {
    let tags = signature.split(|octet| *octet == b';');
    let list = tags.filter_map(|tag| {
        let equals = tag.iter().position(|octet| *octet == b'=')?;
        (tag[..equals].trim_ascii() == b"h").then(|| &tag[equals + 1..])
    });
    let names = list.flat_map(|list| list.split(|octet| *octet == b':'));
    let names = names.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty());
    names.map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
