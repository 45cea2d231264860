//! The listening sockets of a relay that runs: which are open, and how one configuration's become the next one's.
//!
//! New ones are bound before anything is published: a configuration whose address is taken is refused whole. A socket
//! whose address stays is never closed, whatever else changes, so that no client finds the door shut.

mod leaving;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use posthouse_net::listen::{Listener, Reserved};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::info;

use crate::config::listener::Listener as Settings;
use crate::front::Front;
use crate::inherited::Claimed;
use crate::listener::accept;
use crate::shutdown::Draining;

pub(crate) use leaving::{Leaving, Staying};

/// Where the listeners listen, by name, for whoever wants to know.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    by_name: Arc<RwLock<HashMap<String, SocketAddr>>>,
}

/// A listener cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("listener {name}: cannot listen on {address}: {source}{}", next_step(source))]
pub struct NotOpened {
    /// The listener.
    pub name: String,
    /// Its address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

/// The open doors.
#[derive(Debug)]
pub(crate) struct Doors {
    front: Arc<Front>,
    draining: Draining,
    open: HashMap<Place, Door>,
    /// Sockets that are being closed.
    leaving: Vec<Weak<Listener>>,
    addresses: Addresses,
}

/// What has to stay the same for a socket to stay open: its address, and where the system chose the port its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    address: SocketAddr,
    name: Option<String>,
}

#[derive(Debug)]
struct Door {
    name: String,
    local: SocketAddr,
    stop: oneshot::Sender<()>,
    /// Whoever accepts has it.
    socket: Weak<Listener>,
    accepting: JoinHandle<Arc<Listener>>,
}

/// Sockets that are bound and not yet open.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    sockets: HashMap<Place, (Arc<Listener>, SocketAddr)>,
    /// Addresses that are listened on once the process before does so no more, by their listeners' names.
    reserved: Vec<(String, SocketAddr, Reserved)>,
    /// That process's sockets which are no listener's any more.
    left: Vec<Arc<Listener>>,
}

impl Doors {
    pub(crate) fn new(front: Arc<Front>, draining: Draining) -> Self {
        Self { front, draining, open: HashMap::new(), leaving: Vec::new(), addresses: Addresses::default() }
    }

    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// Binds what is not open yet and did not come with the process. Clients that connect there wait until
    /// [`Self::open`].
    ///
    /// # Errors
    /// An address is taken or not this host's; nothing has changed then.
    pub(crate) fn bind(&self, listeners: &[Settings], mut inherited: Claimed) -> Result<Bound, NotOpened> {
        let left = inherited.left.drain(..).map(Listener::from_std).filter_map(Result::ok).map(Arc::new).collect();
        let mut bound = Bound { left, ..Bound::default() };
        for Settings { name, address, .. } in listeners {
            let place = Place::of(name, *address);
            if !self.open.contains_key(&place) {
                let failed = |source| NotOpened { name: name.clone(), address: *address, source };
                let socket = match inherited.listeners.remove(name) {
                    Some(socket) => Listener::from_std(socket),
                    None => match bound.reserve(*address) {
                        Some(reserved) => {
                            bound.reserved.push((name.clone(), *address, reserved.map_err(failed)?));
                            continue;
                        }
                        None => self.bind_one(*address, listeners),
                    },
                };
                let socket = socket.and_then(|socket| Ok((socket.local_address()?, socket)));
                let (local, socket) = socket.map_err(failed)?;
                bound.sockets.insert(place, (Arc::new(socket), local));
            }
        }
        Ok(bound)
    }

    /// Binds an address, be it that a socket covers it which is to be closed for it (`0.0.0.0:25` becomes `127.0.0.1:25`).
    fn bind_one(&self, address: SocketAddr, listeners: &[Settings]) -> io::Result<Listener> {
        let bound = Listener::bind(address);
        if !bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
            return bound;
        }
        let goes =
            |place: &Place| !listeners.iter().any(|listener| Place::of(&listener.name, listener.address) == *place);
        let in_the_way = self.open.iter().filter(|(place, door)| door.local.port() == address.port() && goes(place));
        let in_the_way = in_the_way.filter_map(|(_, door)| door.socket.upgrade());
        let in_the_way: Vec<_> = in_the_way.chain(self.leaving.iter().filter_map(Weak::upgrade)).collect();
        if in_the_way.is_empty() { bound } else { Listener::bind_beside(address, in_the_way) }
    }

    /// Stops accepting where the listener is another one from now on, or none: to be called before its rules change, so
    /// that no client is accepted by a name that is gone. Who connects meanwhile waits.
    pub(crate) async fn halt(&mut self, listeners: &[Settings], bound: &mut Bound) {
        let names: HashMap<Place, &str> =
            listeners.iter().map(|listener| (Place::of(&listener.name, listener.address), &*listener.name)).collect();
        let halted = |place: &Place, door: &Door| names.get(place) != Some(&door.name.as_str());
        let places: Vec<Place> =
            self.open.iter().filter(|(place, door)| halted(place, door)).map(|(place, _)| place.clone()).collect();
        for place in places {
            let Some(Door { name, local, stop, accepting, .. }) = self.open.remove(&place) else { continue };
            let _ended = stop.send(());
            info!(listener = name, "no longer accepting");
            if let Ok(socket) = accepting.await {
                bound.sockets.insert(place, (socket, local));
            }
        }
    }

    /// Stops accepting everywhere. Who connects meanwhile waits.
    pub(crate) async fn halt_all(&mut self) -> Bound {
        let mut bound = Bound::default();
        self.halt(&[], &mut bound).await;
        bound
    }

    /// All open sockets once more, with their listeners' names.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub(crate) fn duplicates(&self) -> io::Result<Vec<(String, OwnedFd)>> {
        let open = self.open.values().filter_map(|door| Some((door.name.clone(), door.socket.upgrade()?)));
        open.map(|(name, socket)| Ok((name, socket.duplicate()?))).collect()
    }

    /// Opens what was bound, under the names of these listeners; sockets of none of them are closed, and whoever waits
    /// there is served by the listener that has the address now.
    pub(crate) fn open(&mut self, listeners: &[Settings], mut bound: Bound) {
        for Settings { name, address, .. } in listeners {
            let place = Place::of(name, *address);
            let Some((socket, local)) = bound.sockets.remove(&place) else { continue };
            info!(listener = name, address = %local, "listening");
            self.addresses.note(name, local);
            let (stop, stopped) = oneshot::channel();
            let (front, draining) = (Arc::clone(&self.front), self.draining.clone());
            let door = Arc::downgrade(&socket);
            let accepting = tokio::spawn(accept(socket, name.clone(), front, draining, stopped));
            self.open.insert(place, Door { name: name.clone(), local, stop, socket: door, accepting });
        }
        self.addresses.keep(listeners);
        let closed = bound.sockets.into_values().map(|(socket, _)| socket).collect();
        let leaving = Leaving::of(closed, listeners);
        self.expect(&leaving);
        drop(leaving.stay(&self.front, &self.draining));
    }

    /// These sockets stay open for a moment: they are not to keep an address from anybody.
    pub(crate) fn expect(&mut self, leaving: &Leaving) {
        self.leaving.retain(|socket| socket.strong_count() > 0);
        self.leaving.extend(leaving.sockets());
    }
}

impl Bound {
    /// Reserves an address that the process before listens on by a socket which is no listener's any more.
    fn reserve(&self, address: SocketAddr) -> Option<io::Result<Reserved>> {
        let port = |socket: &Listener| socket.local_address().map_or(0, |address| address.port());
        let in_the_way: Vec<_> = self.left.iter().filter(|left| port(left) == address.port()).cloned().collect();
        (!in_the_way.is_empty()).then(|| Listener::reserve_beside(address, in_the_way))
    }

    /// Listens on what is reserved: nobody else does any more.
    ///
    /// # Errors
    /// Somebody has taken an address meanwhile.
    pub(crate) fn listen(&mut self) -> Result<(), NotOpened> {
        for (name, address, reserved) in self.reserved.drain(..) {
            let socket = reserved.local_address().and_then(|local| Ok((Arc::new(reserved.listen()?), local)));
            let socket = socket.map_err(|source| NotOpened { name: name.clone(), address, source })?;
            self.sockets.insert(Place::of(&name, address), socket);
        }
        Ok(())
    }

    /// The sockets of the process before that others have taken the place of; none of them is closed by [`Doors::open`].
    pub(crate) fn leaving(&mut self, listeners: &[Settings]) -> Leaving {
        Leaving::of(std::mem::take(&mut self.left), listeners)
    }
}

impl Place {
    fn of(name: &str, address: SocketAddr) -> Self {
        Self { address, name: (address.port() == 0).then(|| name.to_owned()) }
    }
}

/// What to do about it, where that can be said.
pub(crate) fn next_step(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "; end what listens there (`ss -ltnp` names it), or give it another port",
        io::ErrorKind::AddrNotAvailable => "; use an address of this host (`ip address` lists them)",
        _ => "",
    }
}

impl Addresses {
    /// Where the listener of this name listens.
    pub fn of(&self, name: &str) -> Option<SocketAddr> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// All of them.
    pub fn all(&self) -> HashMap<String, SocketAddr> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, name: &str, address: SocketAddr) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), address);
    }

    fn keep(&self, listeners: &[Settings]) {
        let is_one = |name: &String| listeners.iter().any(|listener| listener.name == *name);
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).retain(|name, _| is_one(name));
    }
}
