//! Listening sockets through a Unix socket (unix(7), SCM_RIGHTS): a count, then each socket with its name.
//!
//! Blocking, and before anything else is said. The kernel closes on its own what is sent and never received.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

/// Sends them all.
///
/// # Errors
/// The other side is gone, or takes too long by the stream's own time limit.
pub(crate) fn send(stream: &UnixStream, sockets: &[(String, OwnedFd)]) -> io::Result<()> {
    send_number(stream, sockets.len())?;
    for (name, socket) in sockets {
        send_number(stream, name.len())?;
        // A socket rides on the first octet of its name, or of what stands for none.
        let name = if name.is_empty() { b"?" } else { name.as_bytes() };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        let descriptors = [socket.as_fd()];
        rights.push(SendAncillaryMessage::ScmRights(&descriptors));
        let sent = sendmsg(stream, &[IoSlice::new(&name[..1])], &mut rights, SendFlags::NOSIGNAL)?;
        if sent != 1 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        send_all(stream, &name[1..])?;
    }
    Ok(())
}

/// Receives as many as were sent; they are closed in whatever this process starts.
///
/// # Errors
/// The other side is gone, takes too long, or sends something else.
pub(crate) fn receive(stream: &UnixStream) -> io::Result<Vec<(String, TcpListener)>> {
    let count = receive_number(stream)?;
    let mut sockets = Vec::new();
    for _ in 0..count {
        let length = receive_number(stream)?;
        let mut name = vec![0; length.max(1)];
        let socket = receive_one(stream, &mut name[..1])?;
        receive_all(stream, &mut name[1..])?;
        name.truncate(length);
        let name = String::from_utf8(name).map_err(|_| io::ErrorKind::InvalidData)?;
        sockets.push((name, TcpListener::from(socket)));
    }
    Ok(sockets)
}

fn receive_one(stream: &UnixStream, octet: &mut [u8]) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(stream, &mut [IoSliceMut::new(octet)], &mut rights, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = rights.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let socket = descriptors.next().and_then(|mut descriptors| descriptors.next());
    match socket {
        Some(socket) if received.bytes == 1 => Ok(socket),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a socket did not come along with its name")),
    }
}

fn send_number(stream: &UnixStream, number: usize) -> io::Result<()> {
    let number = u16::try_from(number).map_err(|_| io::ErrorKind::InvalidInput)?;
    send_all(stream, &number.to_be_bytes())
}

fn receive_number(stream: &UnixStream) -> io::Result<usize> {
    let mut octets = [0; 2];
    receive_all(stream, &mut octets)?;
    Ok(u16::from_be_bytes(octets).into())
}

fn send_all(mut stream: &UnixStream, octets: &[u8]) -> io::Result<()> {
    io::Write::write_all(&mut stream, octets)
}

fn receive_all(mut stream: &UnixStream, octets: &mut [u8]) -> io::Result<()> {
    io::Read::read_exact(&mut stream, octets)
}

#[cfg(test)]
mod tests;
