//! Which socket goes to which listener.

use std::net::{SocketAddr, TcpListener};

use super::{ADMIN, Inherited, Origin, Socket};
use crate::config::from_toml;

fn socket(origin: Origin, name: &str) -> Socket {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    Socket { origin, name: name.to_owned(), address, socket }
}

fn listeners(named: &[(&str, SocketAddr)]) -> Vec<crate::config::listener::Listener> {
    let one = |(name, address): &(&str, SocketAddr)| {
        format!("[[listeners]]\nname = \"{name}\"\naddress = \"{address}\"\ntls = \"none\"\n")
    };
    let text: String = named.iter().map(one).collect();
    let tenant = "[[logins]]\nname = \"app\"\nsenders = [\"@a.example\"]\n";
    let loaded = from_toml(&format!("hostname = \"relay.example.com\"\n{text}"), &[("acme", tenant)]);
    loaded.config.map(|config| config.listeners).unwrap_or_else(|| panic!("{:?}", loaded.errors))
}

const ANYWHERE: &str = "127.0.0.1:0";

#[test]
fn an_address_comes_before_a_name() {
    let (one, other) = (socket(Origin::Manager { descriptor: 3 }, "b"), socket(Origin::Manager { descriptor: 4 }, "a"));
    let (first, second) = (one.address, other.address);
    let settings = listeners(&[("a", first), ("b", second)]);
    let claimed = Inherited { sockets: vec![one, other] }.claim(&settings, None).expect("each has its listener");
    assert_eq!(claimed.listeners["a"].local_addr().ok(), Some(first));
    assert_eq!(claimed.listeners["b"].local_addr().ok(), Some(second));
}

#[test]
fn a_name_tells_where_the_address_does_not_and_admin_is_one() {
    let anywhere: SocketAddr = ANYWHERE.parse().expect("an address");
    let (door, admin) = (socket(Origin::Manager { descriptor: 3 }, "a"), socket(Origin::Predecessor, ADMIN));
    let settings = listeners(&[("a", anywhere)]);
    let claimed = Inherited { sockets: vec![door, admin] }.claim(&settings, Some(anywhere)).expect("both are taken");
    assert!(claimed.listeners.contains_key("a") && claimed.admin.is_some());
}

#[test]
fn what_no_listener_takes_is_named_with_its_address() {
    let stray = socket(Origin::Manager { descriptor: 7 }, "stray");
    let address = stray.address;
    let settings = listeners(&[("a", ANYWHERE.parse().expect("an address"))]);
    let error = Inherited { sockets: vec![stray] }.claim(&settings, None).expect_err("nobody takes it").to_string();
    let expected = format!("descriptor 7 of LISTEN_FDS, named stray, listens on {address}");
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_predecessors_socket_is_not_taken_by_name_when_the_address_was_changed() {
    let old = socket(Origin::Predecessor, "a");
    let other: SocketAddr = "127.0.0.1:1".parse().expect("an address");
    let settings = listeners(&[("a", other)]);
    let claimed = Inherited { sockets: vec![old] }.claim(&settings, None).expect("what is left of it is closed");
    assert!(claimed.listeners.is_empty());
}
