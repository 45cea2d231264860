//! The PROXY protocol, version 2: who the client of a proxy is.
//!
//! Exactly the header's octets are read, and none behind it. Whose header is believed is the
//! caller's question. Sections are those of HAProxy's `proxy-protocol.txt`.

use std::net::{IpAddr, SocketAddr};

use crate::error::Error;
use crate::stream::Stream;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED: usize = 16;
/// Addresses and what else a proxy tells (TLVs); a header that is longer does not surely travel in one
/// segment, as section 2 asks for.
const REST: usize = 536;

/// Section 2.2: the thirteenth octet, version and command.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
/// Section 2.2: the fourteenth, family and transport.
const UNSPECIFIED: u8 = 0x00;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

const OTHER_OCTETS: &str = "the peer sent something else; let the proxy send it (version 2), or do not expect it";

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxied {
    /// The proxy speaks for a client.
    Client {
        /// The client's address.
        source: SocketAddr,
        /// Where it connected to.
        destination: SocketAddr,
    },
    /// The proxy speaks for itself, as when it looks whether we are there, or does not say for whom.
    Local,
}

/// Reads a header from a stream.
///
/// How long it may take is the caller's to say; a peer that sends something else is known by its
/// first octet.
///
/// # Errors
/// The peer sent something else, or nothing.
pub async fn read(stream: &mut Stream) -> Result<Proxied, Error> {
    let mut header = Vec::with_capacity(FIXED);
    fill(stream, &mut header, FIXED).await?;
    let length = length(&header)?;
    fill(stream, &mut header, FIXED + length).await?;
    parse(&header)
}

async fn fill(stream: &mut Stream, header: &mut Vec<u8>, length: usize) -> Result<(), Error> {
    while header.len() < length {
        let missing = length - header.len();
        let read = stream.receive_at_most(missing, |octets| {
            header.extend_from_slice(octets);
            octets.len()
        });
        if read.await? == 0 {
            return Err(Error::Proxy("the connection ended within it"));
        }
        if !header.iter().zip(SIGNATURE).all(|(octet, signed)| octet == signed) {
            return Err(Error::Proxy(OTHER_OCTETS));
        }
    }
    Ok(())
}

/// The octets behind the fixed part.
fn length(fixed: &[u8]) -> Result<usize, Error> {
    match fixed {
        [signature @ .., _, _, high, low] if signature == SIGNATURE => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length > REST { Err(Error::Proxy("too long")) } else { Ok(length) }
        }
        _ => Err(Error::Proxy(OTHER_OCTETS)),
    }
}

/// Parses a whole header.
///
/// # Errors
/// It is none.
pub fn parse(header: &[u8]) -> Result<Proxied, Error> {
    let (fixed, rest) = header.split_at_checked(FIXED).ok_or(Error::Proxy("too short"))?;
    if length(fixed)? != rest.len() {
        return Err(Error::Proxy("the length does not fit"));
    }
    match (fixed[12], fixed[13]) {
        (LOCAL, _) | (PROXY, UNSPECIFIED) => Ok(Proxied::Local),
        (PROXY, TCP_OVER_IPV4) => client::<4>(rest),
        (PROXY, TCP_OVER_IPV6) => client::<16>(rest),
        // Not taken for the proxy itself, whose address may be trusted with more.
        (PROXY, _) => Err(Error::Proxy("the client's address is of no family that SMTP comes by")),
        _ => Err(Error::Proxy("unknown version or command")),
    }
}

/// Both addresses, both ports; what stands behind them is passed over.
fn client<const N: usize>(rest: &[u8]) -> Result<Proxied, Error>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = take::<N>(rest)?;
    let (destination, rest) = take::<N>(rest)?;
    let (source_port, rest) = take::<2>(rest)?;
    let (destination_port, _) = take::<2>(rest)?;
    let socket = |address: [u8; N], port| {
        // A proxy that listens on one socket for both families writes IPv4 as `::ffff:192.0.2.1`.
        SocketAddr::new(IpAddr::from(address).to_canonical(), u16::from_be_bytes(port))
    };
    Ok(Proxied::Client { source: socket(source, source_port), destination: socket(destination, destination_port) })
}

fn take<const N: usize>(octets: &[u8]) -> Result<([u8; N], &[u8]), Error> {
    let (taken, rest) = octets.split_first_chunk::<N>().ok_or(Error::Proxy("too short for its addresses"))?;
    Ok((*taken, rest))
}

#[cfg(test)]
mod tests;
