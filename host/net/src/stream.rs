//! A byte stream to a peer, plain or under TLS.
//!
//! An idle stream holds no buffer: reads go into one that belongs to the worker thread. Nothing here
//! waits for longer than it is told to; deadlines are the caller's.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use crate::acceptor::Acceptor;
use crate::connector::Connector;
use crate::counted::Counted;
use crate::error::Error;
use crate::octets::Octets;

/// What one read takes at most.
pub const READ: usize = 64 * 1024;
/// How long a polite end may take.
const CLOSE: Duration = Duration::from_secs(1);
/// How much of what an idle peer says is kept.
const NOISE: usize = 512;

thread_local! {
    /// Borrowed within one poll only.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

#[derive(Debug)]
enum Kind {
    Plain(Counted),
    Tls(Box<TlsStream<Counted>>),
    /// A handshake that was begun and not ended has taken the socket with it.
    Gone,
}

/// What came from a peer that was to be quiet.
#[derive(Debug, PartialEq, Eq)]
pub enum Noise {
    /// It has ended the connection, or the connection broke.
    Closed,
    /// It said something; this much of it was read.
    Bytes(Vec<u8>),
}

/// A connection.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    /// Of the last `send`: whether the kernel took nothing of it.
    nothing_sent: bool,
}

impl Stream {
    /// A fresh connection, in the clear.
    pub fn plain(socket: TcpStream) -> Self {
        // Small writes are whole commands: nothing is gained by holding them back.
        let _ = socket.set_nodelay(true);
        Self { kind: Kind::Plain(Counted::new(socket)), nothing_sent: true }
    }

    /// Encrypts the stream as a server.
    ///
    /// # Errors
    /// The handshake failed; the stream is of no more use.
    pub async fn accept_tls(&mut self, acceptor: &Acceptor) -> Result<(), Error> {
        let socket = self.take_plain()?;
        let stream = acceptor.tls().accept(socket).await.map_err(Error::of_handshake)?;
        self.kind = Kind::Tls(Box::new(stream.into()));
        Ok(())
    }

    /// Encrypts the stream as a client, to a server whose certificate bears this name.
    ///
    /// # Errors
    /// The handshake failed, or the certificate is not trusted; the stream is of no more use.
    pub async fn connect_tls(&mut self, connector: &Connector, server_name: &str) -> Result<(), Error> {
        let name = Connector::server_name(server_name)?;
        let socket = self.take_plain()?;
        let stream = connector.tls().connect(name, socket).await.map_err(Error::of_handshake)?;
        self.kind = Kind::Tls(Box::new(stream.into()));
        Ok(())
    }

    fn take_plain(&mut self) -> Result<Counted, Error> {
        match std::mem::replace(&mut self.kind, Kind::Gone) {
            Kind::Plain(socket) => Ok(socket),
            other => {
                self.kind = other;
                Err(Error::NotPlain)
            }
        }
    }

    /// Reads once, and shows what came; no octets are the end of the stream.
    ///
    /// # Errors
    /// The connection broke, or TLS was cut off without its end.
    pub async fn receive<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
        let mut take = Some(take);
        poll_fn(|context| self.poll_receive(context, READ, &mut take)).await
    }

    /// The same for at most `most` octets: what lies behind them stays unread.
    ///
    /// # Errors
    /// The connection broke, or TLS was cut off without its end.
    pub async fn receive_at_most<R>(&mut self, most: usize, take: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
        let mut take = Some(take);
        poll_fn(|context| self.poll_receive(context, most.min(READ), &mut take)).await
    }

    fn poll_receive<R>(
        &mut self,
        context: &mut Context<'_>,
        most: usize,
        take: &mut Option<impl FnOnce(&[u8]) -> R>,
    ) -> Poll<io::Result<R>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(&mut buffer[..most]);
            ready!(self.poll_read(context, &mut buffer))?;
            let take = take.take().expect("a future is not polled after it has ended");
            Poll::Ready(Ok(take(buffer.filled())))
        })
    }

    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Kind::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Kind::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Whether a peer that is to be quiet is not; if it is, the waker is called when that ends. No
    /// system call as long as nothing came: the runtime knows. Session tickets are not noise.
    ///
    /// # Race window
    /// What has reached the kernel and not yet the runtime (its next turn) is not noticed.
    pub fn poll_quiet(&mut self, context: &mut Context<'_>) -> Poll<Noise> {
        // A task that has used up its turn would be told "nothing" without a look, and take a stray
        // reply for the answer to its next command.
        pin!(unconstrained(poll_fn(|context| self.poll_noise(context)))).poll(context)
    }

    fn poll_noise(&mut self, context: &mut Context<'_>) -> Poll<Noise> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(&mut buffer[..NOISE]);
            Poll::Ready(match ready!(self.poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => Noise::Bytes(buffer.filled().to_vec()),
                Ok(()) | Err(_) => Noise::Closed,
            })
        })
    }

    /// Sends all octets. Under TLS at most 64 KiB of them are held encrypted (rustls' own limit), and
    /// what is shorter leaves in one system call.
    ///
    /// # Errors
    /// The connection broke; see [`Stream::nothing_sent`].
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let before = self.written();
        self.nothing_sent = false;
        let outcome = match &mut self.kind {
            Kind::Plain(socket) => socket.write_all(octets).await,
            Kind::Tls(stream) => match stream.write_all(octets).await {
                Ok(()) => stream.flush().await,
                Err(error) => Err(error),
            },
            Kind::Gone => Err(io::ErrorKind::NotConnected.into()),
        };
        self.nothing_sent = self.written() == before;
        outcome
    }

    /// Of the last [`Stream::send`]: whether none of its octets left this host. Told by what the
    /// kernel took; a `send` that was given up in the middle counts as having sent something.
    pub fn nothing_sent(&self) -> bool {
        self.nothing_sent
    }

    fn written(&self) -> u64 {
        self.socket().map_or(0, |socket| socket.written)
    }

    /// Ends the stream politely, within a second: the end is sent, and the peer's is awaited.
    ///
    /// A socket that is closed with octets unread resets the connection, and the peer may lose the
    /// last reply, which it has not read yet (RFC 1122 4.2.2.13); so they are read, and dropped.
    pub async fn close(&mut self) {
        let end = async {
            self.shut_down().await?;
            while self.receive(<[u8]>::len).await? > 0 {}
            io::Result::Ok(())
        };
        // Whether the peer hears the end does not matter to anybody any more.
        let _ = timeout(CLOSE, end).await;
    }

    async fn shut_down(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Plain(socket) => socket.shutdown().await,
            Kind::Tls(stream) => stream.shutdown().await,
            Kind::Gone => Ok(()),
        }
    }

    /// Ends the connection with a reset (RST), as a crash would.
    pub fn reset(self) {
        if let Some(socket) = self.socket() {
            let _ = socket2::SockRef::from(&socket.socket).set_linger(Some(Duration::ZERO));
        }
    }

    /// Whether the stream is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self.kind, Kind::Tls(_))
    }

    /// The peer's address.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn peer_address(&self) -> io::Result<SocketAddr> {
        self.socket().ok_or(io::ErrorKind::NotConnected)?.socket.peer_addr()
    }

    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.kind {
            Kind::Plain(socket) => Pin::new(socket).poll_write(context, octets),
            Kind::Tls(stream) => Pin::new(stream).poll_write(context, octets),
            Kind::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(socket) => Pin::new(socket).poll_flush(context),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(context),
            Kind::Gone => Poll::Ready(Ok(())),
        }
    }

    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Gone => Poll::Ready(Ok(())),
        }
    }

    /// The stream for whoever reads and writes by tokio's traits.
    pub fn into_octets(self) -> Octets {
        Octets(self)
    }

    /// Our own address on it.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket().ok_or(io::ErrorKind::NotConnected)?.socket.local_addr()
    }

    fn socket(&self) -> Option<&Counted> {
        match &self.kind {
            Kind::Plain(socket) => Some(socket),
            Kind::Tls(stream) => Some(stream.get_ref().0),
            Kind::Gone => None,
        }
    }
}

#[cfg(test)]
mod tests;
