//! The PROXY protocol, version 2: who the client of a proxy is.
//!
//! Exactly the header's octets are read, and none behind it. Whose header is believed is the
//! caller's question.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::Error;
use crate::stream::Stream;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED: usize = 16;
/// Addresses and what else a proxy tells; more is nobody's header.
const REST: usize = 1024;

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
    /// The proxy speaks for itself, or for an address of no family known here.
    Local,
}

/// Reads a header from a stream.
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
        _ => Err(Error::Proxy("other octets")),
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
        (0x20, _) => Ok(Proxied::Local),
        (0x21, 0x11) => {
            let (from, rest) = address::<4>(rest)?;
            let (to, rest) = address::<4>(rest)?;
            client(Ipv4Addr::from(from).into(), Ipv4Addr::from(to).into(), rest)
        }
        (0x21, 0x21) => {
            let (from, rest) = address::<16>(rest)?;
            let (to, rest) = address::<16>(rest)?;
            client(Ipv6Addr::from(from).into(), Ipv6Addr::from(to).into(), rest)
        }
        (0x21, _) => Ok(Proxied::Local),
        _ => Err(Error::Proxy("unknown version or command")),
    }
}

fn address<const N: usize>(octets: &[u8]) -> Result<([u8; N], &[u8]), Error> {
    let (address, rest) = octets.split_first_chunk::<N>().ok_or(Error::Proxy("too short for its addresses"))?;
    Ok((*address, rest))
}

fn client(from: IpAddr, to: IpAddr, ports: &[u8]) -> Result<Proxied, Error> {
    let ([a, b, c, d], _) = ports.split_first_chunk::<4>().ok_or(Error::Proxy("too short for its ports"))?;
    Ok(Proxied::Client {
        source: SocketAddr::new(from, u16::from_be_bytes([*a, *b])),
        destination: SocketAddr::new(to, u16::from_be_bytes([*c, *d])),
    })
}

#[cfg(test)]
mod tests;
