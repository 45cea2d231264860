//! The header in the envelope's place: providers that are asked over HTTP send a message to whom its To, Cc and Bcc
//! name, and to nobody else.
//!
//! Invariant: what leaves names the envelope's recipients, all of them and no others, or does not leave. Recipients that
//! no field names go into a Bcc field, which the providers take out again; every other octet stays.

use std::borrow::Cow;
use std::collections::HashSet;

use posthouse_mail::address::{Address, addresses};
use posthouse_mail::header::{HeaderBlock, body_offset};
use posthouse_smtp::path::ForwardPath;

use crate::deliver::Content;
use crate::error::Unfit;

/// What goes out in the place of the content's beginning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// These octets,
    pub(super) head: Vec<u8>,
    /// and then the content from this one on.
    pub(super) from: usize,
}

/// The fields that recipients are taken from.
const SHOWN: [&str; 2] = ["To", "Cc"];
const HIDDEN: &str = "Bcc";

/// The content's beginning as it has to be for these recipients.
pub(super) fn rewritten(content: &Content<'_>, recipients: &[ForwardPath]) -> Result<Rewritten, Unfit> {
    let header = header(content);
    let block = HeaderBlock::parse(&header);
    if !matches!(&header[block.end()..], [] | [b'\r', b'\n', ..]) {
        return Err(Unfit::NoField { at: block.end() });
    }
    let wanted = recipients.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let shown = named(&header, &block, &SHOWN)?;
    let hidden = named(&header, &block, &[HIDDEN])?;
    let known: HashSet<&str> = wanted.iter().map(String::as_str).collect();
    let others: Vec<String> =
        shown.iter().chain(&hidden).filter(|address| !known.contains(address.key().as_str())).map(printable).collect();
    if !others.is_empty() {
        return Err(Unfit::Others(others));
    }
    let mut named: HashSet<String> = shown.iter().map(Address::key).collect();
    let all: HashSet<String> = named.iter().cloned().chain(hidden.iter().map(Address::key)).collect();
    if wanted.iter().all(|key| all.contains(key)) {
        return Ok(Rewritten::default());
    }
    let unnamed: Vec<&str> = recipients
        .iter()
        .zip(wanted)
        .filter(|(_, key)| named.insert(key.clone()))
        .map(|(path, _)| path.as_str())
        .collect();
    // One Bcc is all that a header may have (RFC 5322 3.6): ours takes the place of those that are there.
    let mut head = format!("{HIDDEN}: <{}>\r\n", unnamed.join(">,\r\n <")).into_bytes();
    for field in block.fields().iter().filter(|field| !field.is_named(&header, HIDDEN)) {
        head.extend_from_slice(field.octets(&header));
    }
    Ok(Rewritten { head, from: block.end() })
}

/// The header block, and perhaps more.
fn header<'c>(content: &Content<'c>) -> Cow<'c, [u8]> {
    match content {
        Content::Streamed(streamed) => Cow::Borrowed(streamed.header),
        Content::Whole(slices) => match slices {
            [first, ..] if body_offset(first).is_some() => Cow::Borrowed(first),
            slices => {
                let mut header = Vec::new();
                for slice in *slices {
                    let end = body_offset(slice).unwrap_or(slice.len());
                    header.extend_from_slice(&slice[..end]);
                    if body_offset(&header).is_some() {
                        break;
                    }
                    header.extend_from_slice(&slice[end..]);
                }
                Cow::Owned(header)
            }
        },
    }
}

/// Whom the fields of these names name.
fn named(header: &[u8], block: &HeaderBlock, names: &[&'static str]) -> Result<Vec<Address>, Unfit> {
    let mut found = Vec::new();
    for field in block.fields() {
        let Some(name) = names.iter().find(|name| field.is_named(header, name)) else { continue };
        let body = addresses(field.body(header));
        found.extend(body.map_err(|malformed| Unfit::Unreadable { field: name, malformed })?);
    }
    Ok(found)
}

fn key(recipient: &ForwardPath) -> Result<String, Unfit> {
    let text = recipient.as_str();
    Address::parse(text).map(|address| address.key()).map_err(|_| Unfit::Unnameable(text.to_owned()))
}

/// An address for a reply, which is US-ASCII in one line.
fn printable(address: &Address) -> String {
    address.to_string().chars().map(|character| if matches!(character, ' '..='~') { character } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
