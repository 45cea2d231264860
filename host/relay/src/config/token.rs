//! Tokens of the admin API: `[[admin.tokens]]` in the main file, `[[tokens]]` in a tenant's.
//!
//! A token is 256 bits of the system's randomness; the configuration holds its hash. One pass of a fast hash is right
//! here and would be wrong for a password: there is nothing to guess, since 2^256 tries are hopeless at any speed, and
//! each request of a program is verified anew. Invariant: no fault that is noted here shows a token or a hash.

use std::fmt;

use blake2::{Blake2s256, Digest as _};
use subtle::ConstantTimeEq;
use toml::de::DeValue;

use crate::config::section::Section;
use crate::config::taken::Taken;
use crate::config::value::Entry;
use crate::hex;

/// What tokens begin with, for people and for scanners of leaked secrets.
const TOKEN: &str = "posthouse_";
/// What hashes begin with.
const HASH: &str = "blake2s:";

/// A token's hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// Who has a token, and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name, in the audit log.
    pub name: String,
    /// Its hash.
    pub digest: Digest,
    /// What it may do.
    pub reach: Reach,
}

/// What a token may do within its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// See everything, change nothing.
    Read,
    /// See and change everything.
    Change,
}

impl Digest {
    /// The hash of a token, as a client shows it.
    pub fn of(token: &[u8]) -> Self {
        Self(Blake2s256::digest(token).into())
    }

    /// Whether both are of the same token; takes as long whatever the answer.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(HASH).filter(|hex| hex.len() == 64 && hex.is_ascii())?;
        let mut octets = [0; 32];
        for (octet, digits) in octets.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *octet = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(octets))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HASH}{}", hex::digits(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A new token.
///
/// # Errors
/// The system has no randomness.
pub fn generate() -> Result<posthouse_oauth::secret::Secret, getrandom::Error> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)?;
    Ok(posthouse_oauth::secret::Secret::new(format!("{TOKEN}{}", hex::digits(&octets))))
}

/// The tokens of the main file's `[admin]`. `of_tenants` are those that tenants have.
pub(super) fn of_admin(admin: &Section<'_>, of_tenants: &Taken<'_>) -> Vec<Token> {
    let (mut names, mut hashes) = (Taken::none(), Taken::none());
    let words = [("operator", Reach::Change), ("read", Reach::Read)];
    let tokens = admin.sections("tokens").into_iter().filter_map(|section| {
        let reach = section.required("scope", "`operator` or `read`", |entry| entry.word(&words));
        let token = read(&section, reach?, &mut names, &mut hashes)?;
        if of_tenants.has(&token.digest.to_string()) {
            section.mark_of("hash").fault("a tenant has the same token").suggest(ANOTHER).error();
        }
        section.finish();
        Some(token)
    });
    tokens.collect()
}

/// The tokens of a tenant's file.
pub(super) fn of_tenant<'s>(root: &Section<'s>, hashes: &mut Taken<'s>) -> Vec<Token> {
    let mut names = Taken::none();
    let tokens = root.sections("tokens").into_iter().filter_map(|section| {
        let is_read_only = section.or("read_only", false, Entry::boolean);
        let reach = if is_read_only { Reach::Read } else { Reach::Change };
        let token = read(&section, reach, &mut names, hashes);
        section.finish_with(|key| {
            (key == "scope")
                .then_some("a tenant's tokens reach that tenant; `read_only = true` is for one that only sees")
        });
        token
    });
    tokens.collect()
}

const ANOTHER: &str = "make another one with `posthouse admin-token`";

fn read<'s>(section: &Section<'s>, reach: Reach, names: &mut Taken<'s>, hashes: &mut Taken<'s>) -> Option<Token> {
    let name = section.required("name", "whose token it is", |entry| {
        let name = entry.name()?;
        names.claim(name, &entry.mark);
        Some(name.to_owned())
    });
    let digest = section.required("hash", "the token's hash, from `posthouse admin-token`", |entry| {
        let digest = digest(entry)?;
        if let Err(before) = hashes.take(&digest.to_string(), entry.mark.clone()) {
            let reason = format!("the same token stands at {}: whose it is could not be told", before.place());
            entry.mark.fault(reason).suggest(ANOTHER).error();
        }
        Some(digest)
    });
    Some(Token { name: name?, digest: digest?, reach })
}

fn digest(entry: &Entry<'_>) -> Option<Digest> {
    let text = match entry.value {
        DeValue::String(text) => text.as_ref(),
        _ => "",
    };
    let digest = Digest::parse(text);
    if digest.is_none() {
        let reason = if text.starts_with(TOKEN) {
            "this is the token itself, which must not stand in a file that others read"
        } else {
            "expected the hash of a token: `blake2s:` and 64 hexadecimal digits"
        };
        entry.mark.fault(reason).suggest("write the hash that `posthouse admin-token` prints").error();
    }
    digest
}
