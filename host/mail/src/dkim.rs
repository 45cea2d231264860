//! Which fields a DKIM signature covers (RFC 6376 3.5, the tag `h`).
//!
//! Not a verifier: it tells before an edit that a signature would break by it.

use crate::header::HeaderBlock;

/// The names of all fields under a signature, in lower case, in order, each once.
pub fn signed_fields(content: &[u8], block: &HeaderBlock) -> Vec<String> {
    let signatures = block.fields().iter().filter(|field| field.is_named(content, "DKIM-Signature"));
    let mut names: Vec<String> = signatures.flat_map(|field| names_of(field.body(content))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn names_of(signature: &[u8]) -> Vec<String> {
    let tags = signature.split(|octet| *octet == b';');
    let list = tags.filter_map(|tag| {
        let equals = tag.iter().position(|octet| *octet == b'=')?;
        (tag[..equals].trim_ascii() == b"h").then(|| &tag[equals + 1..])
    });
    let names = list.flat_map(|list| list.split(|octet| *octet == b':'));
    names
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
