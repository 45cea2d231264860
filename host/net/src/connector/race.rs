//! Of a host's addresses, the one that answers first (RFC 8305).
//!
//! Providers have many addresses of both families, and one that swallows packets answers nothing at
//! all: the next is tried beside it. Whoever loses is dropped at once, not left half open.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// RFC 8305 5: how long an address has before the next is tried too.
const HEAD_START: Duration = Duration::from_millis(250);
/// A pooled session is silent for minutes: the questions keep it alive in address translators
/// (four minutes in clouds), and tell of a host that vanished without a word.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Connects to the address that answers first, in the order of the resolver, families in turn.
pub(crate) async fn first_to_answer(
    addresses: impl Iterator<Item = SocketAddr>,
    source: Option<IpAddr>,
) -> io::Result<TcpStream> {
    let usable = addresses.filter(|address| source.is_none_or(|source| source.is_ipv4() == address.is_ipv4()));
    let mut waiting = families_in_turn(usable);
    let mut attempts = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address of a family that can be used");
    loop {
        if let Some(address) = waiting.pop_front() {
            attempts.spawn(connect(address, source));
        }
        let patience = if waiting.is_empty() { Duration::MAX } else { HEAD_START };
        match timeout(patience, attempts.join_next()).await {
            Ok(Some(Ok(Ok(socket)))) => return Ok(socket),
            Ok(Some(Ok(Err(error)))) => last = error,
            Ok(Some(Err(error))) => last = error.into(),
            Ok(None) => return Err(last),
            Err(_) => {}
        }
    }
}

/// RFC 8305 4: the families alternate, beginning with the resolver's choice.
fn families_in_turn(addresses: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut addresses = addresses.peekable();
    let Some(favoured) = addresses.peek().map(SocketAddr::is_ipv4) else { return VecDeque::new() };
    let (first, mut second): (VecDeque<_>, VecDeque<_>) = addresses.partition(|address| address.is_ipv4() == favoured);
    let mut order = VecDeque::with_capacity(first.len() + second.len());
    for address in first {
        order.push_back(address);
        order.extend(second.pop_front());
    }
    order.append(&mut second);
    order
}

async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let socket = socket.connect(address).await?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4);
    SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
