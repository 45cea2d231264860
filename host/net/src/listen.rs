//! Listening sockets that keep accepting: an error on one connection, or a lack of descriptors, is
//! waited out and never ends the loop.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::stream::Stream;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How long to wait when there are no descriptors left: sessions that end give theirs back.
const BACK_OFF: Duration = Duration::from_millis(100);

/// A listening socket.
#[derive(Debug)]
pub struct Listener(TcpListener);

/// An address that is this process's beside sockets which cover it or are covered by it, and at which nobody listens yet.
#[derive(Debug)]
pub struct Reserved {
    socket: Socket,
    others: Vec<Arc<Listener>>,
}

impl Listener {
    /// Listens on this address; port 0 lets the system choose one.
    ///
    /// # Errors
    /// The address is in use, not this host's, or not allowed.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = bound(address, |_| Ok(()))?;
        socket.listen(BACKLOG)?;
        Self::from_std(socket.into())
    }

    /// Listens on an address that covers that of these sockets, or is covered by it: the kernel allows that to sockets of
    /// one user which say so (socket(7), SO_REUSEPORT), and these say so for no longer than it takes.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn bind_beside(address: SocketAddr, others: Vec<Arc<Self>>) -> io::Result<Self> {
        Self::reserve_beside(address, others)?.listen()
    }

    /// Takes such an address and does not listen yet, so that no client is led there.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn reserve_beside(address: SocketAddr, others: Vec<Arc<Self>>) -> io::Result<Reserved> {
        let socket = sharing(&others, || bound(address, |socket| socket.set_reuse_port(true)))?;
        socket.set_reuse_port(false)?;
        Ok(Reserved { socket, others })
    }

    /// A socket that somebody else has bound (socket activation).
    ///
    /// # Errors
    /// The runtime does not take it.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // A process before may have left it deaf: a filter is the socket's, and stays as long as anybody has the socket.
        let _ = SockRef::from(&listener).detach_filter();
        Ok(Self(TcpListener::from_std(listener)?))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The same socket once more, to be given to another process; it stays open until both are gone.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.as_fd().try_clone_to_owned()
    }

    /// Hears of no new client any more, while handshakes that have begun go on. A client's first packet is sent again
    /// after a second: whoever listens at the address then hears it.
    ///
    /// # Errors
    /// The system does not do that; everybody is heard as before.
    pub fn hear_no_new_client(&self) -> io::Result<()> {
        // A classic BPF program (bpf(4)) on the TCP header: of the flags, SYN without ACK is dropped.
        let [load_octet, and, jump_if_equal, answer] = [0x30, 0x54, 0x15, 0x06];
        SockRef::from(&self.0).attach_filter(&[
            SockFilter::new(load_octet, 0, 0, 13),
            SockFilter::new(and, 0, 0, 0x12),
            SockFilter::new(jump_if_equal, 0, 1, 0x02),
            SockFilter::new(answer, 0, 0, 0),
            SockFilter::new(answer, 0, 0, u32::MAX),
        ])
    }

    /// A connection that waits to be accepted, if one does.
    pub fn accept_waiting(&self) -> Option<(Stream, SocketAddr)> {
        loop {
            match SockRef::from(&self.0).accept() {
                Ok((socket, peer)) => {
                    socket.set_nonblocking(true).ok()?;
                    let socket = TcpStream::from_std(socket.into()).ok()?;
                    return Some((Stream::plain(socket), peer.as_socket()?));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => return None,
            }
        }
    }

    /// The next connection.
    pub async fn accept(&self) -> (Stream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((socket, peer)) => return (Stream::plain(socket), peer),
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => sleep(BACK_OFF).await,
            }
        }
    }
}

impl Reserved {
    /// Listens.
    ///
    /// # Errors
    /// As [`Listener::bind`]: somebody else may be at the address meanwhile.
    pub fn listen(self) -> io::Result<Listener> {
        let Self { socket, others } = self;
        let listening = || socket.set_reuse_port(true).and_then(|()| socket.listen(BACKLOG));
        sharing(&others, listening)?;
        socket.set_reuse_port(false)?;
        Listener::from_std(socket.into())
    }

    /// Where it will.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

/// What comes of it while these sockets let others share their port.
fn sharing<T>(others: &[Arc<Listener>], work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let share = |shared: bool| others.iter().try_for_each(|other| SockRef::from(&other.0).set_reuse_port(shared));
    let done = share(true).and_then(|()| work());
    share(false)?;
    done
}

fn bound(address: SocketAddr, prepare: impl FnOnce(&Socket) -> io::Result<()>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Each family is named in the configuration; none comes along unasked.
        socket.set_only_v6(true)?;
    }
    prepare(&socket)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Errors that concern a connection that ended before it was accepted (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests;
