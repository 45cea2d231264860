//! Listening sockets that were open before this process was: from a service manager (sd_listen_fds(3)), or from the
//! process whose place this one takes.
//!
//! A socket is a listener's by its local address, or else by its name. Invariant: a socket that a service manager gives
//! and no listener takes is an error, since clients would wait at it for good.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

use crate::config::listener::Listener as Settings;

/// The name of the admin address among listeners' names, in `FileDescriptorName=` and in messages.
pub(crate) const ADMIN: &str = "admin";

/// Sockets that came with the process.
#[derive(Debug, Default)]
pub struct Inherited {
    sockets: Vec<Socket>,
}

/// Why sockets that came with the process are not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotInherited {
    /// It is not a socket that a listener could listen on.
    #[error("descriptor {descriptor} of LISTEN_FDS: {source}; sockets are to be ListenStream= with an IP address")]
    Unsuitable {
        /// Its number.
        descriptor: usize,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Nothing in the configuration listens there.
    #[error("{socket} listens on {address}, and no listener has that address or that name; {known}")]
    Unclaimed {
        /// Which one.
        socket: String,
        /// Where it listens.
        address: SocketAddr,
        /// What the configuration has instead.
        known: String,
    },
    /// The system does not say where it listens.
    #[error("a socket of the process before cannot be used: {0}")]
    Unusable(io::Error),
}

/// Sockets that have found their listeners.
#[derive(Debug, Default)]
pub(crate) struct Claimed {
    pub(crate) listeners: HashMap<String, TcpListener>,
    pub(crate) admin: Option<TcpListener>,
    /// Those of the process before that are no listener's any more: they may be in the way of one.
    pub(crate) left: Vec<TcpListener>,
}

#[derive(Debug)]
struct Socket {
    origin: Origin,
    name: String,
    address: SocketAddr,
    socket: TcpListener,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The service manager's, with its number.
    Manager { descriptor: usize },
    /// The process's before: it listened there by its configuration, which may be another one now.
    Predecessor,
}

/// The first descriptor that a service manager hands over (SD_LISTEN_FDS_START).
const FIRST: usize = 3;

impl Inherited {
    /// What a service manager has given to this process. To be called once, before there are threads: `LISTEN_FDS` and
    /// `LISTEN_PID` are taken out of the environment, and the sockets are closed in whatever this process starts.
    ///
    /// # Errors
    /// A descriptor is not a socket for TCP that listens.
    pub fn from_manager() -> Result<Self, NotInherited> {
        if std::env::var_os("LISTEN_PID").is_none() {
            return Ok(Self::default());
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut given = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..given.len() {
            let descriptor = FIRST + index;
            let failed = |source| NotInherited::Unsuitable { descriptor, source };
            let taken = given.take_tcp_listener(index).map_err(failed)?;
            let socket = taken.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
            let address = listens_on(&socket).map_err(failed)?;
            let name = names.next().unwrap_or_default().to_owned();
            sockets.push(Socket { origin: Origin::Manager { descriptor }, name, address, socket });
        }
        Ok(Self { sockets })
    }

    /// What the process before has handed over, by the names that its listeners had.
    ///
    /// # Errors
    /// The system does not know where they listen.
    pub(crate) fn from_predecessor(sockets: Vec<(String, TcpListener)>) -> Result<Self, NotInherited> {
        let known = |(name, socket): (String, TcpListener)| {
            let address = listens_on(&socket).map_err(NotInherited::Unusable)?;
            Ok(Socket { origin: Origin::Predecessor, name, address, socket })
        };
        Ok(Self { sockets: sockets.into_iter().map(known).collect::<Result<_, _>>()? })
    }

    /// Gives each socket to its listener.
    ///
    /// # Errors
    /// One from the service manager is nobody's.
    pub(crate) fn claim(mut self, listeners: &[Settings], admin: Option<SocketAddr>) -> Result<Claimed, NotInherited> {
        let wanted = listeners.iter().map(|listener| (listener.name.as_str(), listener.address));
        let wanted: Vec<(&str, SocketAddr)> = wanted.chain(admin.map(|address| (ADMIN, address))).collect();
        let mut claimed = Claimed::default();
        // Every address comes before any name: a name is what is left when the address does not tell.
        for by_name in [false, true] {
            for (name, address) in &wanted {
                if claimed.has(name) {
                    continue;
                }
                let fits = |socket: &Socket| {
                    if by_name { socket.is_named(name, *address) } else { socket.address == *address }
                };
                if let Some(index) = self.sockets.iter().position(fits) {
                    claimed.give(name, self.sockets.swap_remove(index).socket);
                }
            }
        }
        match self.sockets.iter().find(|socket| socket.origin != Origin::Predecessor) {
            Some(socket) => Err(socket.unclaimed(&wanted)),
            None => {
                claimed.left = self.sockets.into_iter().map(|socket| socket.socket).collect();
                Ok(claimed)
            }
        }
    }
}

impl Socket {
    /// Whether it is this listener's although the addresses differ: the service manager's may be written otherwise; the
    /// process before listened where it was told, unless the system chose the port.
    fn is_named(&self, name: &str, address: SocketAddr) -> bool {
        let may_differ =
            self.origin != Origin::Predecessor || (address.port() == 0 && address.ip() == self.address.ip());
        self.name == name && may_differ
    }

    fn unclaimed(&self, wanted: &[(&str, SocketAddr)]) -> NotInherited {
        let known: Vec<String> = wanted.iter().map(|(name, address)| format!("{name} is {address}")).collect();
        let socket = match self.origin {
            Origin::Manager { descriptor } if self.name.is_empty() => format!("descriptor {descriptor} of LISTEN_FDS"),
            Origin::Manager { descriptor } => format!("descriptor {descriptor} of LISTEN_FDS, named {},", self.name),
            Origin::Predecessor => format!("the socket of {}", self.name),
        };
        NotInherited::Unclaimed { socket, address: self.address, known: known.join(", ") }
    }
}

impl Claimed {
    fn has(&self, name: &str) -> bool {
        if name == ADMIN { self.admin.is_some() } else { self.listeners.contains_key(name) }
    }

    fn give(&mut self, name: &str, socket: TcpListener) {
        if name == ADMIN {
            self.admin = Some(socket);
        } else {
            self.listeners.insert(name.to_owned(), socket);
        }
    }
}

/// Where it listens, if it does: one that is only bound would never have a client.
fn listens_on(socket: &TcpListener) -> io::Result<SocketAddr> {
    if !rustix::net::sockopt::socket_acceptconn(socket)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
    }
    socket.local_addr()
}

#[cfg(test)]
mod tests;
