//! Addresses that answer, refuse, and swallow.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{families_in_turn, first_to_answer};

const SOON: Duration = Duration::from_secs(20);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A port whose queue is full: the kernel drops who knocks, as a packet filter would.
fn swallowing() -> (Socket, Vec<Socket>, SocketAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&address("127.0.0.1:0").into()).unwrap();
    listener.listen(0).unwrap();
    let here = listener.local_addr().unwrap();
    let knocking = (0..3).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _in_progress = socket.connect(&here);
        socket
    });
    (listener, knocking.collect(), here.as_socket().unwrap())
}

#[tokio::test]
async fn an_address_that_swallows_packets_does_not_hold_up_the_next() {
    let (_listener, _queue, silent) = swallowing();
    assert!(timeout(Duration::from_millis(300), super::connect(silent, None)).await.is_err(), "it is not silent");
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answering = open.local_addr().unwrap();
    let socket = timeout(SOON, first_to_answer([silent, answering].into_iter(), None)).await.unwrap().unwrap();
    assert_eq!(socket.peer_addr().unwrap(), answering);
    assert!(SockRef::from(&socket).keepalive().unwrap());
}

#[tokio::test]
async fn a_refusal_leads_to_the_next_address_and_the_last_one_is_told() {
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answering = open.local_addr().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let socket = first_to_answer([closed, answering].into_iter(), None).await.unwrap();
    assert_eq!(socket.peer_addr().unwrap(), answering);
    let error = first_to_answer([closed, closed].into_iter(), None).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_source_address_is_used_and_leaves_the_other_family_out() {
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (answering, source) = (open.local_addr().unwrap(), "127.0.0.9".parse().unwrap());
    let socket = first_to_answer([address("[::1]:9"), answering].into_iter(), Some(source)).await.unwrap();
    assert_eq!(socket.local_addr().unwrap().ip(), source);
    let error = first_to_answer([address("[::1]:9")].into_iter(), Some(source)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn families_take_turns_beginning_with_the_resolvers_choice() {
    let given = ["[::1]:1", "[::2]:1", "[::3]:1", "192.0.2.1:1", "192.0.2.2:1"].map(address);
    let order: Vec<_> = families_in_turn(given.into_iter()).into_iter().collect();
    assert_eq!(order, ["[::1]:1", "192.0.2.1:1", "[::2]:1", "192.0.2.2:1", "[::3]:1"].map(address));
    assert!(families_in_turn([].into_iter()).is_empty());
}
