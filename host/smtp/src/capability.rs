//! What a server offers in its reply to EHLO.

use crate::reply::Reply;
use crate::sasl::{Mechanism, Mechanisms};

/// The extensions of a server that this side knows to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of offers, each with its name in the protocol")]
pub struct Capabilities {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 1870; zero says that there is no fixed limit.
    pub size: Option<u64>,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 2034.
    pub enhanced_status_codes: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 4954.
    pub auth: Mechanisms,
}

impl Capabilities {
    /// Reads the reply to EHLO; what is not known is passed over, as RFC 5321 4.1.1.1 wants.
    pub fn read(reply: &Reply) -> Self {
        let mut offered = Self::default();
        for line in reply.lines().skip(1) {
            // `AUTH=LOGIN` is how servers before the RFC wrote it, and some still do.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "PIPELINING" => offered.pipelining = true,
                "SIZE" => offered.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0)),
                "8BITMIME" => offered.eight_bit_mime = true,
                "SMTPUTF8" => offered.smtputf8 = true,
                "CHUNKING" => offered.chunking = true,
                "ENHANCEDSTATUSCODES" => offered.enhanced_status_codes = true,
                "STARTTLS" => offered.starttls = true,
                "AUTH" => {
                    let known = words.filter_map(|word| Mechanism::named(word.as_bytes()));
                    offered.auth = known.fold(offered.auth, Mechanisms::with);
                }
                _ => {}
            }
        }
        offered
    }
}

#[cfg(test)]
mod tests;
